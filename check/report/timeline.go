package report

import (
	"cmp"
	"fmt"
	"html/template"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"rondo/check/history"
	"rondo/check/linear"
	"rondo/model"
)

// The timeline draws the core of an illegal history: a lane for each client, in it a bar from call
// to return for each operation, numbered as in the text; shaded from top to bottom the interval in
// which a relative deadline must lie, and what was done to the server from outside. The operation
// that contradicts the others is hatched, framed and marked with a cross, so that it stands out
// without colour too. Times count from origin, as in the violation's text. Colours come from the
// page's style, so that they follow dark mode and paper.
//
// Order: what is drawn (drawn), where in time (scale.go), which row of which lane (lanes), then the
// elements from back to front.
const (
	drawLeft    = 76.0
	drawRight   = 14.0
	rowHeight   = 38.0
	barHeight   = 14.0
	bandHeight  = 17.0 // a line of band labels above the lanes
	axisHeight  = 24.0
	letterWidth = 6.9 // of a label, at most on average, in the drawing's units
	boldRatio   = 1.08
	labelChars  = 64 // of a command; half of it of a reply
)

// frame is the room that a drawing has. The page holds two and shows the one that fits: on a phone
// all bars are in view, with shorter labels.
type frame struct {
	class string
	width float64
	chars int // of a command
}

var frames = []frame{{"wide", 1040, labelChars}, {"narrow", 440, 26}}

// bar is an operation and its place.
type bar struct {
	op     history.Op
	number int
	bad    bool
	label  string
	left   float64 // of the bar
	right  float64
	text   float64 // where the label begins
	row    int
}

// shade is a band from the top of a lane to the bottom of the drawing.
type shade struct {
	class, label string
	from, to     int64
	line         int // of labels
}

type drawing struct {
	strings.Builder
	*scale
	frame
	v       Violation
	culprit int // in its core; -1: none is marked
	bars    []bar
	shades  []shade
	lanes   []lane
	top     float64 // where the lanes begin
	height  float64
}

// lane is one client's rows.
type lane struct {
	client, row, rows int
}

// Timeline draws v as a figure; "" if there is nothing to draw.
func Timeline(v Violation) template.HTML { return draw(v, v.culprit()) }

// Unmarked is the timeline of the operations alone, without what a judgement has found.
func Unmarked(v Violation) template.HTML {
	return draw(Violation{Core: v.Core, Tag: v.Tag, Origin: v.Origin, Marks: v.Marks}, -1)
}

func draw(v Violation, culprit int) template.HTML {
	if len(v.Core) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(`<figure><div class="drawn" tabindex="0" role="region" aria-label="timeline">`)
	var d *drawing
	for _, f := range frames {
		d = &drawing{v: v, culprit: culprit, frame: f}
		d.svg()
		b.WriteString(d.String())
	}
	d.Reset()
	d.caption()
	return template.HTML(b.String() + `</div><figcaption>` + d.String() + `</figcaption></figure>`) // every text in it went through escape
}

// svg draws all of it within the frame.
func (d *drawing) svg() {
	d.pick()
	d.place()
	d.shadeLines()
	rows := d.lanes[len(d.lanes)-1].row + d.lanes[len(d.lanes)-1].rows
	d.height = d.top + rowHeight*float64(rows) + axisHeight
	fmt.Fprintf(d, `<svg class="timeline %s" viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">`, d.class, d.width,
		d.height, escape(clip(cmp.Or(d.v.Sentence, "a timeline of the operations"), textBytesMax)))
	d.back()
	for i := range d.bars {
		d.bar(&d.bars[i])
	}
	d.facts()
	d.WriteString(`</svg>`)
}

// pick chooses what is drawn: the last operations, the deadlines they set, the faults they met.
func (d *drawing) pick() {
	skipped := max(0, len(d.v.Core)-drawnMax)
	ops := d.v.Core[skipped:]
	var moments []int64
	for i, op := range ops {
		d.bars = append(d.bars, bar{op: op, number: skipped + i + 1, bad: skipped+i == d.culprit, label: label(op, d.v.Tag, d.chars)})
		moments = append(moments, op.Call)
		if op.Return != history.Never {
			moments = append(moments, op.Return)
		}
	}
	first, last := slices.Min(moments), slices.Max(moments)
	for _, s := range append(d.deadlines(), d.waits()...) {
		moments = append(moments, s.from, s.to)
		d.shades = append(d.shades, s)
	}
	for _, m := range d.v.Marks {
		if m.From <= last && m.To >= first {
			moments = append(moments, min(max(m.From, first), last), min(max(m.To, first), last))
			d.shades = append(d.shades, shade{class: "fault", from: m.From, to: m.To, label: clip(m.Name, d.chars/2)})
		}
	}
	d.scale = newScale(moments, drawLeft, d.width-drawRight)
}

