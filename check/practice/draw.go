package practice

import (
	"fmt"
	"slices"
	"strings"

	"rondo/check/history"
	"rondo/check/report"
)

// In a terminal the moments of a recording stand at equal distances, whatever time lies between
// them: what counts is what came before what. A bar reaches from call to return with the operation's
// number in it, a lane is a client.
//
//	client 1  |-1--|    |-2--|
//	client 2                   |-3--|
const (
	laneWidth  = 11
	columnsMax = 78
	stepMin    = 3
	stepMax    = 12
)

// canvas is rows of letters that grow as they are written to.
type canvas struct{ rows [][]rune }

func (c *canvas) write(row, column int, text string) {
	for len(c.rows) <= row {
		c.rows = append(c.rows, nil)
	}
	for i, letter := range []rune(text) {
		for len(c.rows[row]) <= column+i {
			c.rows[row] = append(c.rows[row], ' ')
		}
		c.rows[row][column+i] = letter
	}
}

// Draw is the picture and the list below it.
func (s *Scenario) Draw() string {
	var b strings.Builder
	if s.Wire != nil {
		for _, l := range s.Wire {
			fmt.Fprintf(&b, "  %s\n", l)
		}
		b.WriteString("\n")
	} else {
		for _, row := range s.lanes() {
			fmt.Fprintf(&b, "  %s\n", strings.TrimRight(row, " "))
		}
		b.WriteString("\n")
	}
	for _, row := range s.list() {
		fmt.Fprintf(&b, "  %s\n", row)
	}
	return b.String()
}

// lanes draws the bars, and below them the intervals in which deadlines lie.
func (s *Scenario) lanes() []string {
	ops := s.History.Ops
	var moments []int64
	for _, op := range ops {
		moments = append(moments, op.Call)
		if op.Return != history.Never {
			moments = append(moments, op.Return)
		}
		if lo, hi, ok := report.Deadline(op); ok {
			moments = append(moments, lo, hi)
		}
	}
	slices.Sort(moments)
	moments = slices.Compact(moments)
	step := max(stepMin, min(stepMax, (columnsMax-laneWidth)/(len(moments)+1)))
	column := func(ns int64) int {
		i, _ := slices.BinarySearch(moments, ns) // Never lies behind them all
		return laneWidth + step*i
	}
	var c canvas
	row, clients := 0, []int{}
	for _, op := range ops {
		if slices.Contains(clients, op.Client) {
			continue
		}
		clients = append(clients, op.Client)
		c.write(row, 0, fmt.Sprintf("client %d", op.Client))
		row = drawLane(&c, row, ops, op.Client, column)
	}
	for i, op := range ops {
		if lo, hi, ok := report.Deadline(op); ok {
			c.write(row, 0, fmt.Sprintf("deadline %d", i+1))
			c.write(row, column(lo), "["+strings.Repeat("~", max(0, column(hi)-column(lo)-1))+"]")
			row++
		}
	}
	out := make([]string, len(c.rows))
	for i, r := range c.rows {
		out[i] = string(r)
	}
	return out
}

// drawLane draws the operations of one client, those that overlap below each other, and gives the
// row after them.
func drawLane(c *canvas, row int, ops []history.Op, client int, column func(int64) int) int {
	var ends []int
	for i, op := range ops {
		if op.Client != client {
			continue
		}
		from, to := column(op.Call), column(op.Return)
		r := slices.IndexFunc(ends, func(end int) bool { return end < from })
		if r < 0 {
			r, ends = len(ends), append(ends, 0)
		}
		ends[r] = to
		c.write(row+r, from, bar(i+1, to-from, op.Return == history.Never))
	}
	return row + len(ends)
}

// bar is |--3--|, with an arrow for an operation that was never answered.
func bar(number, width int, lost bool) string {
	text := fmt.Sprint(number)
	if width < len(text)+1 {
		return text
	}
	left := (width - 1 - len(text)) / 2
	end := "|"
	if lost {
		end = ">"
	}
	return "|" + strings.Repeat("-", left) + text + strings.Repeat("-", width-1-len(text)-left) + end
}

// list is a line for each operation.
func (s *Scenario) list() []string {
	width := 0
	for _, op := range s.History.Ops {
		width = max(width, len(s.interval(op)))
	}
	out := make([]string, len(s.History.Ops))
	for i, op := range s.History.Ops {
		out[i] = fmt.Sprintf("%d  client %d  %-*s  %s", i+1, op.Client, width, s.interval(op), report.Label(op))
	}
	return out
}

func (s *Scenario) interval(op history.Op) string {
	ms := func(ns int64) string { return fmt.Sprintf("%.3f", float64(ns-s.origin())/1e6) }
	if op.Return == history.Never {
		return "[" + ms(op.Call) + ", never] ms"
	}
	return "[" + ms(op.Call) + ", " + ms(op.Return) + "] ms"
}
