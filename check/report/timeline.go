package report

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"rondo/check/history"
)

// The timeline draws the core of an illegal history: a row for each operation with a bar from its
// call to its return and, if it sets a relative deadline, the interval that the deadline must lie
// in. The last operation is the one that contradicts the others and is drawn in red. Times count
// from origin, as in the violation's text. Colours come from the page's style, so that they follow
// dark mode.
const (
	drawWidth  = 900.0
	drawLeft   = 84.0
	drawRight  = 40.0
	rowHeight  = 46.0
	axisHeight = 28.0
	axisTicks  = 6
	labelChars = 60
)

type drawing struct {
	strings.Builder
	tag              string
	origin, from, to int64 // ns
}

func timeline(v Violation) template.HTML {
	if len(v.Core) == 0 {
		return ""
	}
	d := &drawing{origin: v.Origin, tag: v.Tag}
	d.span(v.Core)
	height := rowHeight*float64(len(v.Core)) + axisHeight
	fmt.Fprintf(d, `<svg class="timeline" viewBox="0 0 %.0f %.0f" role="img" aria-label="timeline">`,
		drawLeft+drawWidth+drawRight, height+8)
	for i, op := range v.Core {
		d.operation(op, rowHeight*float64(i), i == len(v.Core)-1)
	}
	d.axis(height - axisHeight + 8)
	d.WriteString(`</svg>`)
	return template.HTML(d.String()) // every text in it went through escape
}

// span finds the stretch of time to draw: all calls and returns, and the deadlines unless they
// are so far off that the operations would shrink to nothing.
func (d *drawing) span(ops []history.Op) {
	d.from, d.to = ops[0].Call, ops[0].Call
	for _, op := range ops {
		d.from, d.to = min(d.from, op.Call), max(d.to, op.Call)
		if op.Return != history.Never {
			d.to = max(d.to, op.Return)
		}
	}
	end := d.to
	for _, op := range ops {
		if lo, hi, ok := deadline(op); ok && lo < end+(end-d.from) {
			d.to = max(d.to, hi)
		}
	}
	pad := max((d.to-d.from)/20, 1000)
	d.from = max(d.from-pad, d.origin)
	d.to += pad
}

func (d *drawing) x(ns int64) float64 {
	ns = min(max(ns, d.from), d.to)
	return drawLeft + drawWidth*float64(ns-d.from)/float64(d.to-d.from)
}

func (d *drawing) operation(op history.Op, y float64, contradicts bool) {
	left, right := d.x(op.Call), d.x(op.Return)
	class := "op"
	if contradicts {
		class = "op bad"
	}
	fmt.Fprintf(d, `<text class="lane" x="4" y="%.1f">client %d</text>`, y+30, op.Client)
	if lo, hi, ok := deadline(op); ok && lo < d.to {
		fmt.Fprintf(d, `<rect class="deadline" x="%.1f" y="%.1f" width="%.1f" height="16"/>`,
			d.x(lo), y+18, max(d.x(hi)-d.x(lo), 2))
		fmt.Fprintf(d, `<text class="note" x="%.1f" y="%.1f">deadline</text>`, d.x(hi)+4, y+30)
	}
	fmt.Fprintf(d, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="16" rx="3"/>`,
		class, left, y+18, max(right-left, 3))
	anchor, at := "start", left
	if left > drawLeft+drawWidth/2 {
		anchor, at = "end", right
	}
	fmt.Fprintf(d, `<text class="label" text-anchor="%s" x="%.1f" y="%.1f">%s</text>`,
		anchor, at, y+13, escape(d.label(op)))
}

func (d *drawing) axis(y float64) {
	fmt.Fprintf(d, `<line class="axis" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, drawLeft, drawLeft+drawWidth, y, y)
	for i := range axisTicks + 1 {
		ns := d.from + (d.to-d.from)*int64(i)/axisTicks
		fmt.Fprintf(d, `<text class="tick" text-anchor="middle" x="%.1f" y="%.1f">%.2f ms</text>`,
			d.x(ns), y+16, float64(ns-d.origin)/1e6)
	}
}

// deadline is the interval, on the client's clock, of the deadline that op sets relative to the
// server's reading, which is cut to the millisecond: [call+n-1ms, return+n].
func deadline(op history.Op) (lo, hi int64, ok bool) {
	if len(op.Cmd) < 3 || op.Return == history.Never {
		return 0, 0, false
	}
	ms, found := relativeMs(op.Cmd)
	if !found || ms > 3_600_000 {
		return 0, 0, false
	}
	return op.Call + (ms-1)*1e6, op.Return + ms*1e6, true
}

func relativeMs(cmd [][]byte) (int64, bool) {
	number := func(i int, unit int64) (int64, bool) {
		if i >= len(cmd) {
			return 0, false
		}
		n, err := strconv.ParseInt(string(cmd[i]), 10, 64)
		return n * unit, err == nil && n > 0 && n < 1e10
	}
	switch strings.ToUpper(string(cmd[0])) {
	case "PEXPIRE", "PSETEX":
		return number(2, 1)
	case "EXPIRE", "SETEX":
		return number(2, 1000)
	}
	for i := 2; i < len(cmd); i++ {
		switch strings.ToUpper(string(cmd[i])) {
		case "PX":
			return number(i+1, 1)
		case "EX":
			return number(i+1, 1000)
		}
	}
	return 0, false
}

// label is the command and its reply, without the keys' common tag.
func (d *drawing) label(op history.Op) string {
	words := make([]string, len(op.Cmd))
	for i, w := range op.Cmd {
		words[i] = printable(w)
	}
	text := strings.Join(words, " ")
	if d.tag != "" {
		text = strings.ReplaceAll(text, d.tag, "")
	}
	if len(op.Body) > 0 {
		text = fmt.Sprintf("EXEC of %d commands", len(op.Body))
	}
	reply := "no reply"
	if op.Reply != nil {
		reply = op.Reply.String()
	}
	return clip(text, labelChars) + " → " + clip(reply, labelChars/2)
}

func printable(b []byte) string {
	q := strconv.Quote(string(b))
	return q[1 : len(q)-1]
}

func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

func escape(s string) string { return template.HTMLEscapeString(s) }
