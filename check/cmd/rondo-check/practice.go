package main

import (
	"flag"
	"fmt"
	"os"

	"rondo/check/practice"
)

var practiceVerb = verb{
	name: "practice", args: "[N | NAME ...] [-list] [-answers] [-html FILE]",
	does: "learn: is this recording allowed, and if not, which operation cannot be?",
	help: `
Shows short recordings of servers, correct ones and ones with a deliberate fault, as lanes and bars or as
bytes, and asks of each: is this allowed, and if not, which operation cannot be? They go from a stale read
over deadlines, lost replies, pipelines and transactions to clocks. The engine that judges servers judges
the recording and the answer, and explains. A right verdict is a point, the right operation another.

Where standard input is not a terminal the answers are read from it, a line each.

Examples:
  rondo-check practice
  rondo-check practice 3 tie
  rondo-check practice -list
  rondo-check practice -answers 7
  rondo-check practice -html practice.html`,
	flags: func(fs *flag.FlagSet) func(*app, []string) (int, error) {
		list := fs.Bool("list", false, "only list the scenarios")
		answers := fs.Bool("answers", false, "print scenarios with their answers, ask nothing")
		file := fs.String("html", "", "write all scenarios as one page to `FILE`")
		return func(a *app, words []string) (int, error) {
			all, err := practice.All()
			if err != nil {
				return 0, err
			}
			chosen, err := practice.Pick(all, words)
			if err != nil {
				return 0, usageError{err}
			}
			if len(words) == 0 {
				for i := range all {
					chosen = append(chosen, i)
				}
			}
			p := &practice.Player{In: a.stdin, Out: a.stdout, Color: a.color()}
			switch {
			case *list:
				practice.List(a.stdout, all)
			case *file != "":
				return 0, writePractice(a, *file, all)
			case *answers:
				p.Answers(all, chosen)
			default:
				p.Play(all, chosen)
			}
			return 0, nil
		}
	},
}

func writePractice(a *app, file string, all []*practice.Scenario) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := practice.HTML(f, all); err != nil {
		f.Close()
		return err
	}
	fmt.Fprintf(a.stdout, "practice  %s\n", file)
	return f.Close()
}
