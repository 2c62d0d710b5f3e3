// Command rondo-check judges a Redis-like server against the Rondo specification: a conformance
// suite, and concurrent histories decided for timed linearizability.
//
// main.go dispatches the verbs; each verb is a function in its own file. The exit status is 0 for
// good, 1 for a broken clause, 2 for no verdict (unknown, vacuous, not run), 3 for an error or wrong
// use.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"rondo/check"
	"rondo/check/target"
)

// The exit statuses beside 0.
const (
	exitBroken    = 1
	exitNoVerdict = 2
	exitError     = 3
)

// app is what a verb may touch.
type app struct {
	ctx            context.Context
	stdin          io.Reader
	stdout, stderr io.Writer
	terminal       bool // stdout is a terminal: colour
	errTerminal    bool // stderr is one: progress in place
}

// verb is one subcommand. run returns the exit status; an error means exitError.
type verb struct {
	name, args, does string
	help             string
	flags            func(*flag.FlagSet) func(a *app, args []string) (int, error)
	hidden           bool
}

func verbs() []verb {
	return []verb{runVerb, listVerb, explainVerb, recheckVerb, convertVerb, shrinkVerb, mutantsVerb,
		practiceVerb, speedVerb, benchVerb, rhythmVerb, faultsVerb, evictVerb, detectVerb, serveVerb, peerVerb}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() { endAtOnce(stop) })
	a := &app{ctx: ctx, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		terminal: isTerminal(os.Stdout), errTerminal: isTerminal(os.Stderr)}
	status := a.main(os.Args[1:])
	stop()
	os.Exit(status)
}

// endAtOnce makes a second signal the end of the program, and of the servers that it has started.
func endAtOnce(stop func()) {
	second := make(chan os.Signal, 1)
	signal.Notify(second, os.Interrupt, syscall.SIGTERM)
	stop()
	<-second
	target.KillAll()
	os.Exit(exitNoVerdict)
}

func (a *app) main(args []string) int {
	name := "help"
	if len(args) > 0 {
		name = args[0]
	}
	switch name {
	case "help", "-h", "-help", "--help":
		return a.help(args)
	case "version", "-version", "--version":
		fmt.Fprintln(a.stdout, "rondo-check", check.Version)
		return 0
	}
	for _, v := range verbs() {
		if v.name == name {
			return a.run(v, args[1:])
		}
	}
	fmt.Fprintf(a.stderr, "rondo-check: there is no verb %q.%s `rondo-check help` lists them.\n", name, suggest(name))
	return exitError
}

func (a *app) run(v verb, args []string) int {
	fs := flag.NewFlagSet("rondo-check "+v.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	run := v.flags(fs)
	words, err := parse(fs, args, v.hidden)
	if errors.Is(err, flag.ErrHelp) {
		a.verbHelp(a.stdout, v, fs)
		return 0
	}
	status := exitError
	if err == nil {
		status, err = run(a, words)
	}
	if err != nil {
		fmt.Fprintf(a.stderr, "rondo-check %s: %v\n", v.name, err)
		if errors.As(err, new(usageError)) {
			fmt.Fprintf(a.stderr, "`rondo-check help %s` explains the options.\n", v.name)
		}
		return exitError
	}
	return status
}

// usageError is wrong use: the message ends with where to read on.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// parse lets flags and words stand in any order. The words of a raw verb are left alone.
func parse(fs *flag.FlagSet, args []string, raw bool) (words []string, err error) {
	if raw {
		return args, nil
	}
	for len(args) > 0 {
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, usageError{plainly(fs, err)}
		}
		if fs.NArg() == 0 {
			break
		}
		words = append(words, fs.Arg(0))
		args = fs.Args()[1:]
	}
	return words, nil
}

var unparsed = regexp.MustCompile(`^invalid value "(.*)" for flag -(\S+): parse error$`)

