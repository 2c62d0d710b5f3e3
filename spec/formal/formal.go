// Package formal is the machine-checked model of the loop: four models in Promela, and what runs them.
//
//	reactor.pml   bytes, buffers, readiness, and one key with a deadline      P1 to P8
//	live.pml      clients without end: who is served, and when                L1, L2
//	block.pml     commands that wait                                          B1 to B5
//	output.pml    replies that nobody takes                                   O1, O2
//
// Spin looks at every state that a model can reach within its bounds. What bounds there are stands in
// plan.go, and beside them the faults: for each property a model with one error, which must be found
// within the same bounds, or the bounds would be too small to show anything. README.md tells how to
// read all this.
//
//	plan.go     what is run: bounds and faults
//	spin.go     one run: spin, the C compiler, the verifier, and how it is judged
//	cover.go    what of a model was never reached
//	trail.go    a counterexample as a table
//	report.go   all runs, and the table of them
package formal

import (
	"embed"
	"fmt"
	"regexp"
	"strings"
)

//go:embed *.pml *.h
var files embed.FS

// Models are their names, the smallest first.
var Models = []string{"reactor", "live", "block", "output"}

// Property is what a model shows, as its header says it.
type Property struct {
	ID      string // "P1"
	Name    string // "WholeFrames"
	Model   string
	Clauses []string // that it stands for
	Text    string
}

// property is an entry of a header: the name, the clauses, and a text that goes on to the next entry.
var property = regexp.MustCompile(`(?m)^ \*   ([A-Z][0-9]) ([A-Za-z]+) \(([^)]*)\): ((?:.*\n)(?: \*      .*\n)*)`)

var between = regexp.MustCompile(`\s*\n \*\s*`)

// Properties reads the headers of the models.
func Properties() []Property {
	var all []Property
	for _, model := range Models {
		for _, m := range property.FindAllStringSubmatch(Source(model), -1) {
			text := strings.TrimSpace(between.ReplaceAllString(m[4], " "))
			all = append(all, Property{m[1], m[2], model, strings.Split(m[3], ", "), text})
		}
	}
	return all
}

// Lookup finds a property by its ID.
func Lookup(id string) (Property, bool) {
	for _, p := range Properties() {
		if p.ID == id {
			return p, true
		}
	}
	return Property{}, false
}

// Source is the text of a model.
func Source(model string) string {
	text, err := files.ReadFile(model + ".pml")
	if err != nil {
		panic(fmt.Sprintf("formal: no model %q: %v", model, err)) // the names are constants
	}
	return string(text)
}
