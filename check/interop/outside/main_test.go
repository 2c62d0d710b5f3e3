package main

import (
	"testing"

	"rondo/check"
	"rondo/check/history"
	"rondo/check/linear"
	"rondo/check/target"
	"rondo/impl"
	"rondo/impl/kernel"
	"rondo/model"
)

// TestOurServer judges a server inside this process, as the author of one would. It is Rondo's own.
func TestOurServer(t *testing.T) {
	k, err := kernel.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer k.Release()
	cfg := impl.DefaultConfig()
	cfg.Port, cfg.AnyPort = 0, true
	server, err := impl.New(cfg, k)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- server.Run() }()
	defer func() {
		server.Stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	tg, err := target.At(server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	r, err := check.Run(t.Context(), tg, check.Options{Quick: true, Seed: 1,
		Patterns: []string{"data/*", "time/*", "history/expiry"}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Exit() != 0 || len(r.Cases) < 30 || len(r.Histories) != 1 {
		t.Errorf("%d cases, %d histories: %s", len(r.Cases), len(r.Histories), r.Conclusion())
	}
	if err := r.Write(t.TempDir()); err != nil {
		t.Error(err)
	}
}

// TestOurRecording judges operations that were recorded by other means.
func TestOurRecording(t *testing.T) {
	one, two := model.Num(1), model.Num(1) // the second increment lost the first
	h := &history.History{Ops: []history.Op{
		{Client: 1, Call: 0, Return: 10, Cmd: [][]byte{[]byte("INCR"), []byte("n")}, Reply: &one},
		{Client: 2, Call: 20, Return: 30, Cmd: [][]byte{[]byte("INCR"), []byte("n")}, Reply: &two},
	}}
	if res := linear.Check(h, linear.Options{}); res.Verdict != linear.Illegal {
		t.Errorf("a lost increment is %s", res.Verdict)
	}
}
