package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"rondo/check"
	"rondo/check/history"
	"rondo/check/linear"
	"rondo/check/report"
	"rondo/check/target"
	"rondo/check/workload"
)

var runVerb = verb{
	name: "run", args: "[PATTERN ...] [-addr HOST:PORT | -exec COMMAND] [options]",
	does: "judge a server: the suite, then concurrent histories, then a report",
	help: `
Runs the conformance suite and the concurrent histories against one server and writes a report
folder: index.html to read, report.json and junit.xml for machines, and every history as JSON lines.

Without -addr and -exec the server that comes with Rondo is started on a free port.

A PATTERN is a clause (TIME-3), a name with wildcards ("time/*", "history/*") or a part of a name
(set). "rondo-check list" shows what there is. Without a pattern everything runs.

On a server at -addr only keys under a fresh prefix are used, and nothing is emptied; cases that
need an empty database or change settings that others could notice run only with -flush or -exec.
Keys are named rondo:{tag}name, one hash tag for each case and each component of a history, so that
an ACL user needs no more than ~rondo:*, and a node of a cluster is asked for slots that it serves.
A password is better given in the variable RONDO_PASS: there it does not stand in the list of
processes. Nothing that is printed or written holds it.

Where versions differ, -as says which server this one has to be like: a clause then obliges as much
as it does there ("rondo-check explain EXEC-16" shows its range), and from redis-7.2 on histories
are judged with one clock reading for each command or EXEC.

For CI, where not everything can be mended at once: -expect FILE lists what is known to fail, a line
each of a clause or the name of a case or history, and the reason; what is listed does not count,
and a line that does not fail any more fails the run ("?" before the name: it may do either).
-expect-write FILE begins such a list, with what was seen above each line. -track report.json compares
with an earlier run, prints only what changed, and exits by the verdicts that are new.

With -target, several servers get the same questions and stand side by side on one page: a row for
each clause, a column for each server, and behind each verdict what was asked and what came.

With -duration and no -ops the histories are judged while they are recorded, in bounded memory, for
as long as you like. The latest histories, and those that were not legal, are in the report's folder.

Ctrl-C ends any run with the verdict so far, on what was judged: a history counts as far as it was
recorded. What was not reached is listed as not run, and where there is any, and nothing is broken,
the exit status is 2. A second Ctrl-C ends the program at once.

A -fault pauses, kills or cuts off the server while histories are recorded, and they are judged
across it: connections that die are opened again, and a reply that was lost is one whose command
took effect or did not. It gets $RONDO_ADDR, $RONDO_HOST, $RONDO_PORT and $RONDO_PID, and has to see to
it that the server can be reached again within 30 s. Each one is a mark in the history's file and on
the timeline of a counterexample. A server that forgets what it had answered is illegal. The report
counts them: where none was run, or each ended with another exit status than 0, there is no verdict.

Examples:
  rondo-check run
  rondo-check run -addr 127.0.0.1:6379
  rondo-check run -exec "redis-server --port {port} --save '' --enable-debug-command yes"
  RONDO_PASS=secret rondo-check run -addr db:6380 -user judge -tls -cacert ca.pem -db 3
  rondo-check run -target mine=127.0.0.1:7000 -target redis="exec:redis-server --port {port}"
  rondo-check run TIME-3 'exec/*' -addr 127.0.0.1:6379 -seed 7
  rondo-check run -addr 127.0.0.1:6379 -duration 8h
  rondo-check run 'history/*' -addr 127.0.0.1:6379 -duration 1m -fault \
      'kill -STOP $RONDO_PID; sleep 1; kill -CONT $RONDO_PID'
  rondo-check run 'history/expiry' -ops 100000 -clients 32`,
	flags: func(fs *flag.FlagSet) func(*app, []string) (int, error) {
		o := &runOptions{}
		accessFlags(fs, &o.access)
		fs.Var(&o.targets, "target", "`NAME=WHERE` of one of several servers to set side by side, WHERE being an\naddress, exec:COMMAND or embedded; once for each")
		fs.StringVar(&o.exec, "exec", "", "`COMMAND` that starts a server; {port} becomes a free port, {dir} an\nempty folder; it is stopped afterwards")
		fs.IntVar(&o.Clients, "clients", check.ClientsDefault, "`N` concurrent connections in the histories")
		fs.IntVar(&o.Ops, "ops", 0, fmt.Sprintf("`N` operations in all histories together (default %d; with\n-duration as many as fit)", check.OpsDefault))
		fs.DurationVar(&o.Duration, "duration", 0, "`TIME` after which no more operations are started (30s, 8h);\nwithout -ops the run is judged while it is recorded")
		fs.Int64Var(&o.Seed, "seed", 0, "`N` that decides every random choice (default: a new one, reported)")
		asFlag(fs, &o.As)
		fs.StringVar(&o.Fault, "fault", "", "`COMMAND` of the shell that does something to the server while it is\nrecorded, again and again; see above")
		fs.DurationVar(&o.Slack, "clock-slack", 0, "`TIME` by which the server's readings of its clock may be old (LIN-4); a\nclock that ticks in steps of 10 ms is up to 10 ms old")
		fs.StringVar(&o.Profile, "profile", "", "`PROFILE` of its clock: frozen (one reading for a command or an EXEC) or\nlive (several); by default what its version does")
		fs.DurationVar(&o.FaultEvery, "fault-every", workload.FaultEvery, "`TIME` between two faults")
		o.ci.flags(fs)
		fs.BoolVar(&o.Quick, "quick", false, "decide in some seconds: brief conversations, short histories; once\nsomething is broken, nothing more is begun after "+check.QuickMax.String())
		engineFlag(fs, &o.Engine)
		fs.BoolVar(&o.Detect, "detect", false, "add to the report what the judge sees of seeded bugs, see help detect")
		fs.StringVar(&o.dir, "report", "report", "`DIR` of the report; \"\" writes none; with PATTERNs report/selected")
		fs.BoolVar(&o.json, "json", false, "print report.json instead of the summary")
		fs.BoolFunc("rhythm", "add how long others wait while the server does long work, with "+strconv.Itoa(runRhythm.Keys)+"\nkeys; it has to be empty or ours, see help rhythm", func(string) error {
			opt := runRhythm
			o.Rhythm = &opt
			return nil
		})
		fs.BoolVar(&o.Power, "power", false, "first make the same run against every mutant, and report which it would miss")
		fs.BoolVar(&o.flush, "flush", false, "the server's data may be deleted and its settings changed")
		return func(a *app, patterns []string) (int, error) {
			given := givenIn(fs)
			if given["exec"] && o.exec == "" {
				return 0, usagef("-exec is empty: leave it out to judge the server that comes with Rondo")
			}
			if given["fault-every"] && o.Fault == "" {
				return 0, usagef("-fault-every is the time between faults, and -fault gives none")
			}
			if err := settleAccess(&o.access, given); err != nil {
				return 0, err
			}
			if len(o.targets) > 0 && !given["report"] {
				o.dir = filepath.Join(o.dir, "matrix")
			}
			if len(patterns) > 0 && !given["report"] {
				o.dir = filepath.Join(o.dir, "selected") // the report of everything stays
			}
			return o.run(a, patterns)
		}
	},
}