// deadlines are the intervals that the steps give, as the search has found them, each once; without
// any, those that follow from the operations alone.
func (d *drawing) deadlines() []shade {
	var told, alone []shade
	for _, b := range d.bars {
		s := shade{class: "deadline", label: "deadline"}
		if _, sets := relativeMs(b.op.Cmd); sets {
			s.label = fmt.Sprintf("deadline of %d", b.number)
		}
		var ok bool
		if s.from, s.to, ok = d.v.told(b.op); ok && s.to-s.from < vagueNs &&
			!slices.ContainsFunc(told, func(o shade) bool { return o.from == s.from && o.to == s.to }) {
			told = append(told, s)
		}
		if s.from, s.to, ok = Deadline(b.op); ok {
			alone = append(alone, s)
		}
	}
	if told != nil {
		return told
	}
	return alone
}

// waits is when an operation that others have overtaken waited at least.
func (d *drawing) waits() (all []shade) {
	for _, b := range d.bars {
		if from, to, ok := linear.Waited(b.op); ok && d.v.Clause == "BLOCK-5" {
			all = append(all, shade{class: "waits", label: fmt.Sprintf("%d waits", b.number), from: from, to: to})
		}
	}
	return all
}

// vagueNs: an interval this long says nothing.
const vagueNs = 1e9

// told is the deadline that the step of an operation names.
func (v Violation) told(op history.Op) (lo, hi int64, ok bool) {
	for _, step := range v.Steps {
		m := toldDeadline.FindStringSubmatch(step)
		if m == nil || !strings.Contains(step, v.interval(op)) {
			continue
		}
		low, err1 := strconv.ParseFloat(m[1], 64)
		high, err2 := strconv.ParseFloat(m[2], 64)
		return v.Origin + int64(low*1e6), v.Origin + int64(high*1e6), err1 == nil && err2 == nil
	}
	return 0, 0, false
}

var toldDeadline = regexp.MustCompile(`deadline (?:of .* )?in \[(-?[0-9.]+), (-?[0-9.]+)\]$`)

// culprit is the index in Core of the operation that contradicts the others: the one that the
// sentence names, the later of two, or else the last to return; -1 if no contradiction is proven.
func (v Violation) culprit() int {
	if v.Unproven {
		return -1
	}
	last, named := 0, -1
	for i, op := range v.Core {
		if strings.Contains(v.Sentence, fmt.Sprintf("client %d at %s", op.Client, v.interval(op))) {
			named = i
		}
		if op.Return != history.Never && (v.Core[last].Return == history.Never || op.Return >= v.Core[last].Return) {
			last = i
		}
	}
	if named >= 0 {
		return named
	}
	return last
}

// place gives each client a lane, in order of first calls, and each operation the first row of its
// lane in which neither bar nor label touch another.
func (d *drawing) place() {
	var clients []int
	for _, b := range d.bars {
		if !slices.Contains(clients, b.op.Client) {
			clients = append(clients, b.op.Client)
		}
	}
	row := 0
	for _, client := range clients {
		var ends []float64 // of each row of this lane
		for i := range d.bars {
			b := &d.bars[i]
			if b.op.Client != client {
				continue
			}
			from, to := d.extent(b)
			r := slices.IndexFunc(ends, func(end float64) bool { return end <= from })
			if r < 0 {
				r, ends = len(ends), append(ends, 0)
			}
			ends[r], b.row = to, row+r
		}
		d.lanes = append(d.lanes, lane{client, row, len(ends)})
		row += len(ends)
	}
}

// extent is what an operation covers with its bar and its label.
func (d *drawing) extent(b *bar) (from, to float64) {
	b.left, b.right = d.x(b.op.Call), d.x(b.op.Return)
	b.right = max(b.right, b.left+4)
	width := letterWidth*float64(len([]rune(b.label))) + 22
	if b.bad {
		width = width*boldRatio + 14 // the cross
	}
	b.text = max(drawLeft, min(b.left, d.width-drawRight-width))
	return min(b.left, b.text), max(b.right, b.text+width) + 8
}

