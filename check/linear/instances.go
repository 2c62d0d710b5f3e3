package linear

import (
	"cmp"
	"slices"
)

// This file tells values apart that look alike. A counter that is deleted counts 1, 2, 3 again, and
// each of these values is made many times; but whoever read the 3 can mostly have met only one of
// them. Let n need v, and let p be one of those that make v. If p has returned before some q is called
// which kills whatever was there, and q has returned before n is called, it is not p's that n met.
// Makers that the same operation may have met form a class, and each class becomes a value of its
// own, with the same text. No legal order is lost: in each of them an operation meets what a maker of
// its class has made.

// instances renames values in a copy of the compiled commands; the facts must be learnt again. It
// gives an operation that needs what nobody can have made, or none.
func (k *oneKey) instances(l *layout, f *facts, slip bool) (orphan int32, changed bool) {
	byValue := k.makersOf(l, f)
	if len(byValue) == 0 {
		return none, false
	}
	s := &splitting{
		k: k, l: l, killed: endedBefore(l, kills), class: make([]int32, len(l.ops)),
		sees: make([]int32, len(l.ops)), slip: slip,
	}
	for i := range s.class {
		s.class[i] = int32(i)
	}
	orphan = none
	for i := range l.ops {
		if m := byValue[l.ops[i].needs]; m != nil && l.ops[i].needs > 0 && !s.meet(int32(i), m) {
			orphan = int32(i)
		}
	}
	if orphan == none {
		s.rename(byValue)
	}
	return orphan, true
}

// doubt finds the values whose one known maker cannot be who made them for some operation that needs
// them: then a command of unknown outcome did, by chance. For layouts with virtual returns, whose
// facts assume that no such command makes what another makes.
func (k *oneKey) doubt(l *layout, f *facts) {
	k.doubtful = map[int32]bool{}
	killed := endedBefore(l, kills)
	for i := range l.ops {
		n := &l.ops[i]
		if n.needs <= 0 || !f.unique[n.needs] || f.creator[n.needs] == none {
			continue
		}
		if w := &l.ops[f.creator[n.needs]]; w.call > n.ret || w.ret < killed[n.call] {
			k.doubtful[n.needs] = true
			f.unique[n.needs] = false
		}
	}
}

// makers are those of one value, by call, with the latest return of each and those before it.
type makers struct {
	ops    []int32
	latest []int32
	start  bool // it was there at first
}

// makersOf gathers the makers of the values that are made more than once and that no command of
// unknown effect can make.
func (k *oneKey) makersOf(l *layout, f *facts) map[int32]*makers {
	t := k.traits
	if t.peeks || t.joins {
		return nil
	}
	out := map[int32]*makers{}
	for i := range l.ops {
		v := l.ops[i].makes
		if v <= 0 || f.unique[v] || f.needers[v] == 0 {
			continue
		}
		if _, number := k.values.integer(v); number && t.adds {
			continue
		}
		m := out[v]
		if m == nil {
			m = &makers{start: k.first.value == v}
			out[v] = m
		}
		m.ops = append(m.ops, int32(i))
	}
	for _, m := range out {
		slices.SortFunc(m.ops, func(a, b int32) int { return cmp.Compare(l.ops[a].call, l.ops[b].call) })
		latest := none
		for _, i := range m.ops {
			latest = max(latest, l.ops[i].ret)
			m.latest = append(m.latest, latest)
		}
	}
	return out
}

// endedBefore is by rank: the latest call of what kills, or ends a life, and returns before.
func endedBefore(l *layout, what flags) []int32 {
	out := make([]int32, len(l.times)+1)
	for i := range out {
		out[i] = none
	}
	for i := range l.ops {
		if o := &l.ops[i]; o.is(what) && !o.is(lost) && o.ret != never {
			out[o.ret+1] = max(out[o.ret+1], o.call)
		}
	}
	for r := 1; r < len(out); r++ {
		out[r] = max(out[r], out[r-1])
	}
	return out
}

// splitting finds the classes, as a union-find over makers.
type splitting struct {
	k      *oneKey
	l      *layout
	killed []int32
	class  []int32
	sees   []int32 // by operation: one of those that can have made what it needs
	slip   bool    // a mistake, for the test: the latest maker is taken for the only one
}

func (s *splitting) root(i int32) int32 {
	for s.class[i] != i {
		s.class[i] = s.class[s.class[i]]
		i = s.class[i]
	}
	return i
}

// meet joins the makers that operation i can have met; false if there are none.
func (s *splitting) meet(i int32, m *makers) bool {
	o := &s.l.ops[i]
	since := s.killed[o.call]
	at, _ := slices.BinarySearchFunc(m.ops, o.ret, func(p, ret int32) int {
		return cmp.Compare(s.l.ops[p].call, ret)
	})
	first := none
	if m.start && since == none {
		first = s.root(m.ops[0]) // the start's value stays in one class with the first maker's
	}
	for at--; at >= 0 && m.latest[at] > since; at-- {
		p := m.ops[at]
		if p == i || s.l.ops[p].ret < since {
			continue
		}
		if first == none {
			first = s.root(p)
		} else if !s.slip {
			s.class[s.root(p)] = s.root(first)
		}
	}
	if first != none {
		s.sees[i] = s.root(first)
	}
	return first != none
}

// rename gives each class but the first of a value a number of its own. The first keeps the old
// one, which is the start's too.
func (s *splitting) rename(byValue map[int32]*makers) {
	k := s.k
	k.acts = slices.Clone(k.acts)
	ids := map[int32]int32{}
	idOf := func(maker, v int32) int32 {
		root := s.root(maker)
		if root == s.root(byValue[v].ops[0]) {
			return v
		}
		id, ok := ids[root]
		if !ok {
			id = k.values.again(v)
			ids[root] = id
		}
		return id
	}
	for i := range s.l.ops {
		o := &s.l.ops[i]
		a := &k.acts[o.unit]
		if v := o.needs; v > 0 && byValue[v] != nil {
			a.met = idOf(s.sees[i], v)
		}
		if v := o.makes; v > 0 && byValue[v] != nil {
			if a.code == aAdd {
				a.made = idOf(int32(i), v)
			} else {
				a.value = idOf(int32(i), v)
			}
		}
	}
}
