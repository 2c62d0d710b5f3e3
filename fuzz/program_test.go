package fuzz

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"rondo/check/property"
	"rondo/check/wire"
	"rondo/impl"
	"rondo/impl/kernel/sim"
	"rondo/impl/store"
	"rondo/model"
	"rondo/spec"
	"rondo/spec/commands"
	"rondo/testdata"
)

// FuzzProgram: bytes become a program of a few clients (grammar_test.go); every reply must be one
// that the model allows. The target is the server in memory with a virtual clock, or, with
// RONDO_TARGET, the server at that address.
func FuzzProgram(f *testing.F) {
	seedPrograms(f)
	addr := os.Getenv("RONDO_TARGET")
	f.Fuzz(func(t *testing.T, data []byte) {
		if addr == "" {
			if err := inMemory(decodeProgram(data)); err != nil {
				t.Fatal(err)
			}
			return
		}
		p := decodeProgram(data)
		err := overWire(addr, p)
		if err != nil {
			// A server that reads its clock several times in a command (profile live) can differ
			// where a tick falls between two readings. That does not happen twice.
			err = overWire(addr, p)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
}

// seedPrograms adds one program a conversation: the commands of the spec and of testdata/script.
func seedPrograms(f *testing.F) {
	var scripts []spec.Script
	for _, c := range spec.All() {
		scripts = append(scripts, c.Examples...)
	}
	files, err := testdata.Scripts()
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		s, err := spec.ParseScript(file.Name(), file.Text)
		if err != nil {
			f.Fatal(err)
		}
		scripts = append(scripts, s)
	}
	for _, s := range scripts {
		addSeed(f, encodeProgram(s))
	}
	addSeed(f, bytes.Repeat([]byte{0x11, 0x80, 0x42, 0x07, 0xf3}, 60))
}

// program is what clients do, in order.
type program []action

// action is a command of one client, or a pause of all.
type action struct {
	client int
	cmd    [][]byte
	cut    int // send so many bytes first, the rest in a second write; 0: all at once
	pause  time.Duration
}

func (a action) String() string {
	if a.cmd == nil {
		return fmt.Sprintf("wait %v", a.pause)
	}
	words := make([]string, len(a.cmd))
	for i, w := range a.cmd {
		words[i] = strconv.Quote(string(w))
	}
	return fmt.Sprintf("client %d> %s", a.client, strings.Join(words, " "))
}

// disagreement tells the story so far and how it ended.
func (p program) disagreement(at int, want, got model.Reply, before string) error {
	var b strings.Builder
	for _, a := range p[:at+1] {
		fmt.Fprintln(&b, a)
	}
	return fmt.Errorf("\n%sthe server answers  %s\nthe model allows    %s\nstate before:\n%s", &b, got, want, before)
}

var modelOptions = model.Options{Databases: 16, BulkLenMax: 512 << 20}

// inMemory runs a program on the server over the simulated kernel. Time stands still but for the
// program's pauses, so that the model needs no tolerance.
func inMemory(p program) error {
	k := sim.New(1)
	cfg := impl.DefaultConfig()
	cfg.Memory = store.StrictMemory()
	server, err := impl.New(cfg, k)
	if err != nil {
		return err
	}
	peers := map[int]*sim.Peer{}
	decoders := map[int]*wire.Decoder{}
	lives := map[int]model.Client{} // a client that reconnects is a new one to the model
	state := model.Initial(modelOptions)
	born := model.Client(0)
	for i, a := range p {
		if a.cmd == nil {
			if err := k.Pass(a.pause, server.Turn); err != nil {
				return err
			}
			continue
		}
		if peers[a.client] == nil || peers[a.client].Closed() {
			born++
			peers[a.client], decoders[a.client], lives[a.client] = k.Connect(server.Addr()), &wire.Decoder{}, born
		}
		got, err := askPeer(k, server, peers[a.client], decoders[a.client], a)
		if err != nil {
			return fmt.Errorf("%v: %w", a, err)
		}
		next, want, ok := model.Accept(k.Wall()/1e6, state, lives[a.client], a.cmd, got)
		if !ok {
			return p.disagreement(i, want, got, state.Describe())
		}
		state = next
	}
	return nil
}

func askPeer(k *sim.Kernel, server *impl.Server, peer *sim.Peer, d *wire.Decoder, a action) (model.Reply, error) {
	request := string(wire.AppendCommand(nil, a.cmd...))
	cut := a.cut % len(request)
	if cut > 0 {
		peer.Send(request[:cut])
		if err := k.Pass(0, server.Turn); err != nil {
			return model.Reply{}, err
		}
		if early := peer.Recv(); early != "" {
			return model.Reply{}, fmt.Errorf("%q came before the request was complete (WIRE-3)", early)
		}
	}
	peer.Send(request[cut:])
	var got model.Reply
	for {
		if err := k.Pass(0, server.Turn); err != nil {
			return got, err
		}
		out := peer.Recv()
		d.Feed([]byte(out))
		r, ok, err := d.Next()
		if err != nil {
			return got, err
		}
		if ok {
			if rest := d.Pending(); len(rest) > 0 {
				return got, fmt.Errorf("%q follows the reply (CONN-1)", rest)
			}
			return r, nil
		}
		if out == "" {
			return got, fmt.Errorf("no reply came (CONN-1)")
		}
	}
}

// overWire runs a program on a real server. Keys get a fresh prefix, commands on the whole
// keyspace are left out. The server's clock is read on a connection of its own before and after
// each command; the model must allow the reply at some millisecond between the two.
func overWire(addr string, p program) error {
	w, err := newWirePlayer(addr)
	if err != nil {
		return err
	}
	defer w.close()
	oracle := property.NewOracle(model.Initial(modelOptions))
	for i, a := range p {
		if a.cmd == nil {
			time.Sleep(min(a.pause, 20*time.Millisecond))
			continue
		}
		if property.Whole(string(a.cmd[0])) {
			continue
		}
		cmd := w.prefixed(a.cmd)
		from, got, to, err := w.ask(a.client, cmd)
		if err != nil {
			return fmt.Errorf("%v: %w", a, err)
		}
		if want, ok := oracle.Accept(w.life(a.client), cmd, got, from, to); !ok {
			return p.disagreement(i, want, got, oracle.Describe())
		}
	}
	return nil
}

type wirePlayer struct {
	addr, prefix string
	clock        *wire.Conn
	conns        map[int]*wire.Conn
	lives        map[int]model.Client
	born         model.Client
}

func newWirePlayer(addr string) (*wirePlayer, error) {
	clock, err := wire.Dial(addr, time.Second)
	if err != nil {
		return nil, fmt.Errorf("RONDO_TARGET: %w", err)
	}
	prefix := fmt.Sprintf("fuzz:%d:", time.Now().UnixNano())
	return &wirePlayer{addr: addr, prefix: prefix, clock: clock, conns: map[int]*wire.Conn{}, lives: map[int]model.Client{}}, nil
}

func (w *wirePlayer) close() {
	w.clock.Close()
	for _, c := range w.conns {
		c.Close()
	}
}

func (w *wirePlayer) life(client int) model.Client { return w.lives[client] }

// prefixed gives the keys of a command the run's prefix.
func (w *wirePlayer) prefixed(cmd [][]byte) [][]byte {
	out := append([][]byte(nil), cmd...)
	for _, i := range commands.Keys(cmd) {
		out[i] = append([]byte(w.prefix), cmd[i]...)
	}
	return out
}

func (w *wirePlayer) ask(client int, cmd [][]byte) (from int64, got model.Reply, to int64, err error) {
	c := w.conns[client]
	if c == nil {
		if c, err = wire.Dial(w.addr, time.Second); err != nil {
			return
		}
		w.born++
		w.conns[client], w.lives[client] = c, w.born
	}
	if from, err = property.ReadClock(w.clock); err != nil {
		return
	}
	if got, err = c.DoArgs(cmd...); err != nil {
		return
	}
	if to, err = property.ReadClock(w.clock); err != nil {
		return
	}
	if strings.EqualFold(string(cmd[0]), "quit") {
		c.Close()
		delete(w.conns, client)
	}
	return
}
