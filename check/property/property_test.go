package property_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"rondo/check/property"
	"rondo/check/target"
	"rondo/spec"
)

var addr = flag.String("addr", "", "test the server at `HOST:PORT` instead of the ones that can be started")

// TestLaws holds every law against the server at -addr, or against Rondo and redis-server.
func TestLaws(t *testing.T) {
	if *addr != "" {
		at, err := target.At(*addr)
		if err != nil {
			t.Fatal(err)
		}
		holdAll(t, at)
		return
	}
	t.Run("rondo", func(t *testing.T) {
		bin := filepath.Join(t.TempDir(), "rondo-server")
		build := exec.Command("go", "build", "-pgo=off", "-o", bin, "rondo/impl/cmd/rondo-server")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		holdAll(t, start(t, bin+" -addr 127.0.0.1:{port}"))
	})
	t.Run("redis", func(t *testing.T) {
		if _, err := exec.LookPath("redis-server"); err != nil {
			t.Skip("redis-server is not installed: `make deps` installs it")
		}
		// With hz 500 its timeouts end within 2 ms and not within 100.
		holdAll(t, start(t, "redis-server --port {port} --save '' --hz 500"))
	})
}

func start(t *testing.T, command string) *target.Target {
	t.Helper()
	at, err := target.Exec(command, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { at.Stop() })
	return at
}

func holdAll(t *testing.T, at *target.Target) {
	s, err := property.NewServer(at)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, law := range property.Laws {
		t.Run(law.Name, func(t *testing.T) {
			property.Check(t, s, law)
		})
	}
}

// breaking are servers with one fault each that a law must convict.
var breaking = map[string][]string{
	"refinement":   {"SETNX answers OK", "KEEPTTL lost", "GT and LT swapped", "WATCH ignored"},
	"chunking":     {"split request clipped"},
	"pipeline":     {"replies swapped", "commands reordered", "reply twice"},
	"independence": {"write hits another key"},
	"transaction":  {"EXEC reversed", "EXEC stops at an error", "queued command executed"},
	"idleness":     {"failed write dirties"},
	"deadline": {"KEEPTTL lost", "INCR drops deadline", "PERSIST does nothing", "PTTL one less",
		"TTL rounds down", "GETSET keeps deadline", "PEXPIREAT adds one"},
	"expiry": {"expires at the deadline", "expires 5 ms early", "expires 20 ms late", "PTTL one less",
		"TTL rounds down", "deadline from the connection", "expired value returned",
		"expired value measured", "old value revived", "DEL counts expired keys", "GT and LT swapped",
		"PERSIST does nothing", "KEEPTTL lost"},
	"timeouts": {"BLPOP asks once", "timeouts early", "timeouts in milliseconds"},
}

// TestLawsConvict is the check of the check: no law holds for everything.
func TestLawsConvict(t *testing.T) {
	setRapid(t, map[string]string{"nofailfile": "true", "checks": "1000", "seed": "7",
		"shrinktime": "15m"})
	for _, law := range property.Laws {
		faults := breaking[law.Name]
		if len(faults) == 0 {
			t.Errorf("no mutant is named that breaks the law of %s", law.Name)
		}
		if testing.Short() {
			faults = faults[:min(1, len(faults))]
		}
		for _, fault := range faults {
			t.Run(law.Name+"/"+fault, func(t *testing.T) {
				wantConversation(t, law, inBubble(t, law, fault, 0))
			})
		}
	}
	t.Run("timeouts/late", func(t *testing.T) {
		law := lawOf(t, "timeouts")
		wantConversation(t, law, inBubble(t, law, "", time.Millisecond))
	})
}

// wantConversation wants a law to be broken, and what is said to be a conversation that shows it.
func wantConversation(t *testing.T, law property.Law, said string) {
	t.Helper()
	if said == "" {
		t.Fatalf("the law of %s holds", law.Name)
	}
	_, script, _ := strings.Cut(said, "what should have come:\n")
	if _, err := spec.ParseScript(law.Name, script); err != nil {
		t.Errorf("what is printed is no conversation: %v\n%s", err, said)
	}
	t.Logf("%s", said)
}

// recorder is a test that may fail and says so to nobody.
type recorder struct {
	testing.TB
	said   string
	failed bool
}

func (r *recorder) Helper()                      {}
func (r *recorder) Failed() bool                 { return r.failed }
func (r *recorder) Log(args ...any)              { r.said += fmt.Sprint(args...) + "\n" }
func (r *recorder) Logf(f string, args ...any)   { r.said += fmt.Sprintf(f, args...) + "\n" }
func (r *recorder) Error(args ...any)            { r.failed = true; r.Log(args...) }
func (r *recorder) Errorf(f string, args ...any) { r.failed = true; r.Logf(f, args...) }
func (r *recorder) Fail()                        { r.failed = true }
func (r *recorder) FailNow()                     { r.failed = true; runtime.Goexit() }
func (r *recorder) Fatal(args ...any)            { r.Error(args...); r.FailNow() }
func (r *recorder) Fatalf(f string, args ...any) { r.Errorf(f, args...); r.FailNow() }

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(m.Run())
}
