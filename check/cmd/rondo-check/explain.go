package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"

	"rondo/check"
	"rondo/check/mutant"
	"rondo/check/mutant/reactor"
	"rondo/check/suite"
	"rondo/spec"
)

var listVerb = verb{
	name: "list", args: "[PATTERN ...]",
	does: "list the cases and histories, with the clauses they show",
	help: `
Lists what "run" would run for the same patterns: a line for each case and history, with the clauses
it shows and what it needs of the server.

Examples:
  rondo-check list
  rondo-check list TIME-3 'script/*'`,
	flags: func(*flag.FlagSet) func(*app, []string) (int, error) {
		return func(a *app, patterns []string) (int, error) {
			cases, err := suite.Select(append(suite.Cases(), check.HistoryCases()...), patterns)
			if err != nil {
				return 0, usageError{err}
			}
			for _, c := range cases {
				needs := ""
				if len(c.Needs) > 0 {
					needs = "  (needs " + strings.Join(c.Needs, ", ") + ")"
				}
				fmt.Fprintf(a.stdout, "%-34s %s%s\n", c.Name, strings.Join(c.Clauses, " "), needs)
			}
			return 0, nil
		}
	},
}

var explainVerb = verb{
	name: "explain", args: "CLAUSE ... | CHAPTER | CASE",
	does: "print a clause: what must hold, why, an example, the evidence",
	help: `
Prints clauses of the specification: the obligation, why it is there, how it is seen, an example that
runs, which cases show it, and which seeded faults break it. A chapter's name (wire, conn, loop,
exec, data, time, order) prints the whole chapter, a case's name (time/edge-of-a-deadline) its
clauses.

Examples:
  rondo-check explain TIME-3
  rondo-check explain order`,
	flags: func(*flag.FlagSet) func(*app, []string) (int, error) {
		return func(a *app, ids []string) (int, error) {
			if len(ids) == 0 {
				return 0, usagef("name a clause, such as TIME-3, or a chapter: %s", strings.Join(spec.Chapters(), ", "))
			}
			for i, id := range ids {
				if i > 0 {
					fmt.Fprintln(a.stdout)
				}
				if err := a.explain(id); err != nil {
					return 0, err
				}
			}
			return 0, nil
		}
	},
}

func (a *app) explain(id string) error {
	if text := spec.Text(strings.ToLower(id)); text != "" {
		fmt.Fprint(a.stdout, text)
		return nil
	}
	for _, named := range append(suite.Cases(), check.HistoryCases()...) {
		if named.Name == id {
			return a.explainCase(named)
		}
	}
	c, ok := spec.Lookup(id)
	if !ok {
		c, ok = spec.Lookup(withDash(id))
	}
	if !ok {
		return usagef("there is no clause or chapter %q; chapters are %s, and `rondo-check list` shows clauses",
			id, strings.Join(spec.Chapters(), ", "))
	}
	fmt.Fprintf(a.stdout, "%s  %s  (spec/%s:%d)\n\n%s\n", c.ID, c.Level, c.File, c.Line, wrap(c.Text, ""))
	a.section("Why", c.Why)
	a.section("Seen by", c.SeenBy)
	a.section("Versions", c.Range)
	for _, example := range c.Examples {
		fmt.Fprintf(a.stdout, "\nExample\n%s\n", indent(strings.TrimSpace(example.Text)))
	}
	a.evidence(c.ID)
	return nil
}

// explainCase says what a case needs, and explains its clauses.
func (a *app) explainCase(c suite.Case) error {
	fmt.Fprintf(a.stdout, "%s shows %s\n", c.Name, strings.Join(c.Clauses, " "))
	for _, id := range c.Clauses {
		fmt.Fprintln(a.stdout)
		if err := a.explain(id); err != nil {
			return err
		}
	}
	return nil
}

// withDash is TIME-3 for TIME3 and time_3.
func withDash(id string) string {
	word := strings.TrimRight(id, "0123456789")
	return strings.TrimRight(word, "-_ ") + "-" + id[len(word):]
}

func (a *app) section(title, text string) {
	if text != "" {
		fmt.Fprintf(a.stdout, "\n%s\n%s\n", title, wrap(text, "  "))
	}
}

// evidence lists the cases that show a clause and the faults that break it.
func (a *app) evidence(id string) {
	var lines []string
	for _, c := range append(suite.Cases(), check.HistoryCases()...) {
		if slices.Contains(c.Clauses, id) {
			lines = append(lines, "case    "+c.Name)
		}
	}
	for _, f := range mutant.Faults {
		if slices.Contains(f.Clauses, id) {
			lines = append(lines, "mutant  "+f.Name+": "+f.Does)
		}
	}
	faults, err := reactor.All()
	if err != nil { // the files are part of this program, and a test reads them all
		panic(err)
	}
	for _, f := range faults {
		if slices.Contains(f.Clauses, id) {
			lines = append(lines, "reactor "+f.Name+": "+f.Does)
		}
	}
	if lines == nil {
		lines = []string{"none in the suite: see \"Seen by\""}
	}
	fmt.Fprintf(a.stdout, "\nEvidence\n%s\n", indent(strings.Join(lines, "\n")))
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }

// wrap breaks text into lines of at most 88 columns.
func wrap(text, prefix string) string {
	const columns = 88
	var lines []string
	line := prefix
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > columns && line != prefix {
			lines = append(lines, line)
			line = prefix
		}
		if line != prefix {
			line += " "
		}
		line += word
	}
	return strings.Join(append(lines, line), "\n")
}
