package report

import (
	"fmt"
	"io"
	"strings"
)

// Detection is the check of the judge of histories: how many of some simulated recordings with a
// seeded bug it convicts, for each bug and for each slack that it has to grant the clock.
type Detection struct {
	Conditions string         `json:"conditions"` // of the recordings, in one line
	Slacks     []string       `json:"slacks"`
	Rows       []DetectionRow `json:"rows"`
	TookMs     int64          `json:"tookMs"`
}

// DetectionRow is one bug.
type DetectionRow struct {
	Bug   string          `json:"bug"`
	Cells []DetectionCell `json:"cells"` // by slack
}

// DetectionCell is one bug under one slack: "10 (240)" is ten recordings convicted, the median
// after 240 operations.
type DetectionCell struct {
	Found string `json:"found"`
	Bar   string `json:"bar,omitempty"` // what the prototype of the engine found
	Below bool   `json:"below,omitempty"`
}

// Below counts the cells that fall behind the bar.
func (d *Detection) Below() int {
	n := 0
	for _, r := range d.Rows {
		for _, c := range r.Cells {
			if c.Below {
				n++
			}
		}
	}
	return n
}

// Markdown prints the table.
func (d *Detection) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s; in brackets the median of operations until the conviction, and after the bar"+
		" what the prototype reached\n\n| bug | slack %s |\n|---|%s\n", d.Conditions,
		strings.Join(d.Slacks, " | "), strings.Repeat("---|", len(d.Slacks)))
	for _, r := range d.Rows {
		fmt.Fprintf(&b, "| %s |", r.Bug)
		for _, c := range r.Cells {
			b.WriteString(" " + c.text() + " |")
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (c DetectionCell) text() string {
	text := c.Found
	if c.Below {
		text = "**" + text + "**"
	}
	if c.Bar != "" {
		text += " / " + c.Bar
	}
	return text
}
