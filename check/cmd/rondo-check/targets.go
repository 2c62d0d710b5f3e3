package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"rondo/check"
	"rondo/check/report"
	"rondo/check/target"
)

// targetList is what -target gives, in order.
type targetList []namedTarget

type namedTarget struct{ name, where string }

const (
	execPrefix = "exec:"
	embedded   = "embedded" // the server that comes with Rondo
)

var targetName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// String is for the flag package.
func (l *targetList) String() string { return "" }

// Set takes one NAME=WHERE.
func (l *targetList) Set(text string) error {
	name, where, ok := strings.Cut(text, "=")
	switch {
	case !ok || where == "":
		return fmt.Errorf("write NAME=HOST:PORT, NAME=exec:COMMAND or NAME=%s", embedded)
	case !targetName.MatchString(name):
		return fmt.Errorf("the name %q becomes a folder: letters, digits, dot, dash and underscore", name)
	case slices.ContainsFunc(*l, func(t namedTarget) bool { return t.name == name }):
		return fmt.Errorf("two targets have the name %q", name)
	}
	*l = append(*l, namedTarget{name, where})
	return nil
}

// open opens the one target of a run.
func (o *runOptions) open() (*target.Target, error) {
	where := o.access.Addr
	switch {
	case o.exec != "":
		where = execPrefix + o.exec
	case where == "":
		where = embedded
	}
	return o.openAt(where)
}

// openAt opens an address, a command or the embedded server.
func (o *runOptions) openAt(where string) (t *target.Target, err error) {
	if command, ok := strings.CutPrefix(where, execPrefix); ok {
		t, err = target.Exec(command, nil)
	} else if where == embedded {
		t, err = openEmbedded()
	} else {
		a := o.access
		a.Addr = where
		t, err = target.Open(a)
	}
	if errors.Is(err, target.ErrNothingListens) {
		err = fmt.Errorf("%w; -exec COMMAND starts one", err)
	}
	if err == nil && o.flush {
		t.AllowFlush()
	}
	return t, err
}

func openEmbedded() (*target.Target, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return target.ExecArgs([]string{self, serveVerb.name, "-addr", "127.0.0.1:{port}",
		"-enable-debug-command", "yes", "-unixsocket", "{dir}/rondo.sock"}, nil)
}

// matrix judges the named targets one after the other and sets them side by side.
func (o *runOptions) matrix(a *app, p *progress) (int, error) {
	var targets []check.Named
	for _, t := range o.targets {
		targets = append(targets, check.Named{Name: t.name, Open: func() (*target.Target, error) {
			p.line("target  %s: %s", t.name, t.where)
			return o.openAt(t.where)
		}})
	}
	m, recordings, err := check.Matrix(a.ctx, targets, o.Options)
	p.done()
	if err != nil {
		return 0, err
	}
	if o.dir != "" {
		if err := check.WriteMatrix(m, recordings, o.dir); err != nil {
			return 0, err
		}
	}
	if o.json {
		return m.Exit(), report.MatrixJSON(a.stdout, m)
	}
	err = report.MatrixText(a.stdout, m, a.color())
	if o.dir != "" {
		fmt.Fprintf(a.stdout, "matrix  %s\n", filepath.Join(o.dir, "index.html"))
	}
	return m.Exit(), err
}
