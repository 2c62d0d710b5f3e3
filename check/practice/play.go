package practice

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Player asks a person.
type Player struct {
	In    io.Reader
	Out   io.Writer
	Color bool

	lines  *bufio.Scanner
	points int
	most   int
	ended  bool
}

// List names the scenarios.
func List(w io.Writer, all []*Scenario) {
	for i, s := range all {
		fmt.Fprintf(w, "%2d  %-18s %s\n", i+1, s.Name, s.Title)
	}
}

// Pick finds scenarios by number or name.
func Pick(all []*Scenario, words []string) ([]int, error) {
	var out []int
	for _, word := range words {
		n, err := strconv.Atoi(word)
		i := n - 1
		if err != nil {
			i = slices.IndexFunc(all, func(s *Scenario) bool { return s.Name == word })
		}
		if i < 0 || i >= len(all) {
			return nil, fmt.Errorf("there is no scenario %q; they are numbered 1 to %d, and -list names them", word, len(all))
		}
		out = append(out, i)
	}
	return out, nil
}

const hint = `A bar lasts from call to return. Something is allowed if one order of effects, each inside its bar, and
one reading of the server's clock for each, explain every reply. Answer y, n, or q to stop.
`

// Play asks about the chosen scenarios and tells the score.
func (p *Player) Play(all []*Scenario, chosen []int) {
	p.lines = bufio.NewScanner(p.In)
	fmt.Fprintf(p.Out, "%s", hint)
	for _, i := range chosen {
		p.show(i, all[i])
		p.question(all[i])
		if p.ended {
			break
		}
	}
	if p.most > 0 {
		fmt.Fprintf(p.Out, "\n%d of %d points\n", p.points, p.most)
	}
}

// Answers prints the chosen scenarios with what the engine says, and asks nothing.
func (p *Player) Answers(all []*Scenario, chosen []int) {
	for _, i := range chosen {
		p.show(i, all[i])
		p.explain(all[i], all[i].Judge())
	}
}

// Show prints the chosen scenarios alone.
func (p *Player) Show(all []*Scenario, chosen []int) {
	for _, i := range chosen {
		p.show(i, all[i])
	}
}

func (p *Player) show(i int, s *Scenario) {
	fmt.Fprintf(p.Out, "\n%s\n%s\n\n%s\n", p.paint("1", fmt.Sprintf("%d. %s", i+1, s.Title)), wrap(s.Story), s.Draw())
}

// question is worth a point for the verdict, and one for the operation where there is one.
func (p *Player) question(s *Scenario) {
	j := s.Judge()
	said, ok := p.ask("Is this allowed? [y/n] ", "y", "n")
	if !ok {
		return
	}
	p.most++
	if (said == "y") == j.Allowed {
		p.points++
		p.say("32", "Right.")
	} else {
		p.say("31", "No.")
	}
	if !j.Allowed {
		p.most++
		if said == "n" {
			p.which(s, j)
		}
	}
	if !p.ended {
		p.explain(s, j)
	}
}

func (p *Player) which(s *Scenario, j Judgement) {
	var numbers []string
	for i := range s.History.Ops {
		numbers = append(numbers, strconv.Itoa(i+1))
	}
	said, ok := p.ask(fmt.Sprintf("Which operation cannot be? [1-%d] ", len(numbers)), numbers...)
	if !ok {
		return
	}
	if n, _ := strconv.Atoi(said); slices.Contains(j.Cannot, n-1) {
		p.points++
		p.say("32", "Right.")
		return
	}
	p.say("31", "No: without its reply the rest is still not allowed.")
}

// ask repeats a question until one of the answers is given; not ok at the end of the input.
func (p *Player) ask(question string, answers ...string) (string, bool) {
	for {
		fmt.Fprint(p.Out, question)
		if !p.lines.Scan() {
			fmt.Fprintln(p.Out)
			p.ended = true
			return "", false
		}
		said := strings.ToLower(strings.TrimSpace(p.lines.Text()))
		if said == "q" {
			p.ended = true
			return "", false
		}
		for _, a := range answers {
			if said == a || len(said) > 1 && (a == "y" && said == "yes" || a == "n" && said == "no") {
				return a, true
			}
		}
	}
}

// explain tells what the engine found, and the lesson.
func (p *Player) explain(s *Scenario, j Judgement) {
	if !j.Allowed {
		fmt.Fprintf(p.Out, "%s\n", wrap(p.paint("31", j.Clause)+": "+j.Sentence))
		fmt.Fprintf(p.Out, "%s\n", j.Culprits())
	}
	fmt.Fprintf(p.Out, "%s\n", wrap(s.Lesson))
	fmt.Fprintf(p.Out, "(recorded from %s)\n", s.recordedFrom())
}

// Culprits is the answer to "which operation cannot be?" as a sentence.
func (j Judgement) Culprits() string {
	var numbers []string
	for _, i := range j.Cannot {
		numbers = append(numbers, strconv.Itoa(i+1))
	}
	if len(numbers) == 1 {
		return "It is operation " + numbers[0] + " that cannot be."
	}
	last := len(numbers) - 1
	list := strings.Join(numbers[:last], ", ") + " and " + numbers[last]
	if j.Each {
		return "Operations " + list + " cannot be, whatever the others answered."
	}
	return "Operations " + list + " cannot all be: without the reply of any one of them the rest is allowed."
}

func (s *Scenario) recordedFrom() string {
	if s.History.Meta.Target == "" {
		return "one connection, byte by byte"
	}
	return s.History.Meta.Target
}

func (p *Player) say(code, text string) { fmt.Fprintln(p.Out, p.paint(code, text)) }

func (p *Player) paint(code, text string) string {
	if !p.Color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// wrap breaks text into lines.
func wrap(text string) string {
	const columns = 92
	var b strings.Builder
	at := 0
	for i, word := range strings.Fields(text) {
		if i > 0 && at+1+len(word) > columns {
			b.WriteString("\n")
			at = 0
		} else if i > 0 {
			b.WriteString(" ")
			at++
		}
		b.WriteString(word)
		at += len(word)
	}
	return b.String()
}