type runOptions struct {
	check.Options
	access      target.Access
	targets     targetList
	ci          ciOptions
	exec, dir   string
	json, flush bool
}

func (o *runOptions) run(a *app, patterns []string) (int, error) {
	if o.access.Addr != "" && o.exec != "" {
		return 0, usagef("-addr and -exec exclude each other: a server runs already, or is to be started")
	}
	if len(o.targets) > 0 && (o.access.Addr != "" || o.exec != "") {
		return 0, usagef("-target takes the place of -addr, -unix and -exec")
	}
	if o.Slack < 0 || !slices.Contains([]string{"", history.Frozen, history.Live}, o.Profile) {
		return 0, usagef("-clock-slack wants a time that is not negative, -profile frozen or live")
	}
	if o.FaultEvery <= 0 {
		return 0, usagef("-fault-every wants a time above zero")
	}
	if o.Clients < 2 || o.Ops < 0 || o.Duration < 0 {
		return 0, usagef("-clients wants at least 2 (one alone cannot overlap), -ops at least 1, " +
			"-duration a time that is not negative")
	}
	if err := o.ci.read(len(o.targets) > 0); err != nil {
		return 0, err
	}
	if o.Rhythm != nil && len(o.targets) > 0 {
		return 0, usagef("-rhythm is about one server; `rondo-check rhythm` measures several side by side")
	}
	o.Patterns = patterns
	switch _, mixes, err := check.Select(patterns); {
	case err != nil:
		return 0, usageError{err} // before a server is started
	case o.Fault != "" && len(mixes) == 0:
		return 0, usagef("-fault is about histories, and the patterns select none: add 'history/*'")
	}
	if o.Seed == 0 {
		o.Seed = time.Now().UnixNano() % 1_000_000
	}
	if o.dir != "" {
		if err := check.Prepare(o.dir); err != nil {
			return 0, err
		}
	}
	o.Command, o.Dir = o.commandLine(), o.dir
	p := newProgress(a)
	o.Progress = p.show
	if len(o.targets) > 0 {
		return o.matrix(a, p)
	}
	t, err := o.open()
	if err != nil {
		return 0, err
	}
	defer t.Stop()
	if caps := t.Caps(); o.Rhythm != nil && !caps.Empty && !caps.Owned {
		return 0, usagef("-rhythm wants an empty server; -flush allows emptying this one")
	}
	p.line("target  %s at %s, clock profile %s, seed %d", t.Name(), t.Addr(), t.Caps().Profile, o.Seed)
	r, err := check.Run(a.ctx, t, o.Options)
	p.done()
	if err != nil {
		return 0, err
	}
	r.Target.Exec = o.exec
	return o.ci.deliver(a, r.Run, r.Recordings, o.dir, o.json)
}

