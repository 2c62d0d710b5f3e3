package formal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// One run. spin makes a C program of the model, the compiler makes a verifier of that, and the verifier
// looks at all states. It exits with 0 whatever it finds, also when it gave up half way, so its words
// are judged: no errors, and nothing that says that the search was cut short.

// Bounds of a run.
const (
	depthMax   = 1_000_000       // steps from the start; a run that gets there is no evidence
	memoryMax  = 4 << 10         // MB; likewise
	runTimeMax = 5 * time.Minute // for each of the three programs
)

// ErrNoSpin says that this machine has no spin, or no C compiler for what it makes.
var ErrNoSpin = errors.New("spin and a C compiler are needed: make formal installs them where it may")

// Available is nil if models can be run here.
func Available() error {
	for _, program := range []string{"spin", "gcc"} {
		if _, err := exec.LookPath(program); err != nil {
			return ErrNoSpin
		}
	}
	return nil
}

// Verdict is what a run has shown.
type Verdict struct {
	States    int
	CPU       time.Duration
	Errors    int
	Cut       string   // why the search is no evidence; "" if it is complete
	Violated  string   // the property, if there was an error
	Steps     int      // of the counterexample
	Trail     []string // its events
	Unreached []string // what no state reached
}

// Holds says that all states were looked at, and none is wrong.
func (v Verdict) Holds() bool { return v.Errors == 0 && v.Cut == "" }

// job is a run, or a fault, as the programs need it.
type job struct {
	model, claim string
	defs         []string
	shortest     bool // breadth first: the counterexample is the shortest one
	large        bool // worth an optimised verifier, and a large table of states
	cover        bool
}

// Check runs a model as it is.
func (r Run) Check(ctx context.Context) (Verdict, error) {
	return job{r.Model, r.Claim, r.Defs, false, r.Last, r.Last}.check(ctx)
}

// Check runs a model with its fault.
func (f Fault) Check(ctx context.Context) (Verdict, error) {
	j := job{model: f.Model, defs: append(slices.Clone(f.Defs), fmt.Sprintf("BUG=%d", f.Bug))}
	if f.Model == "live" {
		j.claim = f.Property
	} else {
		j.shortest = f.Defs[0] != threeByTwo[0]
	}
	return j.check(ctx)
}

func (j job) check(ctx context.Context) (v Verdict, err error) {
	dir, err := os.MkdirTemp("", "formal")
	if err != nil {
		return v, err
	}
	defer os.RemoveAll(dir)
	if err := Unpack(dir); err != nil {
		return v, err
	}
	w := &workshop{ctx: ctx, dir: dir}
	w.run("spin", append(j.spinDefs(), "-a", j.model+".pml")...)
	w.run("gcc", j.compileArgs()...)
	out := w.run("./pan", j.panArgs()...)
	if j.cover {
		v.Unreached = uncovered(w.run("./pan", "-d", "-d"), out, Source(j.model), j.model)
	}
	v.States, v.Errors, v.Cut = judge(out)
	if v.Errors > 0 {
		j.explain(w, &v)
	}
	v.CPU = w.cpu
	return v, w.err
}

func (j job) spinDefs() (args []string) {
	for _, d := range j.defs {
		args = append(args, "-D"+d)
	}
	return args
}

func (j job) compileArgs() []string {
	args := []string{"-w", "-o", "pan", "-DCOLLAPSE", "-DNFAIR=3", fmt.Sprintf("-DMEMLIM=%d", memoryMax)}
	if j.claim == "" {
		args = append(args, "-DSAFETY")
	}
	if j.shortest {
		args = append(args, "-DBFS")
	}
	if j.large {
		args = append(args, "-O2")
	}
	return append(args, "pan.c")
}

func (j job) panArgs() []string {
	args := []string{fmt.Sprintf("-m%d", depthMax), "-w20"} // the table has 2^20 places
	if j.large {
		args[1] = "-w24"
	}
	if j.claim != "" {
		args = append(args, "-a", "-f", "-N", j.claim) // acceptance cycles, under weak fairness
	}
	return args
}

var (
	errorsFound = regexp.MustCompile(`(?m), errors: ([0-9]+)$`)
	statesFound = regexp.MustCompile(`(?m)^ *([0-9.e+]+) states, stored`)
	cutShort    = regexp.MustCompile(`(?i)max search depth too small|search not completed|out of memory|memory limit|error: .*`)
	failedAt    = regexp.MustCompile(`spin: [a-z]+\.pml:([0-9]+), Error: assertion violated`)
	tag         = regexp.MustCompile(`/\* ([A-Z][0-9])\b`)
)

// judge reads what the verifier wrote. One that wrote no verdict has none.
func judge(out string) (states, found int, cut string) {
	if m := statesFound.FindStringSubmatch(out); m != nil {
		n, _ := strconv.ParseFloat(m[1], 64) // the pattern admits numbers only
		states = int(n)
	}
	m := errorsFound.FindStringSubmatch(out)
	if m == nil {
		return states, 0, "the verifier gave no verdict: " + firstLine(out)
	}
	found, _ = strconv.Atoi(m[1])
	return states, found, cutShort.FindString(out)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// explain replays the counterexample: its last line says which assertion failed, and the comment there
// which property that is.
func (j job) explain(w *workshop, v *Verdict) {
	out := w.run("spin", append(j.spinDefs(), "-t", "-T", j.model+".pml")...)
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "@") || strings.Contains(line, "START OF CYCLE") {
			v.Trail = append(v.Trail, line)
		}
	}
	v.Steps = len(v.Trail)
	if j.claim != "" {
		v.Violated = j.claim
		return
	}
	if m := failedAt.FindStringSubmatch(out); m != nil {
		n, _ := strconv.Atoi(m[1])
		if lines := strings.Split(Source(j.model), "\n"); n <= len(lines) {
			if m := tag.FindStringSubmatch(lines[n-1]); m != nil {
				v.Violated = m[1]
			}
		}
	}
}

// Unpack writes the models to a folder.
func Unpack(dir string) error {
	entries, err := files.ReadDir(".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		text, err := files.ReadFile(e.Name())
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, e.Name()), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// workshop runs programs in a folder, one after the other, until one fails.
type workshop struct {
	ctx context.Context
	dir string
	cpu time.Duration
	err error
}

func (w *workshop) run(program string, args ...string) string {
	if w.err != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(w.ctx, runTimeMax)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = w.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	out, err := cmd.CombinedOutput()
	if s := cmd.ProcessState; s != nil {
		w.cpu += s.UserTime() + s.SystemTime()
	}
	if err != nil {
		w.err = fmt.Errorf("%s %s: %w\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}
