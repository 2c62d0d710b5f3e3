package explore

import (
	"fmt"
	"strings"
)

// Paste is a schedule as the body of a Go test: make is how its world is made there, a call that
// gives a World and an error.
func Paste(name, make string, schedule []Action) string {
	var b strings.Builder
	fmt.Fprintf(&b, "func Test%s(t *testing.T) {\n\tw, err := %s\n\tif err != nil {\n\t\tt.Fatal(err)\n\t}\n", name, make)
	b.WriteString("\tfor _, act := range []explore.Action{\n")
	for _, act := range schedule {
		fmt.Fprintf(&b, "\t\t%v,\n", act)
	}
	b.WriteString("\t} {\n\t\tif err := w.Do(act); err != nil {\n\t\t\tt.Fatal(err)\n\t\t}\n\t}\n" +
		"\tif err := w.Rest(); err != nil {\n\t\tt.Fatal(err)\n\t}\n}\n")
	return b.String()
}
