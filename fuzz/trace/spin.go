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

// spinTime bounds one run of spin; they take hundredths of a second.
const spinTime = 30 * time.Second

// Spin is a folder with the models, to run them in.
type Spin struct{ dir string }

// NewSpin makes one of an empty folder. The error is formal.ErrNoSpin where there is no spin.
func NewSpin(dir string) (*Spin, error) {
	if err := formal.Available(); err != nil {
		return nil, err
	}
	return &Spin{dir}, formal.Unpack(dir)
}

// Random is a run of the model to its end.
func (sp *Spin) Random(ctx context.Context, b Bounds, seed uint64) ([]Event, error) {
	out, err := sp.run(ctx, b, fmt.Sprintf("-n%d", seed), "-DTRACE")
	if err != nil {
		return nil, err
	}
	return Parse(out)
}

// Follow has the model follow a trace, and says how far it got; err is nil if that is all of it.
func (sp *Spin) Follow(ctx context.Context, b Bounds, script []Event) (steps int, err error) {
	file := filepath.Join(sp.dir, "script.h")
	if err := os.WriteFile(file, []byte(promela(script)), 0o600); err != nil {
		return 0, err
	}
	out, err := sp.run(ctx, b, "-n1", "-DSCRIPT")
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

func (sp *Spin) run(ctx context.Context, b Bounds, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, spinTime)
	defer cancel()
	args = append(args, "-T", "-B", fmt.Sprintf("-DNC=%d", b.Clients), fmt.Sprintf("-DNF=%d", b.Requests),
		fmt.Sprintf("-DRX=%d", b.RX), fmt.Sprintf("-DTX=%d", b.TX), fmt.Sprintf("-DBUDGET=%d", b.Budget),
		fmt.Sprintf("-DBATCH=%d", b.Batch), "reactor.pml")
	cmd := exec.CommandContext(ctx, "spin", args...)
	cmd.Dir = sp.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("spin %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}
