package trace

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"rondo/spec/formal"
)

// Bounds of one run of spin, which takes hundredths of a second, and of what is shown of one that failed.
const (
	spinTime = 30 * time.Second
	sayMax   = 2000
)

// The model runs by chance, or as a script tells.
const (
	random   = "-DTRACE"
	scripted = "-DSCRIPT"
)

// Spin is a folder with the models, to run them in. What the preprocessor makes of one is kept: it takes
// longer than a run.
type Spin struct {
	dir  string
	made map[string]string // the file, by what it was made with
}

// NewSpin makes one of an empty folder. The error is formal.ErrNoSpin where there is no spin.
func NewSpin(dir string) (*Spin, error) {
	if err := formal.Available(); err != nil {
		return nil, err
	}
	return &Spin{dir, map[string]string{}}, formal.Unpack(dir)
}

// Random is a run of a model to its end.
func (sp *Spin) Random(ctx context.Context, m Model, b Bounds, seed uint64) ([]Event, error) {
	out, err := sp.run(ctx, m, b, fmt.Sprintf("-n%d", seed), random)
	if err != nil {
		return nil, err
	}
	return Parse(out)
}

// Follow has a model follow a trace, and says how far it got; err is nil if that is all of it.
func (sp *Spin) Follow(ctx context.Context, m Model, b Bounds, script []Event) (steps int, err error) {
	file := filepath.Join(sp.dir, "script.h")
	if err := os.WriteFile(file, []byte(promela(script)), 0o600); err != nil {
		return 0, err
	}
	out, err := sp.run(ctx, m, b, "-n1", scripted)
	if err != nil {
		return 0, err
	}
	i := strings.LastIndex(out, "script: ")
	if i < 0 {
		return 0, fmt.Errorf("the model does not say how far it got:\n%s", out)
	}
	of := 0
	if _, err := fmt.Sscanf(out[i:], "script: %d of %d steps", &steps, &of); err != nil || of != len(script) {
		return 0, fmt.Errorf("of %d steps: %q, %v", len(script), out[i:], err)
	}
	if steps < of {
		return steps, fmt.Errorf("the model does not do step %d: %v", steps, script[steps])
	}
	return steps, nil
}

// promela is a trace as spec/formal/events.h wants it.
func promela(script []Event) string {
	var what, who, how []string
	for _, e := range script {
		what = append(what, e.Name)
		who = append(who, fmt.Sprint(e.A))
		how = append(how, fmt.Sprint(e.B))
	}
	return fmt.Sprintf("#define LENGTH %d\nmtype what[LENGTH] = {%s};\nbyte who[LENGTH] = {%s};\nbyte how[LENGTH] = {%s};\n",
		len(script), strings.Join(what, ","), strings.Join(who, ","), strings.Join(how, ","))
}

// run simulates a model within bounds.
func (sp *Spin) run(ctx context.Context, m Model, b Bounds, seed, mode string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, spinTime)
	defer cancel()
	model, err := sp.preprocess(ctx, m, b, mode)
	if err != nil {
		return "", err
	}
	return sp.command(ctx, "spin", "-Pcat", seed, "-T", "-B", model)
}

func (sp *Spin) preprocess(ctx context.Context, m Model, b Bounds, mode string) (string, error) {
	key := fmt.Sprint(m.Name, mode, b)
	if file := sp.made[key]; file != "" {
		return file, nil
	}
	file := fmt.Sprintf("made%d.pml", len(sp.made))
	_, err := sp.command(ctx, "gcc", "-E", "-x", "c", mode, fmt.Sprintf("-DNC=%d", b.Clients),
		fmt.Sprintf("-DNF=%d", b.Requests), fmt.Sprintf("-DRX=%d", b.RX), fmt.Sprintf("-DTX=%d", b.TX),
		fmt.Sprintf("-DBUDGET=%d", b.Budget), fmt.Sprintf("-DBATCH=%d", b.Batch), m.Name+".pml", "-o", file)
	if err == nil && mode == random { // the other one includes a script
		sp.made[key] = file
	}
	return file, err
}

func (sp *Spin) command(ctx context.Context, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = sp.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", program, strings.Join(args, " "), err, out[:min(len(out), sayMax)])
	}
	return string(out), nil
}
