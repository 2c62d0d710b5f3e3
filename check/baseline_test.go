package check

import (
	"os/exec"
	"testing"

	"rondo/check/target"
	"rondo/spec"
)

// TestBaselines: the same servers held to several baselines. The mutant without a fault is like
// redis-7.2, and like redis-7.0 where that asks for less; redis-server 7.0.15 is like neither of the
// later ones. A wrong baseline is noticed.
func TestBaselines(t *testing.T) {
	t.Parallel() // it mostly waits
	mutant, stop, err := serveMutant("")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	servers := map[string]*target.Target{"mutant": mutant}
	if _, err := exec.LookPath("redis-server"); err == nil {
		redis, err := target.Exec("redis-server --port {port} --save '' --enable-debug-command yes", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer redis.Stop()
		servers["redis 7.0"] = redis
	}
	for _, c := range []struct{ server, as, pattern, want string }{
		{"mutant", "", "TIME-22", "info"},
		{"mutant", "redis-8", "TIME-22", "info"},
		{"mutant", "valkey-8", "TIME-22", "fail"},
		{"mutant", "redis-7.2", "exec/one-reading", "pass"},
		{"redis 7.0", "", "exec/one-reading", "non-strict"},
		{"redis 7.0", "redis-7.2", "exec/one-reading", "fail"},
		{"redis 7.0", "valkey-8", "TIME-22", "fail"},
		{"redis 7.0", "valkey-8", "TIME-3", "pass"},
	} {
		tg := servers[c.server]
		if tg == nil {
			continue
		}
		r, err := Run(t.Context(), tg, Options{Patterns: []string{c.pattern}, As: c.as, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range r.Cases {
			if one.Verdict != c.want && c.want != "pass" || c.want == "pass" && one.Verdict == "fail" {
				t.Errorf("%s as %s: %s is %s, want %s", c.server, c.as, one.Name, one.Verdict, c.want)
			}
		}
		if frozen := tg.Caps().Profile == "frozen"; spec.FrozenAs(c.as) && !frozen {
			t.Errorf("as %s the profile is %s", c.as, tg.Caps().Profile)
		}
	}
}
