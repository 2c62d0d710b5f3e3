package synth

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"rondo/check/linear"
)

// Detection says how well the judge sees one bug.
type Detection struct {
	Bug   string // "" is none: then every conviction is a false alarm
	Cells []Cell // by slack
}

// Name is what the row is called.
func (d Detection) Name() string { return cmp.Or(d.Bug, "none") }

// Cell is one bug under one slack.
type Cell struct {
	Slack     time.Duration
	Histories int
	Detected  int
	Undecided int
	Median    int    // operations until the conviction, of those detected
	Bar       string // what the prototype reached with ten histories, and its median where known
	Below     bool   // it detected all, or rightly none, and this is worse
}

// DetectOptions say on what the bugs are tried.
type DetectOptions struct {
	Options
	Histories int
	Slacks    []time.Duration
	Judge     linear.Options
	Progress  func(Detection)
}

// DetectDefaults are the conditions under which the bars were measured.
func DetectDefaults() DetectOptions {
	return DetectOptions{
		Options:   Options{Mix: "full", Ops: 20_000, Clients: 8, Keys: 40},
		Histories: 10,
		Slacks:    []time.Duration{0, time.Millisecond, 5 * time.Millisecond, 50 * time.Millisecond},
		Judge:     linear.Options{Timeout: 10 * time.Second},
		Progress:  func(Detection) {},
	}
}

// bars are the prototype's figures for slacks of 0, 1, 5 and 50 ms.
var bars = map[string][4]string{
	"":                             {"0", "0", "0", "0"},
	"expired key served 5 ms late": {"10 (80)", "10 (120)", "10 (640)", "10 (880)"},
	"expired key served 5 ms late, 1 op in 50": {"10 (1440)", "10 (5480)", "6", "6"},
	"expires 3 ms early":                       {"10 (80)", "10 (80)", "10 (400)", "10 (400)"},
	"expired iff now >= deadline":              {"10 (200)", "10 (560)", "10", "10"},
	"SET keeps the old TTL":                    {"10 (240)", "10 (240)", "10", "10 (240)"},
	"KEEPTTL lost":                             {"10 (240)", "10 (240)", "10", "10 (440)"},
	"INCR drops the TTL":                       {"10 (160)", "10", "10", "10"},
	"PERSIST does nothing":                     {"10 (280)", "10", "10", "10"},
	"GETEX option ignored":                     {"10 (280)", "10", "10", "10"},
	"PEXPIRE NX ignored":                       {"10 (160)", "10", "10", "10"},
	"PEXPIRE GT and LT swapped":                {"10 (80)", "10", "10", "10"},
	"TTL rounded down":                         {"10 (280)", "10", "10", "10"},
	"lost update in INCR, 20 % racy":           {"6", "6", "6", "6"},
	"stale read of 1 ms, 2 % of GETs":          {"10", "10", "10", "10"},
	"stale read of 0.2 ms, 2 % of GETs":        {"7", "7", "7", "7"},
}

// Detect tries every bug, and none, on so many histories under every slack.
func Detect(ctx context.Context, o DetectOptions) ([]Detection, error) {
	var out []Detection
	for i := -1; i < len(Bugs); i++ {
		bug := ""
		if i >= 0 {
			bug = Bugs[i].Name
		}
		d, err := o.bug(ctx, bug)
		if err != nil {
			return out, err
		}
		o.Progress(d)
		out = append(out, d)
	}
	return out, nil
}

func (o DetectOptions) bug(ctx context.Context, bug string) (Detection, error) {
	d := Detection{Bug: bug}
	medians := make([][]int, len(o.Slacks))
	for _, slack := range o.Slacks {
		d.Cells = append(d.Cells, Cell{Slack: slack, Histories: o.Histories})
	}
	for n := range o.Histories {
		run := o.Options
		run.Bug, run.Seed = bug, o.Seed+uint64(n)
		h := Make(run)
		for i, slack := range o.Slacks {
			if ctx.Err() != nil {
				return d, ctx.Err()
			}
			h.Meta.Slack = int64(slack)
			switch ops, verdict := linear.Conviction(h, o.Judge); verdict {
			case linear.Illegal:
				d.Cells[i].Detected++
				medians[i] = append(medians[i], ops)
			case linear.Unknown:
				d.Cells[i].Undecided++
			case linear.Error:
				return d, fmt.Errorf("%q: the recording cannot be", bug)
			}
		}
	}
	for i := range d.Cells {
		d.Cells[i].finish(bug, medians[i])
	}
	return d, nil
}

// finish computes the median and compares with the bar, if there is one for this slack: all or
// rightly none must stay all or none.
func (c *Cell) finish(bug string, until []int) {
	if len(until) > 0 {
		slices.Sort(until)
		c.Median = until[len(until)/2]
	}
	at := slices.Index(DetectDefaults().Slacks, c.Slack)
	if at < 0 {
		return
	}
	c.Bar = bars[bug][at]
	all := len(c.Bar) > 1 && c.Bar[:2] == "10"
	c.Below = all && c.Detected < c.Histories || bug == "" && c.Detected+c.Undecided > 0
}

// String is the cell as in a table: how many were detected, and after how many operations.
func (c Cell) String() string {
	text := fmt.Sprint(c.Detected)
	if c.Detected > 0 {
		text = fmt.Sprintf("%d (%d)", c.Detected, c.Median)
	}
	if c.Undecided > 0 {
		text += fmt.Sprintf(", %d undecided", c.Undecided)
	}
	return text
}
