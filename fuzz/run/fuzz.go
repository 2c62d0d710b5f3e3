package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// minimizeRuns is how many tries the engine has to make an input smaller that reaches something new.
// Its own default is a minute for each, in which it hardly comes to anything else.
const minimizeRuns = "20x"

// result is what came of a target.
type result struct {
	target target
	execs  int
	fresh  int // inputs that reached something new
	took   time.Duration
	failed string // the input that it failed at, or why it did not run; "" if it did not fail
	timeUp bool   // the engine ended at its deadline, and took that for a failure
}

var (
	progressLine = regexp.MustCompile(`^fuzz: elapsed: .*, execs: (\d+) .*, new interesting: (\d+) `)
	writtenLine  = regexp.MustCompile(`^\s+Failing input written to (\S+)`)
	// timeUpLine is all that the engine says when it mistakes the end of -fuzztime for an error of its own,
	// as happens on a busy machine: it compares the error of its context with that of a child, which may
	// not have it yet. A failure of a target has a file and a line before its words, and an input.
	timeUpLine = regexp.MustCompile(`^ {4}context deadline exceeded$`)
	seedLine   = regexp.MustCompile(`(?:--- FAIL:|seed corpus entry:) (Fuzz\w+/\S+)`)
)

// fuzz runs one target, and passes on what the engine says. What it finds interesting it keeps in its
// cache, or in the folder cache, if that is not "".
func fuzz(ctx context.Context, root string, t target, length, cache string, out io.Writer) result {
	started := time.Now()
	r := result{target: t}
	args := []string{"test", t.pkg, "-run", "^" + t.name + "$", "-fuzz", "^" + t.name + "$",
		"-fuzztime", length, "-fuzzminimizetime", minimizeRuns}
	if cache != "" {
		args = append(args, "-args", "-test.fuzzcachedir="+filepath.Join(cache, t.name))
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	said, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, in
	read := make(chan struct{})
	go func() {
		defer close(read)
		r.listen(said, out)
	}()
	err := cmd.Run()
	in.Close()
	<-read
	r.took = time.Since(started)
	r.end(err)
	return r
}

// end takes how the engine ended.
func (r *result) end(err error) {
	if err != nil && r.failed == "" && !r.timeUp {
		r.failed = fmt.Sprintf("it did not run to its end: %v", err)
	}
	if r.failed == "" && r.execs == 0 {
		r.failed = "nothing was tried: to run what is known took all of the time; give it more, or -fresh"
	}
}

// listen reads what the engine says to its end.
func (r *result) listen(said io.Reader, out io.Writer) {
	lines := bufio.NewScanner(said)
	lines.Buffer(nil, lineBytesMax)
	for lines.Scan() {
		fmt.Fprintln(out, lines.Text())
		r.hear(lines.Text())
	}
	_, _ = io.Copy(out, said) // what is left behind a line that is too long
}

const lineBytesMax = 1 << 20

// hear takes what a line says.
func (r *result) hear(line string) {
	if m := progressLine.FindStringSubmatch(line); m != nil {
		r.execs, _ = strconv.Atoi(m[1])
		r.fresh, _ = strconv.Atoi(m[2])
	}
	if m := writtenLine.FindStringSubmatch(line); m != nil {
		r.failed = inputOf(r.target, m[1])
	}
	if m := seedLine.FindStringSubmatch(line); m != nil && r.failed == "" {
		r.failed = m[1]
	}
	r.timeUp = r.timeUp || timeUpLine.MatchString(line)
}