// plainly says what to write where package flag only says that it cannot read a value.
func plainly(fs *flag.FlagSet, err error) error {
	m := unparsed.FindStringSubmatch(err.Error())
	if m == nil {
		return err
	}
	value, ok := fs.Lookup(m[2]).Value.(flag.Getter)
	if !ok {
		return err
	}
	write := "a whole number, such as 1000"
	switch value.Get().(type) {
	case time.Duration:
		write = "a time with its unit, such as 200ms, 5s or 8h"
		if _, err := strconv.ParseUint(m[1], 10, 32); err == nil {
			write = m[1] + "s for seconds, or another unit, as in 200ms or 8h"
		}
	case float64:
		write = "a number, such as 1.5"
	}
	return fmt.Errorf("-%s %s cannot be read: write %s", m[2], m[1], write)
}

func (a *app) help(args []string) int {
	if len(args) > 1 && args[1] != "help" {
		for _, v := range verbs() {
			if v.name == args[1] && !v.hidden {
				fs := flag.NewFlagSet("rondo-check "+v.name, flag.ContinueOnError)
				v.flags(fs)
				a.verbHelp(a.stdout, v, fs)
				return 0
			}
		}
		fmt.Fprintf(a.stderr, "rondo-check: there is no verb %q.%s\n", args[1], suggest(args[1]))
		return exitError
	}
	fmt.Fprint(a.stdout, helpHead)
	for _, v := range verbs() {
		if !v.hidden {
			fmt.Fprintf(a.stdout, "  %-9s %s\n", v.name, v.does)
		}
	}
	fmt.Fprint(a.stdout, helpTail)
	return 0
}

const helpHead = `rondo-check judges a Redis-like server against the Rondo specification.

It holds conversations with the server (each shows a numbered clause of the spec), then drives it
with concurrent clients, records what they saw, and decides whether one order of effects, with the
server's clock in it, explains every reply: timed linearizability, expiry included.

Usage:  rondo-check VERB [options] [words]

`

const helpTail = `
Where to start:
  rondo-check run                              judge the server that comes with it
  rondo-check run -addr 127.0.0.1:6379         judge a running server; its other keys are left alone
  rondo-check run -exec "redis-server --port {port} --save ''"
                                               start a server, judge it, stop it
  rondo-check explain TIME-3                   what a clause says, and why
  rondo-check help run                         the options of a verb

Exit status:
  0  good: nothing is broken and there is a verdict on everything
  1  a MUST clause is broken, or a history is illegal
  2  no verdict: a history is unknown (a bound was reached) or vacuous (it could prove nothing), no
     fault of -fault succeeded, or the run was stopped before all was run
  3  an error of the harness, or wrong use
  If several apply: 1 before 3 before 2.
`

func (a *app) verbHelp(w io.Writer, v verb, fs *flag.FlagSet) {
	fmt.Fprintf(w, "Usage:  rondo-check %s %s\n\n%s\n", v.name, v.args, strings.TrimSpace(v.help))
	first := true
	fs.VisitAll(func(f *flag.Flag) {
		if first {
			fmt.Fprintf(w, "\nOptions:\n")
			first = false
		}
		name, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(w, "  -%-18s %s", strings.TrimSpace(f.Name+" "+name), strings.ReplaceAll(usage, "\n", "\n"+strings.Repeat(" ", 22)))
		if f.DefValue != "" && f.DefValue != "0" && f.DefValue != "false" && f.DefValue != "0s" {
			fmt.Fprintf(w, " (default %s)", f.DefValue)
		}
		fmt.Fprintln(w)
	})
}

// suggest names the verb that a mistyped one may have meant.
func suggest(name string) string {
	for _, v := range verbs() {
		if !v.hidden && name != "" && (strings.HasPrefix(v.name, name[:1]) || strings.Contains(name, v.name)) {
			return fmt.Sprintf(" Did you mean %q?", v.name)
		}
	}
	return ""
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 || os.Getenv("TERM") == "dumb" {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
