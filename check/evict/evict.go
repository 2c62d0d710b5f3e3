// Package evict shows how well a server chooses the keys that it evicts, beside other servers.
//
// Every policy has an idea of which keys are the best to lose, and a server that samples keeps to it
// only about. Two things are measured, with room for equally many keys in each server, however much
// memory it needs for one:
//
//	zipf.go   a cache: keys are asked for by Zipf's law, those that miss are set; the hit rate
//	order.go  an experiment: keys that differ only by what the policy goes by, and which of them go when
//	          half of the room is taken away; the picture is that of Redis' documentation
//	room.go   how much memory so many keys need
//	page.go   the table, and the pictures
package evict

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"rondo/check/target"
	"rondo/check/wire"
	"rondo/model"
)

// Policies are those that evict.
var Policies = []string{"allkeys-lru", "allkeys-lfu", "allkeys-random",
	"volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"}

// Options say how much is measured.
type Options struct {
	Keys     int           // that there is room for
	Time     time.Duration // of the cache, and of the experiment where it is about age
	Seed     int64
	Progress func(string)
}

// Defaults and bounds.
const (
	KeysDefault = 20_000
	TimeDefault = 20 * time.Second

	keysMin      = 200
	universe     = 10 // keys asked for, for each that there is room for
	turnover     = 10 // times of Time in which as many requests come as there is room for
	zipfExponent = 1.01
	batch        = 50 // requests written at once
	valueBytes   = 100
	columns      = 200          // of a picture,
	squares      = 24 * columns // which has so many of the keys
	samplesAsked = 5            // maxmemory-samples, on all servers
	times        = 40           // the most that a key is used in the experiment about it
	replyTimeout = 10 * time.Second
	restTime     = 200 * time.Millisecond // without an eviction: it is over
)

// Server is one of those compared.
type Server struct {
	Name   string
	Target *target.Target
}

// Report is what was measured: results by policy, and in each by server.
type Report struct {
	Keys    int        `json:"keys"`
	Seconds float64    `json:"seconds"`
	Servers []string   `json:"servers"`
	Results [][]Result `json:"results"`
}

// Result is one policy on one server.
type Result struct {
	Policy   string  `json:"policy"`
	Held     int     `json:"held"`     // keys at the end of the cache's run
	HitRate  float64 `json:"hitRate"`  // of its second half
	Gone     []bool  `json:"-"`        // of the keys in the experiment, the best to lose first
	Mistaken float64 `json:"mistaken"` // of those that went, by the order of the policy
}

// Run measures all policies, on all servers side by side: they do not keep each other from anything,
// since the requests come at a rate that leaves them idle most of the time.
func Run(ctx context.Context, servers []Server, policies []string, opt Options) (*Report, error) {
	opt.Keys = max(opt.Keys, keysMin)
	r := &Report{Keys: opt.Keys, Seconds: opt.Time.Seconds()}
	benches := make([]*bench, len(servers))
	for i, s := range servers {
		b, err := open(s, opt)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		defer b.close()
		benches[i] = b
		r.Servers = append(r.Servers, s.Name)
	}
	for _, policy := range policies {
		results, faults := make([]Result, len(servers)), make([]error, len(servers))
		opt.Progress(policy)
		var all sync.WaitGroup
		for i, b := range benches {
			all.Go(func() {
				if results[i], faults[i] = b.measure(ctx, policy); faults[i] != nil {
					faults[i] = fmt.Errorf("%s, %s: %w", b.Name, policy, faults[i])
				}
			})
		}
		all.Wait()
		if err := errors.Join(append(faults, ctx.Err())...); err != nil {
			return r, err
		}
		r.Results = append(r.Results, results)
	}
	return r, nil
}

// bench is one server under measurement.
type bench struct {
	Server
	opt      Options
	c        *wire.Conn
	settings [][2]string // to be put back
	empty    int64       // used without keys
}

// errTaken says why a server is not touched.
var errTaken = errors.New("its keys would be evicted, and its settings changed: -flush allows that")

func open(s Server, opt Options) (*bench, error) {
	if !s.Target.Caps().Owned {
		return nil, errTaken
	}
	c, err := s.Target.Dial()
	if err != nil {
		return nil, err
	}
	c.SetReadTimeout(replyTimeout)
	c.KeepLog(false)
	b := &bench{Server: s, opt: opt, c: c}
	for _, name := range []string{"maxmemory", "maxmemory-policy", "maxmemory-samples", "lfu-log-factor"} {
		r, err := b.do("CONFIG", "GET", name)
		if err != nil || len(r.Elems) != 2 {
			c.Close()
			return nil, errors.Join(err, fmt.Errorf("it has no %s", name))
		}
		b.settings = append(b.settings, [2]string{name, r.Elems[1].Str})
	}
	return b, nil
}

// close leaves the server empty and as it was.
func (b *bench) close() {
	_, _ = b.do("FLUSHALL")
	for i := range b.settings {
		_, _ = b.do("CONFIG", "SET", b.settings[i][0], b.settings[i][1])
	}
	b.c.Close()
}

func (b *bench) measure(ctx context.Context, policy string) (Result, error) {
	res := Result{Policy: policy}
	if err := b.makeRoom(policy); err != nil {
		return res, err
	}
	if err := b.cache(ctx, &res); err != nil {
		return res, err
	}
	return res, b.experiment(ctx, &res)
}

// do asks; an error reply is an error.
func (b *bench) do(words ...string) (model.Reply, error) {
	r, err := b.c.Do(words...)
	if err == nil && r.Kind == model.Error {
		err = errors.New(r.Str)
	}
	return r, err
}

// pipeline sends requests together and hands over the replies in their order.
func (b *bench) pipeline(n int, request func(i int) []string, reply func(i int, r model.Reply)) error {
	for from := 0; from < n; from += batch {
		var out []byte
		to := min(from+batch, n)
		for i := from; i < to; i++ {
			out = wire.AppendCommand(out, words(request(i))...)
		}
		if err := b.c.SendRaw(out); err != nil {
			return err
		}
		for i := from; i < to; i++ {
			r, err := b.c.Receive(time.Time{})
			if err == nil && r.Kind == model.Error {
				err = errors.New(r.Str)
			}
			if err != nil {
				return err
			}
			reply(i, r)
		}
	}
	return nil
}

func words(line []string) (out [][]byte) {
	for _, w := range line {
		out = append(out, []byte(w))
	}
	return out
}

func ignore(int, model.Reply) {}
