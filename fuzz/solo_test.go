package fuzz

import (
	"rondo/check/wire"
	"rondo/impl"
	"rondo/impl/kernel/sim"
	"rondo/impl/store"
	"rondo/model"
)

// solo is a server in memory with one client. Time stands still but for what a test does with the
// kernel's clocks.
type solo struct {
	*sim.Kernel
	server  *impl.Server
	peer    *sim.Peer
	decoder wire.Decoder
}

func newSolo(cfg impl.Config) *solo {
	k := sim.New(1)
	cfg.Memory = store.StrictMemory()
	server, err := impl.New(cfg, k)
	if err != nil {
		panic(err) // the configuration is the test's own
	}
	return &solo{Kernel: k, server: server, peer: k.Connect(server.Addr())}
}

// ask sends one command; open is false when the server has closed the connection instead of
// answering.
func (s *solo) ask(words ...string) (said model.Reply, open bool) {
	said, err := askPeer(s.Kernel, s.server, s.peer, &s.decoder, action{cmd: toArgs(words)})
	if err != nil && !s.peer.Closed() {
		panic(err)
	}
	return said, err == nil
}

func toArgs(words []string) [][]byte {
	args := make([][]byte, len(words))
	for i, w := range words {
		args[i] = []byte(w)
	}
	return args
}
