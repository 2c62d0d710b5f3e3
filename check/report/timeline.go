package report

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"rondo/check/history"
)

// The timeline draws the core of an illegal history: a lane for each client, a bar for each
// operation from its call to its return, and, below an operation that sets a relative deadline,
// the interval that the deadline must lie in. The last operation is the one that contradicts the
// others and is drawn in red. Colours come from the page's style, so that it follows dark mode.
const (
	drawWidth  = 900.0
	drawLeft   = 84.0
	drawRight  = 40.0
	laneHeight = 56.0
	axisHeight = 28.0
	labelChars = 44
)

type drawing struct {
	strings.Builder
	from, to int64 // ns
	lanes    map[int]int
}

func timeline(ops []history.Op) template.HTML {
	if len(ops) == 0 {
		return ""
	}
	d := &drawing{lanes: map[int]int{}}
	d.span(ops)
	height := laneHeight*float64(len(d.lanes)) + axisHeight
	fmt.Fprintf(d, `<svg class="timeline" viewBox="0 0 %.0f %.0f" role="img" aria-label="timeline">`,
		drawLeft+drawWidth+drawRight, height+8)
	for i, op := range ops {
		d.operation(op, i == len(ops)-1)
	}
	d.axis(height)
	d.WriteString(`</svg>`)
	return template.HTML(d.String()) // every text in it went through escape
}

// span finds the lanes and the stretch of time to draw, deadlines included.
func (d *drawing) span(ops []history.Op) {
	d.from, d.to = ops[0].Call, ops[0].Call
	for _, op := range ops {
		if _, ok := d.lanes[op.Client]; !ok {
			d.lanes[op.Client] = len(d.lanes)
		}
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
	d.from -= pad
	d.to += pad
}

func (d *drawing) x(ns int64) float64 {
	ns = min(max(ns, d.from), d.to)
	return drawLeft + drawWidth*float64(ns-d.from)/float64(d.to-d.from)
}

func (d *drawing) operation(op history.Op, contradicts bool) {
	y := laneHeight * float64(d.lanes[op.Client])
	left, right := d.x(op.Call), d.x(op.Return)
	class := "op"
	if contradicts {
		class = "op bad"
	}
	fmt.Fprintf(d, `<text class="lane" x="4" y="%.1f">client %d</text>`, y+30, op.Client)
	if lo, hi, ok := deadline(op); ok && lo < d.to {
		fmt.Fprintf(d, `<rect class="deadline" x="%.1f" y="%.1f" width="%.1f" height="10"/>`,
			d.x(lo), y+38, max(d.x(hi)-d.x(lo), 2))
		fmt.Fprintf(d, `<text class="note" x="%.1f" y="%.1f">deadline</text>`, d.x(hi)+4, y+47)
	}
	fmt.Fprintf(d, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="16" rx="3"/>`,
		class, left, y+18, max(right-left, 3))
	label, anchor, at := operationLabel(op), "start", left
	if left > drawLeft+drawWidth/2 {
		anchor, at = "end", right
	}
	fmt.Fprintf(d, `<text class="%s" text-anchor="%s" x="%.1f" y="%.1f">%s</text>`,
		"label", anchor, at, y+13, escape(label))
}

func (d *drawing) axis(height float64) {
	y := height - axisHeight + 8
	fmt.Fprintf(d, `<line class="axis" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, drawLeft, drawLeft+drawWidth, y, y)
	const ticks = 6
	for i := range ticks + 1 {
		ns := d.from + (d.to-d.from)*int64(i)/ticks
		fmt.Fprintf(d, `<text class="tick" text-anchor="middle" x="%.1f" y="%.1f">%.2f ms</text>`,
			d.x(ns), y+16, float64(ns-d.from)/1e6)
	}
}

// deadline is the interval, on the client's clock, of the deadline that op sets relative to the
// server's reading: [call+n, return+n] to the millisecond.
func deadline(op history.Op) (lo, hi int64, ok bool) {
	if len(op.Cmd) < 3 || op.Return == history.Never {
		return 0, 0, false
	}
	ms, found := relativeMs(op.Cmd)
	if !found || ms > 3_600_000 {
		return 0, 0, false
	}
	return op.Call + ms*1e6, op.Return + ms*1e6, true
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

func operationLabel(op history.Op) string {
	words := make([]string, len(op.Cmd))
	for i, w := range op.Cmd {
		words[i] = printable(w)
	}
	text := strings.Join(words, " ")
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
