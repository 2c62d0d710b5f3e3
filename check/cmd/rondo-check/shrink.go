package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"rondo/check/history"
	"rondo/check/linear"
)

var shrinkVerb = verb{
	name: "shrink", args: "FILE [-o OUT] [-go] [-slack TIME]",
	does: "make a small illegal history of a large one, and explain it",
	help: `
Reads an illegal history (see "rondo-check help recheck" for the format) and writes a small one that
is illegal by itself and for the same reason, with the explanation. It is judged again before it is
shown. Of several findings the most frequent is taken.

The small file holds the core: the fewest operations found that contradict each other whatever all
others did. Of those others the ones nearest the end stay, on connections of their own and with an
unknown outcome ("return": null), so that the file is illegal whether they happened or not. Reads,
and writes that changed nothing by their replies, would say nothing then, and vanish. The last plain
write of a value that the core reads stays as it was. Where that is not enough, operations are left
out by trial as long as the reason stays; what is still large then is said to be.

With -go it also prints a Go file with a test that reads OUT by its full path. Nothing else goes to
standard output then: what is told goes to standard error.

Exit status: 1 the history is illegal, and the small one was written; 0 it is legal: there is
nothing to shrink; 2 it is undecided within -timeout; 3 an error.

Examples:
  rondo-check shrink report/histories/expiry.jsonl
  rondo-check shrink big.jsonl -o testdata/late.jsonl -go`,
	flags: func(fs *flag.FlagSet) func(*app, []string) (int, error) {
		o := &shrinkOptions{}
		fs.StringVar(&o.out, "o", "", "`OUT`, the small file; default: FILE with .small before its ending")
		fs.BoolVar(&o.goTest, "go", false, "print a Go test that expects the small history to be illegal")
		o.slack = -1
		fs.Func("slack", "judge with this slack of the clock `TIME` instead of the file's", func(text string) (err error) {
			if o.slack, err = time.ParseDuration(text); err != nil || o.slack < 0 {
				return errors.New("write a time that is not negative, such as 5ms")
			}
			return nil
		})
		fs.DurationVar(&o.timeout, "timeout", time.Minute, "`TIME` for the search of one component")
		return func(a *app, files []string) (int, error) {
			if len(files) != 1 {
				return 0, usageError{errors.New("name one history file")}
			}
			return o.shrink(a, files[0])
		}
	},
}

type shrinkOptions struct {
	out            string
	goTest         bool
	slack, timeout time.Duration
}

func (o *shrinkOptions) shrink(a *app, file string) (int, error) {
	h, err := readFile(file)
	if err != nil {
		return 0, err
	}
	if o.slack >= 0 {
		h.Meta.Slack = int64(o.slack)
	}
	small, of, was := linear.Shrink(h, linear.Options{Timeout: o.timeout})
	switch was.Verdict {
	case linear.OK:
		fmt.Fprintf(a.stdout, "%s is legal: %d operations, nothing to shrink.\n", file, was.Ops)
		return 0, nil
	case linear.Unknown:
		fmt.Fprintf(a.stdout, "%s is undecided: %s\n", file, was.Reason)
		return exitNoVerdict, nil
	case linear.Error:
		return 0, errors.New(was.Reason)
	}
	out := o.out
	if out == "" {
		ending := filepath.Ext(file)
		out = strings.TrimSuffix(file, ending) + ".small" + ending
	}
	if err := writeFile(out, small); err != nil {
		return 0, err
	}
	told := a.stdout
	if o.goTest {
		told = a.stderr
		path, err := filepath.Abs(out)
		if err != nil {
			return 0, err
		}
		fmt.Fprint(a.stdout, goTest(path, of))
	}
	tellShrunk(told, file, out, was, of, small)
	if why := stillLarge(small, of); why != "" {
		fmt.Fprintf(told, "note     %s\n", why)
		if told != a.stderr {
			fmt.Fprintf(a.stderr, "rondo-check: %s: %s\n", out, why)
		}
	}
	return exitBroken, nil
}

// tellShrunk prints what was found and what became of the file.
func tellShrunk(w io.Writer, file, out string, was, of linear.Result, small *history.History) {
	fmt.Fprintf(w, "%s is illegal: %d operations, %d of %d components.\n", file, was.Ops,
		was.Counts[linear.Illegal], len(was.Components))
	for _, f := range was.Findings {
		fmt.Fprintf(w, "  %-7s %s (components: %d)\n", f.Clause, f.Cause, f.Count)
	}
	c := of.Components[of.Findings[0].Example]
	fmt.Fprintf(w, "\n%s: %s\n\n", c.Clause, c.Sentence)
	for i, line := range c.Steps {
		fmt.Fprintf(w, "  %2d  %s\n", i+1, line)
	}
	fmt.Fprintln(w)
	for _, line := range c.Why {
		fmt.Fprintf(w, "  %s\n", line)
	}
	unknown := 0
	for _, op := range small.Ops {
		if op.Reply == nil {
			unknown++
		}
	}
	fmt.Fprintf(w, "\n%s  %d operations, %d of them of unknown outcome; illegal, checked\n", out,
		len(small.Ops), unknown)
	fmt.Fprintf(w, "recheck  rondo-check recheck %s\n", quoteWord(out))
}

// shrunkMany is how many operations beyond its core a small history may have without a remark.
const shrunkMany = 16

// stillLarge says so if the small history is none.
func stillLarge(small *history.History, of linear.Result) string {
	core := of.Components[of.Findings[0].Example].Core
	if len(small.Ops) <= len(core)+shrunkMany {
		return ""
	}
	return fmt.Sprintf("not made small: %d operations, of which %d are shown to contradict each other; "+
		"without more of the others it was legal, or illegal for another reason, or the time ran out",
		len(small.Ops), len(core))
}

// goTest is a Go file with a test of the history in file.
func goTest(file string, of linear.Result) string {
	c := of.Components[of.Findings[0].Example]
	return fmt.Sprintf(`// The imports are packages of the module rondo: the file belongs somewhere in it.
package shrunk

import (
	"os"
	"testing"

	"rondo/check/history"
	"rondo/check/linear"
)

// TestShrunkHistory: %s: %s
func TestShrunkHistory(t *testing.T) {
	f, err := os.Open(%q)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h, err := history.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	res := linear.Check(h, linear.Options{})
	if res.Verdict != linear.Illegal || res.Findings[0].Clause != %q {
		t.Errorf("%%s %%s", res.Verdict, res.Reason)
	}
}
`, c.Clause, c.Sentence, file, c.Clause)
}

func readFile(name string) (*history.History, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h, err := history.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return h, nil
}

func writeFile(name string, h *history.History) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := history.Write(f, h); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