// commandLine is what runs the same again.
func (o *runOptions) commandLine() string {
	words := []string{"rondo-check", "run"}
	for _, p := range o.Patterns {
		words = append(words, quoteWord(p))
	}
	if flags := o.access.Flags(); flags != "" {
		words = append(words, flags)
	}
	for _, t := range o.targets {
		words = append(words, "-target", quoteWord(t.name+"="+t.where))
	}
	if o.exec != "" {
		words = append(words, "-exec", quoteWord(o.exec))
	}
	if o.flush {
		words = append(words, "-flush")
	}
	if o.Power {
		words = append(words, "-power")
	}
	if o.Rhythm != nil {
		words = append(words, "-rhythm")
	}
	if o.Clients != check.ClientsDefault {
		words = append(words, "-clients", strconv.Itoa(o.Clients))
	}
	if o.Fault != "" {
		words = append(words, "-fault", quoteWord(o.Fault), "-fault-every", o.FaultEvery.String())
	}
	if o.Slack > 0 {
		words = append(words, "-clock-slack", o.Slack.String())
	}
	if o.Profile != "" {
		words = append(words, "-profile", o.Profile)
	}
	if o.Ops != 0 {
		words = append(words, "-ops", strconv.Itoa(o.Ops))
	}
	if o.Quick {
		words = append(words, "-quick")
	}
	if o.As != "" {
		words = append(words, "-as", o.As)
	}
	if o.Engine != "" {
		words = append(words, "-engine", o.Engine)
	}
	if o.Duration > 0 {
		words = append(words, "-duration", o.Duration.String())
	}
	return strings.Join(append(words, "-seed", strconv.FormatInt(o.Seed, 10)), " ")
}