// shadeLines spreads the labels of bands over as many lines as they need.
func (d *drawing) shadeLines() {
	var ends []float64
	for i := range d.shades {
		s := &d.shades[i]
		from, to := d.labelAt(s)
		line := slices.IndexFunc(ends, func(end float64) bool { return end <= from })
		if line < 0 {
			line, ends = len(ends), append(ends, 0)
		}
		ends[line], s.line = to+8, line
	}
	d.top = bandHeight*float64(len(ends)) + 4
}

func (d *drawing) labelAt(s *shade) (from, to float64) {
	width := letterWidth * float64(len([]rune(s.label)))
	middle := (d.x(s.from) + d.x(s.to)) / 2
	from = min(max(middle-width/2, 0), d.width-width)
	return from, from + width
}

// back draws what lies behind the bars: lanes, axis, bands, breaks.
func (d *drawing) back() {
	bottom := d.height - axisHeight
	for i, l := range d.lanes {
		y := d.top + rowHeight*float64(l.row)
		if i%2 == 0 {
			fmt.Fprintf(d, `<rect class="stripe" x="0" y="%.1f" width="%.0f" height="%.1f"/>`, y, d.width, rowHeight*float64(l.rows))
		}
		fmt.Fprintf(d, `<text class="lane" x="4" y="%.1f">client %d</text>`, y+29, l.client)
	}
	last := -tickGap
	for _, t := range d.ticks(d.v.Origin) {
		x := min(max(d.x(t.ns), drawLeft), d.width-26)
		if x-last < tickGap*0.9 || d.nearBreak(x) {
			continue
		}
		last = x
		fmt.Fprintf(d, `<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/><text class="tick" text-anchor="middle" x="%.1f" y="%.1f">%s</text>`,
			x, x, d.top, bottom+4, x, bottom+18, t.label)
	}
	for _, s := range d.shades {
		from, to := d.x(s.from), d.x(s.to)
		at, _ := d.labelAt(&s)
		y := bandHeight * float64(s.line+1)
		fmt.Fprintf(d, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/><text class="note" x="%.1f" y="%.1f">%s</text>`,
			s.class, from, y, max(to-from, 2), bottom-y, at, y-4, escape(s.label))
	}
	fmt.Fprintf(d, `<line class="axis" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, drawLeft, d.width, bottom, bottom)
	for _, p := range d.pieces {
		if p.broken {
			d.gap(p, bottom)
		}
	}
}

// nearBreak says that a label at x would touch that of a break of the axis.
func (d *drawing) nearBreak(x float64) bool {
	return slices.ContainsFunc(d.pieces, func(p piece) bool {
		return p.broken && x > (p.x0+p.x1)/2-tickGap && x < (p.x0+p.x1)/2+tickGap
	})
}

// gap marks a break of the axis by two zigzags.
func (d *drawing) gap(p piece, bottom float64) {
	middle := (p.x0 + p.x1) / 2
	fmt.Fprintf(d, `<rect class="gap" x="%.1f" y="%.1f" width="10" height="%.1f"/>`, middle-5, d.top, bottom+6-d.top)
	for _, x := range []float64{middle - 5, middle + 5} {
		fmt.Fprintf(d, `<path class="cut" d="M%.1f %.1f`, x, d.top)
		for y, side := d.top, 3.0; y < bottom; y, side = y+12, -side {
			fmt.Fprintf(d, `L%.1f %.1f`, x+side, min(y+12, bottom+6))
		}
		d.WriteString(`"/>`)
	}
	fmt.Fprintf(d, `<text class="tick" text-anchor="middle" x="%.1f" y="%.1f">⋯ %v ⋯</text>`, middle, bottom+18,
		time.Duration(p.to-p.from).Round(time.Millisecond))
}

// bar draws an operation: its number in a disc, its label, and the bar below them.
func (d *drawing) bar(b *bar) {
	y := d.top + rowHeight*float64(b.row)
	class, mark, labelClass := "op", "", "label"
	switch {
	case b.bad:
		class, mark, labelClass = "bad", "✗ ", "badlabel"
	case b.op.Return == history.Never:
		class = "lost"
	}
	fmt.Fprintf(d, `<g><title>%s</title><rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.0f" rx="3"/>`,
		escape(fmt.Sprintf("%d: client %d, %s: %s", b.number, b.op.Client, d.v.interval(b.op)+" ms", b.label)),
		class, b.left, y+20, b.right-b.left, barHeight)
	if b.bad {
		for x := b.left + 4; x+7 < b.right; x += 8 {
			fmt.Fprintf(d, `<line class="hatch" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, x, x+7, y+20+barHeight-1, y+21)
		}
	}
	fmt.Fprintf(d, `<circle class="disc" cx="%.1f" cy="%.1f" r="7.5"/><text class="number" text-anchor="middle" x="%.1f" y="%.1f">%d</text>`,
		b.text+7.5, y+10, b.text+7.5, y+14, b.number)
	fmt.Fprintf(d, `<text class="%s" x="%.1f" y="%.1f">%s%s</text></g>`, labelClass, b.text+19, y+14, mark, escape(b.label))
}

// facts letters the ends of bars that the chain of facts names; several at one end stand side by
// side.
func (d *drawing) facts() {
	const wide = 15.0
	taken := map[[2]int]float64{}
	for i, f := range d.v.facts() {
		at := slices.IndexFunc(d.bars, func(b bar) bool { return b.number == f.op+1 })
		if f.op < 0 || at < 0 {
			continue
		}
		b := d.bars[at]
		x := map[edge]float64{atCall: b.left, atReturn: b.right, atReply: (b.left + b.right) / 2}[f.edge]
		x += taken[[2]int{at, int(f.edge)}]
		taken[[2]int{at, int(f.edge)}] += wide
		y := d.top + rowHeight*float64(b.row) + 20 + barHeight/2
		fmt.Fprintf(d, `<g class="fact"><circle cx="%.1f" cy="%.1f" r="7"/><text text-anchor="middle" x="%.1f" y="%.1f">%s</text></g>`,
			x, y, x, y+4, letter(i))
	}
}

// caption says how to read the drawing, and what it leaves out.
func (d *drawing) caption() {
	d.WriteString(`A bar lasts from call to return.`)
	if d.culprit >= 0 {
		d.WriteString(` ✗ hatched: the operation that cannot be.`)
	}
	has := func(class string) bool {
		return slices.ContainsFunc(d.shades, func(s shade) bool { return s.class == class })
	}
	if has("deadline") {
		d.WriteString(` Shaded: where the deadline that an operation sets must lie.`)
	}
	if has("waits") {
		d.WriteString(` Shaded: when an operation that was answered null waited at least.`)
	}
	if has("fault") {
		d.WriteString(` Dotted: what was done to the server from outside.`)
	}
	if slices.ContainsFunc(d.v.facts(), func(f fact) bool { return f.op >= 0 }) {
		d.WriteString(` Letters: the facts below.`)
	}
	if slices.ContainsFunc(d.bars, func(b bar) bool { return b.op.Return == history.Never }) {
		d.WriteString(` A dashed bar was never answered.`)
	}
	if left := len(d.v.Core) - len(d.bars); left > 0 {
		fmt.Fprintf(d, " %s not drawn.", plural(left, "earlier operation"))
	}
}

// Deadline is the interval, on the client's clock, of the deadline that op sets relative to the
// server's reading, which is cut to the millisecond: [call+n-1ms, return+n].
func Deadline(op history.Op) (lo, hi int64, ok bool) {
	if len(op.Cmd) < 3 || op.Return == history.Never || op.Reply.IsNull() || op.Reply.Kind == model.Error {
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

// Label is an operation on one line, shortened.
func Label(op history.Op) string { return label(op, "", labelChars) }

// label is the command and its reply, without the keys' common tag.
func label(op history.Op, tag string, chars int) string {
	text, reply := words(op), "no reply"
	if op.Reply != nil {
		reply = op.Reply.String()
	}
	if tag != "" { // who has waited is told at which key
		text, reply = strings.ReplaceAll(text, tag, ""), strings.ReplaceAll(reply, tag, "")
	}
	return clip(text, chars) + " → " + clip(reply, chars/2)
}

// words is what was asked for.
func words(op history.Op) string {
	if len(op.Body) == 0 {
		return line(op.Cmd)
	}
	bodies := make([]string, len(op.Body))
	for i, cmd := range op.Body {
		bodies[i] = line(cmd)
	}
	return "EXEC of [" + strings.Join(bodies, "; ") + "]"
}

// line is a command as a person would type it.
func line(cmd [][]byte) string {
	words := make([]string, len(cmd))
	for i, w := range cmd {
		words[i] = printable(w)
	}
	return strings.Join(words, " ")
}

func printable(b []byte) string {
	q := strconv.Quote(string(b[:min(len(b), 2*labelChars)]))
	return q[1 : len(q)-1]
}

func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

func escape(s string) string { return template.HTMLEscapeString(s) }
