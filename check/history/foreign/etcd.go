package foreign

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"rondo/check/history"
	"rondo/model"
)

// The robustness tests of etcd write one operations.json for each client: JSON objects after each
// other, as porcupine's Operation is marshalled, Input being their EtcdRequest and Output their
// MaybeEtcdResponse. The files of several clients may be put one after the other.
//
// A range over one key is GET, a transaction of one put is SET, of one delete DEL, and of several
// operations EXEC. Revisions and leases have no counterpart: the conditions of a transaction, which
// are about revisions, are not judged, only what the branch did that was taken; and a put with a
// lease is refused, since its key may vanish.
type etcdLine struct {
	ClientId     int
	Input        etcdRequest
	Call, Return int64
	Output       etcdResponse
	Tool         string // of a report.json, which is none of it
}

type etcdRequest struct {
	Type  string
	Range *struct {
		etcdRange
		Revision int64
	}
	Txn *struct {
		Conditions                               []json.RawMessage
		OperationsOnSuccess, OperationsOnFailure []etcdOperation
	}
}

type etcdRange struct {
	Start, End string
	Limit      int64
}

type etcdOperation struct {
	Type  string
	Range etcdRange
	Put   struct {
		Key     string
		Value   etcdValue
		LeaseID int64
	}
	Delete struct{ Key string }
}

// etcdValue is a value, or the hash of a long one.
type etcdValue struct {
	Value string
	Hash  uint32
}

func (v etcdValue) String() string {
	if v.Hash != 0 {
		return fmt.Sprintf("hash %d", v.Hash)
	}
	return v.Value
}

type etcdKVs struct {
	KVs []struct {
		Key   string
		Value etcdValue
	}
}

type etcdResponse struct {
	Txn *struct {
		Failure bool
		Results []struct {
			etcdKVs
			Deleted int64
		}
	}
	Range              *etcdKVs
	Error, ClientError string
	Persisted          bool
}

// ReadEtcd reads operations.json.
func ReadEtcd(r io.Reader) (*history.History, Notes, error) {
	c := newCollector("etcd")
	in := json.NewDecoder(r)
	for n := 1; ; n++ {
		var l etcdLine
		err := in.Decode(&l)
		if errors.Is(err, io.EOF) {
			return c.done()
		}
		if strings.HasPrefix(l.Tool, "rondo-check") {
			return nil, nil, errors.New("this is a report, not a history: those are in the folder histories beside it")
		}
		if err == nil {
			err = c.etcd(l)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("operation %d: %w", n, err)
		}
	}
}

func (c *collector) etcd(l etcdLine) error {
	if l.Output.ClientError != "" {
		c.notes["refused by the server or the client, without effect, and left out"]++
		return nil
	}
	if l.Output.Error != "" || l.Output.Persisted {
		l.Return = history.Never
	}
	switch l.Input.Type {
	case "range":
		return c.etcdRange(l)
	case "txn":
		return c.etcdTxn(l)
	case "leaseGrant", "leaseRevoke", "defragment", "compact":
		c.notes[l.Input.Type+" without a counterpart, left out"]++
		return nil
	}
	return fmt.Errorf("a request of type %q", l.Input.Type)
}

func (c *collector) etcdRange(l etcdLine) error {
	switch r := l.Input.Range; {
	case r == nil:
		return errors.New("a range without its range")
	case r.End != "" || r.Revision != 0:
		c.notes["range over many keys or at a revision, left out"]++
		return nil
	case l.Return == history.Never:
		c.notes["read without an answer says nothing and is left out"]++
		return nil
	case l.Output.Range == nil:
		return errors.New("a range without a response")
	}
	reply := l.Output.Range.value()
	c.add(l.ClientId, history.Op{Call: l.Call, Return: l.Return, Reply: &reply,
		Cmd: line("GET", l.Input.Range.Start)})
	return nil
}

// value is the value of a range over one key.
func (r *etcdKVs) value() model.Reply {
	if len(r.KVs) == 0 {
		return model.Reply{Kind: model.Null}
	}
	return model.Str(r.KVs[0].Value.String())
}

func (c *collector) etcdTxn(l etcdLine) error {
	txn, lost := l.Input.Txn, l.Return == history.Never
	if txn == nil || !lost && l.Output.Txn == nil {
		return errors.New("a txn without its operations or its results")
	}
	ops := txn.OperationsOnSuccess
	switch {
	case len(txn.Conditions) == 0:
	case lost && writes(txn.OperationsOnFailure):
		return errors.New("a txn without an answer that writes in both branches")
	case lost:
		c.notes["txn without an answer may have written whatever its conditions found"]++
	default:
		c.notes["conditions of a txn are not judged, only what it did"]++
		if l.Output.Txn.Failure {
			ops = txn.OperationsOnFailure
		}
	}
	if !lost && len(l.Output.Txn.Results) != len(ops) {
		return fmt.Errorf("a txn with %d operations and %d results", len(ops), len(l.Output.Txn.Results))
	}
	body, replies, err := l.commands(ops, lost)
	if err != nil || len(body) == 0 {
		return err
	}
	op := history.Op{Call: l.Call, Cmd: line("EXEC"), Body: body}
	reply := model.Arr(replies...)
	if len(body) == 1 {
		op.Cmd, op.Body = body[0], nil
		if !lost {
			reply = replies[0]
		}
	}
	c.add(l.ClientId, answer(op, l.Return, reply))
	return nil
}

func writes(ops []etcdOperation) bool {
	for _, op := range ops {
		if op.Type != "range-operation" {
			return true
		}
	}
	return false
}

// commands are the operations of a txn with what they answered. Ranges over several keys are left
// out: they write nothing.
func (l *etcdLine) commands(ops []etcdOperation, lost bool) (body [][][]byte, replies []model.Reply, err error) {
	for i, op := range ops {
		var cmd [][]byte
		reply := model.OK()
		switch {
		case op.Type == "put-operation" && op.Put.LeaseID != 0:
			return nil, nil, errors.New("a put with a lease: its key may vanish at any time")
		case op.Type == "put-operation":
			cmd = line("SET", op.Put.Key, op.Put.Value.String())
		case op.Type == "delete-operation":
			cmd = line("DEL", op.Delete.Key)
			if !lost {
				reply = model.Num(l.Output.Txn.Results[i].Deleted)
			}
		case op.Type == "range-operation" && op.Range.End != "":
			continue
		case op.Type == "range-operation":
			cmd = line("GET", op.Range.Start)
			if !lost {
				reply = l.Output.Txn.Results[i].value()
			}
		default:
			return nil, nil, fmt.Errorf("an operation of type %q", strings.TrimSpace(op.Type))
		}
		body, replies = append(body, cmd), append(replies, reply)
	}
	return body, replies, nil
}
