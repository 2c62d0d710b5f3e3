package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"

	"rondo/check"
	"rondo/check/report"
	"rondo/check/suite"
	"rondo/spec"
)

// ciOptions compare a run with what was expected of it, or with an earlier one.
type ciOptions struct {
	expect, write, track string

	expected []report.Expectation
	before   *report.Run
}

func (o *ciOptions) flags(fs *flag.FlagSet) {
	fs.StringVar(&o.expect, "expect", "", "`FILE` that lists what is known to fail, and why")
	fs.StringVar(&o.write, "expect-write", "", "`FILE` to write what fails into, as such a list")
	fs.StringVar(&o.track, "track", "", "`FILE`, the report.json of an earlier run: print only what changed")
}

// read reads the files before anything is run.
func (o *ciOptions) read(matrix bool) error {
	if matrix && (o.expect != "" || o.write != "" || o.track != "") {
		return usagef("-expect, -expect-write and -track are about one server, not a -target beside others")
	}
	if o.expect != "" {
		err := withFile(o.expect, func(f io.Reader) (err error) {
			o.expected, err = report.ReadExpectations(f, isNamed)
			return err
		})
		if err != nil {
			return usageError{err}
		}
	}
	if o.track != "" {
		return withFile(o.track, func(f io.Reader) (err error) {
			o.before, err = report.ReadRun(f)
			return err
		})
	}
	return nil
}

func withFile(name string, read func(io.Reader) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := read(f); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// isNamed says whether there is a clause, case or history of that name.
func isNamed(name string) bool {
	_, ok := spec.Lookup(name)
	return ok || slices.ContainsFunc(append(suite.Cases(), check.HistoryCases()...), func(c suite.Case) bool {
		return c.Name == name
	})
}

// deliver writes and prints the report, or what changed, and returns the exit status.
func (o *ciOptions) deliver(a *app, r *report.Run, rec *check.Recordings, dir string, asJSON bool) (int, error) {
	if o.write != "" {
		f, err := os.Create(o.write)
		if err != nil {
			return 0, err
		}
		defer f.Close()
		if err := report.WriteExpectations(f, r); err != nil {
			return 0, err
		}
	}
	if o.expected != nil {
		r.Expect(o.expect, o.expected)
	}
	if o.before == nil {
		return a.deliver(r, rec, dir, asJSON)
	}
	if dir != "" {
		if err := check.Write(r, rec, dir); err != nil {
			return 0, err
		}
	}
	changes := r.Changes(o.before)
	return report.ExitOf(changes, r), report.TextChanges(a.stdout, changes, r, a.color())
}