// quoteWord quotes a word for a shell where it needs it.
func quoteWord(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\n'\"\\$`*?[]{}()<>|&;!#~") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// deliver writes and prints a report and returns its exit status.
func (a *app) deliver(r *report.Run, rec *check.Recordings, dir string, asJSON bool) (int, error) {
	if dir != "" {
		if err := check.Write(r, rec, dir); err != nil {
			return 0, err
		}
	}
	var err error
	if asJSON {
		err = report.JSON(a.stdout, r)
	} else {
		err = report.Text(a.stdout, r, a.color())
		if dir != "" {
			fmt.Fprintf(a.stdout, "report  %s\n", filepath.Join(dir, "index.html"))
		}
	}
	return r.Exit(), err
}

func (a *app) color() bool { return a.terminal && os.Getenv("NO_COLOR") == "" }

// progress shows where a long run is: in place on a terminal, a line for each stage, each failure
// and each minute elsewhere. It writes to stderr, so that stdout holds the result alone.
type progress struct {
	a     *app
	shown time.Time
	dirty bool // the terminal's last line is a progress line
}

func newProgress(a *app) *progress { return &progress{a: a} }

const (
	progressEvery     = 100 * time.Millisecond
	progressLineEvery = time.Minute
)

func (p *progress) show(stage, text string) {
	bad := strings.HasPrefix(text, "fail:") || strings.HasPrefix(text, "error:")
	switch {
	case bad:
		p.line("%s", text)
	case text == "" && !p.a.errTerminal:
		p.shown = time.Now()
		p.line("%s", stage)
	case !p.a.errTerminal && time.Since(p.shown) > progressLineEvery:
		p.shown = time.Now()
		p.line("%s  %s", stage, text)
	case p.a.errTerminal && time.Since(p.shown) > progressEvery:
		p.shown, p.dirty = time.Now(), true
		line := stage + "  " + text
		fmt.Fprintf(p.a.stderr, "\r\x1b[K%s", line[:min(len(line), 78)])
	}
}

func (p *progress) line(format string, args ...any) {
	p.done()
	fmt.Fprintf(p.a.stderr, format+"\n", args...)
}

func (p *progress) done() {
	if p.dirty {
		fmt.Fprint(p.a.stderr, "\r\x1b[K")
		p.dirty = false
	}
}

// engineFlag lets the user say who decides histories.
func engineFlag(fs *flag.FlagSet, name *string) {
	fs.Func("engine", "`NAME` of who decides histories: rondo (default); porcupine, which gives up early;\n"+
		"both, which is an error where they disagree", func(s string) error {
		if !linear.IsEngine(s) {
			return errors.New("want rondo, porcupine or both")
		}
		*name = s
		return nil
	})
}

// How recheck uses memory: beyond the limit the garbage collector works as hard as it must.
const (
	recheckGCPercent = 200
	recheckMemory    = 1 << 30
)

var recheckVerb = verb{
	name: "recheck",
	args: "FILE ... [-engine NAME] [-measure] [-timeout TIME] [-unbounded] [-report DIR] [-json]",
	does: "judge recorded histories again, from any recorder",
	help: `
Reads histories (JSON lines, one operation a line) and decides each for timed linearizability.
The files of a report folder and those of any other recorder will do:

  {"meta":{"target":"mine 1.0","profile":"frozen","offset":{"low":1700000000000000000,"high":1700000000000002000}}}
  {"client":3,"call":1203411,"return":1288012,"cmd":["SET","k","v1","PX","50"],"reply":{"simple":"OK"}}
  {"client":4,"call":1210000,"return":1290000,"cmd":["GET","k"],"reply":"v1"}
  {"client":4,"call":1300000,"return":null,"cmd":["INCR","n"]}
  {"client":5,"call":1310000,"return":1390000,"cmd":["EXEC"],"body":[["INCR","n"],["GET","n"]],"reply":[1,"1"]}

  client  one connection's life; a new connection is a new number
  call    nanoseconds just before the last bytes were written; for EXEC, those of EXEC itself
  return  nanoseconds just after the reply was read, on the same clock; null: it never came
  cmd     the words; bytes that are not UTF-8 are {"b64":"..."}. MULTI and QUEUED are no lines
          CLIENT UNBLOCK names the connection by its client number here
  body    of EXEC: the queued commands
  reply   a string (bulk), an integer, null, an array, {"simple":S}, {"error":S}; in RESP3 also
          {"double":S}, {"bool":B}, {"map":[[k,v],...]}, {"set":[...]}; left out if return is null
  n       position on the connection from 1, where operations of one client overlap (pipelines)
  db      default 0

What happened to the server from outside while it was recorded, such as a fault, may stand between
them; it is shown, and no verdict follows from it ("to" null: its end was not seen):

  {"mark":"kill -STOP 4711","from":1400000,"to":1900000,"outcome":"exit status 0"}

The meta line is optional: maxDisorder (ns by which lines may be out of call order; a large file that
says so is judged while it is read, in memory that does not grow with it), target, seed, profile (frozen: one clock reading for a command or a whole
EXEC; live: several), slack (ns by which readings may be old), offset (the server's wall clock less
the clock of call and return, in ns, as a bracket). Without an offset the judge allows any, which
never makes a history illegal wrongly, and says so.

Example:
  rondo-check recheck report/histories/expiry.jsonl`,
	flags: func(fs *flag.FlagSet) func(*app, []string) (int, error) {
		o := check.Options{Unmeasured: true}
		engineFlag(fs, &o.Engine)
		fs.BoolFunc("measure", "also tell how stale the server's clock must be for the history to be legal,\nand which error of expiry would have been convicted", func(string) error {
			o.Unmeasured = false
			return nil
		})
		fs.DurationVar(&o.Timeout, "timeout", 0, "`TIME` for the search of one component (default 20s)")
		fs.BoolVar(&o.Unbounded, "unbounded", false, "porcupine gives up on time alone, whatever it needs of memory")
		dir := fs.String("report", "", "`DIR` to write a report to; none by default")
		asJSON := fs.Bool("json", false, "print JSON instead of the summary")
		return func(a *app, files []string) (int, error) {
			if len(files) == 0 {
				return 0, usageError{errors.New("name at least one history file")}
			}
			// Operations that are read live until they are judged: collecting less often costs memory
			// that is there, up to the limit.
			debug.SetGCPercent(recheckGCPercent)
			debug.SetMemoryLimit(recheckMemory)
			p := newProgress(a)
			o.Progress = p.show
			r, rec, err := check.Recheck(files, o)
			p.done()
			if err != nil {
				return 0, err
			}
			return a.deliver(r, rec, *dir, *asJSON)
		}
	},
}
