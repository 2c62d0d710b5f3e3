package target

import (
	"errors"
	"fmt"
	"strings"

	"rondo/model"
	"rondo/spec/commands"
)

// A node of a cluster serves only some hash slots and sends a client elsewhere (MOVED) for the
// others. One server is judged at a time, so key names are made to fit it: every case and every
// component of a history has one hash tag, and Tag picks one whose slot this node serves.

// KeyPrefix is what all keys of a run begin with, so that an ACL user can be given ~rondo:*.
const KeyPrefix = "rondo:"

// slotsMax is how many hash slots a cluster has.
const slotsMax = 16384

// slotRange is a range of hash slots, both ends included.
type slotRange struct{ from, to int64 }

// Tag makes a hash tag from a name, "{name}" or "{name.7}", whose slot the target serves.
func (t *Target) Tag(name string) string {
	tag := name
	for i := 0; i < tagTries && !t.caps.serves(tag); i++ {
		tag = fmt.Sprintf("%s.%d", name, i)
	}
	return "{" + tag + "}"
}

func (c *Caps) serves(tag string) bool {
	if len(c.slots) == 0 {
		return true
	}
	slot := int64(slotOf(tag))
	for _, r := range c.slots {
		if r.from <= slot && slot <= r.to {
			return true
		}
	}
	return false
}

// slotOf is the hash slot of a key without braces, or of what stands between them: CRC-16/XMODEM
// modulo slotsMax.
func slotOf(key string) int {
	crc := uint16(0)
	for i := range len(key) {
		crc ^= uint16(key[i]) << 8
		for range 8 {
			top := crc & 0x8000
			crc <<= 1
			if top != 0 {
				crc ^= 0x1021
			}
		}
	}
	return int(crc) % slotsMax
}

// cluster finds out whether the target is a node of a cluster, and which slots it serves.
func (a *asker) cluster(caps *Caps) {
	info := Fields(a.do("INFO", "cluster").Str)
	if info["cluster_enabled"] != "1" {
		return
	}
	caps.Cluster = true
	me, slots := a.do("CLUSTER", "MYID"), a.do("CLUSTER", "SLOTS")
	for _, e := range slots.Elems {
		// [from, to, [ip, port, id, ...], replicas ...]
		if len(e.Elems) > 2 && len(e.Elems[2].Elems) > 2 && e.Elems[2].Elems[2].Str == me.Str {
			caps.slots = append(caps.slots, slotRange{e.Elems[0].Int, e.Elems[1].Int})
		}
	}
	if a.err == nil && slots.Kind == model.Array && me.Kind == model.Bulk && len(caps.slots) == 0 {
		a.err = errors.New("it is a node of a cluster and serves no slots: name a master that does")
	}
}

// excuses are the errors by which a server says that it is not the one to ask, or that this user
// may not: what they begin with, when they count, and what to tell.
var excuses = []struct {
	begins string // whole words
	counts func(*Target) bool
	means  string
}{
	{"MOVED", inCluster, "another node of the cluster serves these keys"},
	{"ASK", inCluster, "the slot of these keys is on its way to another node"},
	{"CROSSSLOT", inCluster, "a cluster does not take keys of several slots in one command"},
	{"TRYAGAIN", inCluster, "the slot of these keys is on its way to another node"},
	{"CLUSTERDOWN", inCluster, "the cluster is down"},
	{"ERR REPLICAOF not allowed in cluster mode.", inCluster, "in a cluster its bus decides who follows whom"},
	{"NOPERM", always, "this user may not do that"},
}

func always(*Target) bool      { return true }
func inCluster(t *Target) bool { return t.caps.Cluster }

// Excuse explains an error by which the target declines what it might well do for another client
// or at another node: no evidence about it. "" means that the reply stands as it is.
func (t *Target) Excuse(r model.Reply) string {
	if r.Kind != model.Error {
		return ""
	}
	for _, e := range excuses {
		if strings.HasPrefix(r.Str+" ", e.begins+" ") && e.counts(t) {
			return e.means + ": " + r.Str
		}
	}
	return ""
}

// Lacks explains an error by which the target answers a command that everybody knows as it does one
// that nobody has: it lacks it, or lacks what its arguments ask for. "" means that it does not. Where
// the command is not given (nil), the answer itself has to name one that everybody knows.
func (t *Target) Lacks(args []string, r model.Reply) string {
	// A refusal that quotes an empty name is about a frame, which no command of the table is.
	if r.Kind != model.Error || t.caps.unknown == "" || strings.Contains(r.Str, "''") {
		return ""
	}
	for _, c := range commands.Table {
		name, _, _ := strings.Cut(c.Name, "|")
		if (len(args) == 0 || strings.EqualFold(args[0], name)) && sameRefusal(r, name, t.caps.unknown) {
			return "the target does not take what it is asked here: " + r.Str
		}
	}
	return ""
}
