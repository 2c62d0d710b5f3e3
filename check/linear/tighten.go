package linear

// This file makes intervals smaller before any search, from what is known of values that only one
// operation can make. Let w make u, let N need it, and let p be one that kills whatever was there.
// In every legal order
//
//   - w comes before all of N; and if one of N kills u, it is the last of them;
//   - p is not between w and the last of N. So if p returns before the last of N is called, it
//     precedes w; and if p is called after w has returned, it follows all of N.
//
// What precedes another returns, in effect, no later, and is called no later than the other takes
// effect; so the one's return and the other's call move. This is repeated until nothing moves, or
// passesMax times: any number is sound. An interval that becomes empty refutes the history, and most
// illegal histories are refuted here.
//
// All times are ranks of events, and no new ranks arise, so that "the latest call of those that
// return before x" is a running maximum over an array by rank, and a pass takes linear time.

const passesMax = 6

// tightener holds the arrays of the passes.
type tightener struct {
	l     *layout
	f     *facts
	about flags // kills, for values; ends, for lives
	// By value: of its needers the first return and the last call, and who that is; who kills it.
	first, last, firstBy, lastBy, killer []int32
	best, bestBy                         []int32 // by rank, for one rule at a time
	callBy, retBy                        []int32 // by operation: who moved its bounds last, or none
	changed                              bool
	empty                                int32 // an operation whose interval is empty, or none
	values                               []int32
	killers                              []int32
}

// tighten moves the bounds of l; it returns the units of a contradiction, or nil.
func tighten(l *layout, f *facts) []*unit {
	var about []*tightener
	if t := newTightener(l, f, kills); t != nil {
		about = append(about, t)
	}
	if f.lives != nil {
		about = append(about, newTightener(l, f.lives, ends))
	}
	for range passesMax {
		changed := false
		for _, t := range about {
			if t.pass(); t.empty != none {
				return t.suspects()
			}
			changed = changed || t.changed
		}
		if !changed {
			break
		}
	}
	return nil
}

// newTightener is nil if no value speaks for itself.
func newTightener(l *layout, f *facts, about flags) *tightener {
	t := &tightener{l: l, f: f, about: about, empty: none}
	for v := range f.unique {
		if f.unique[v] && f.needers[v] > 0 && f.creator[v] != none {
			t.values = append(t.values, int32(v))
		}
	}
	if len(t.values) == 0 {
		return nil
	}
	n, ranks := len(l.ops), len(l.times)
	slab := make([]int32, 5*len(f.unique)+2*(ranks+1)+2*n)
	cut := func(n int) []int32 { part := slab[:n:n]; slab = slab[n:]; return part }
	for _, p := range []*[]int32{&t.first, &t.last, &t.firstBy, &t.lastBy, &t.killer} {
		*p = cut(len(f.unique))
	}
	t.best, t.bestBy = cut(ranks+1), cut(ranks+1)
	t.callBy, t.retBy = cut(n), cut(n)
	for i := range n {
		t.callBy[i], t.retBy[i] = none, none
		if o := &l.ops[i]; o.is(about) && !o.is(lost) {
			t.killers = append(t.killers, int32(i))
		}
	}
	return t
}

// needs is the value, or the life, that an operation needs.
func (t *tightener) needs(o *op) int32 {
	if t.about == ends {
		return o.life
	}
	return o.needs
}

// pass applies every rule once.
func (t *tightener) pass() {
	t.changed = false
	t.needers()
	for _, rule := range []func(){t.clusters, t.makersWait, t.killersHurry, t.needersHurry, t.killersWait} {
		if t.empty != none {
			return
		}
		rule()
	}
}

// later moves the call of an operation, because of another; sooner the return.
func (t *tightener) later(i, call, by int32) {
	o := &t.l.ops[i]
	if call <= o.call {
		return
	}
	o.call, t.callBy[i], t.changed = call, by, true
	if o.call > o.ret {
		t.empty = i
	}
}

func (t *tightener) sooner(i, ret, by int32) {
	o := &t.l.ops[i]
	if ret >= o.ret {
		return
	}
	o.ret, t.retBy[i], t.changed = ret, by, true
	if o.call > o.ret {
		t.empty = i
	}
}

// needers gathers the first return and the last call of those that need each value. What is needed
// was made, whether its reply was lost or not.
func (t *tightener) needers() {
	for _, v := range t.values {
		t.first[v], t.last[v], t.killer[v] = never, none, none
	}
	for i := range t.l.ops {
		o := &t.l.ops[i]
		v := t.needs(o)
		if v <= 0 || !t.f.unique[v] || t.f.creator[v] == none {
			continue
		}
		if o.ret < t.first[v] {
			t.first[v], t.firstBy[v] = o.ret, int32(i)
		}
		if o.call > t.last[v] {
			t.last[v], t.lastBy[v] = o.call, int32(i)
		}
		if o.is(t.about) {
			if t.killer[v] != none { // two took it, one made it
				t.empty, t.callBy[i], t.retBy[i] = int32(i), t.killer[v], t.f.creator[v]
				return
			}
			t.killer[v] = int32(i)
		}
	}
}

// clusters: the maker comes first, who takes the value away last.
func (t *tightener) clusters() {
	for _, v := range t.values {
		w := t.f.creator[v]
		t.l.ops[w].flags &^= lost
		t.sooner(w, t.first[v], t.firstBy[v])
		if k := t.killer[v]; k != none {
			t.later(k, t.last[v], t.lastBy[v])
			t.last[v], t.lastBy[v] = max(t.last[v], t.l.ops[k].call), k
		}
	}
	for i := range t.l.ops {
		v := t.needs(&t.l.ops[i])
		if v <= 0 || !t.f.unique[v] || t.f.creator[v] == none {
			continue
		}
		w := t.f.creator[v]
		t.later(int32(i), t.l.ops[w].call, w)
		if k := t.killer[v]; k != none {
			t.sooner(int32(i), t.l.ops[k].ret, k)
		}
	}
}

// reset prepares the array of a rule.
func (t *tightener) reset(to int32) {
	for r := range t.best {
		t.best[r], t.bestBy[r] = to, none
	}
}

// makersWait: what kills and returns before the last needer is called precedes the maker.
func (t *tightener) makersWait() {
	t.reset(none)
	for _, i := range t.killers {
		if o := &t.l.ops[i]; o.ret != never && o.call > t.best[o.ret] {
			t.best[o.ret], t.bestBy[o.ret] = o.call, i
		}
	}
	for r := 1; r < len(t.best); r++ {
		if t.best[r-1] > t.best[r] {
			t.best[r], t.bestBy[r] = t.best[r-1], t.bestBy[r-1]
		}
	}
	for _, v := range t.values {
		r := t.last[v]
		t.later(t.f.creator[v], t.best[r], t.bestBy[r])
	}
}

// killersHurry: and so it returns, in effect, no later than the maker.
func (t *tightener) killersHurry() {
	t.reset(never)
	for _, v := range t.values {
		w := t.f.creator[v]
		if ret, r := t.l.ops[w].ret, t.last[v]; ret < t.best[r] {
			t.best[r], t.bestBy[r] = ret, w
		}
	}
	for r := len(t.best) - 2; r >= 0; r-- {
		if t.best[r+1] < t.best[r] {
			t.best[r], t.bestBy[r] = t.best[r+1], t.bestBy[r+1]
		}
	}
	for _, i := range t.killers {
		if r := t.l.ops[i].ret; r != never {
			t.sooner(i, t.best[r], t.bestBy[r])
		}
	}
}

// needersHurry: what kills and is called after the maker has returned follows all that need it.
func (t *tightener) needersHurry() {
	t.reset(never)
	for _, i := range t.killers {
		if o := &t.l.ops[i]; o.ret < t.best[o.call] {
			t.best[o.call], t.bestBy[o.call] = o.ret, i
		}
	}
	for r := len(t.best) - 2; r >= 0; r-- {
		if t.best[r+1] < t.best[r] {
			t.best[r], t.bestBy[r] = t.best[r+1], t.bestBy[r+1]
		}
	}
	for i := range t.l.ops {
		v := t.needs(&t.l.ops[i])
		if v <= 0 || !t.f.unique[v] || t.f.creator[v] == none {
			continue
		}
		if r := t.l.ops[t.f.creator[v]].ret; r != never {
			t.sooner(int32(i), t.best[r], t.bestBy[r])
		}
	}
}

// killersWait: and so it is called, in effect, no sooner than the last of them.
func (t *tightener) killersWait() {
	t.reset(none)
	for _, v := range t.values {
		if r := t.l.ops[t.f.creator[v]].ret; r != never && t.last[v] > t.best[r] {
			t.best[r], t.bestBy[r] = t.last[v], t.lastBy[v]
		}
	}
	for r := 1; r < len(t.best); r++ {
		if t.best[r-1] > t.best[r] {
			t.best[r], t.bestBy[r] = t.best[r-1], t.bestBy[r-1]
		}
	}
	for _, i := range t.killers {
		r := t.l.ops[i].call
		t.later(i, t.best[r], t.bestBy[r])
	}
}

// suspectsMax bounds the units of a contradiction.
const suspectsMax = 6

// suspects are the operation whose interval is empty and those that moved its bounds, and theirs,
// with the makers of the values that they need: nearest first.
func (t *tightener) suspects() []*unit {
	found := []int32{t.empty}
	add := func(i int32) {
		for _, j := range found {
			if i == j {
				return
			}
		}
		if i != none && len(found) < suspectsMax {
			found = append(found, i)
		}
	}
	for at := 0; at < len(found); at++ {
		i := found[at]
		add(t.callBy[i])
		add(t.retBy[i])
		if v := t.needs(&t.l.ops[i]); v > 0 && t.f.unique[v] {
			add(t.f.creator[v])
		}
	}
	out := make([]*unit, len(found))
	for n, i := range found {
		out[n] = t.l.part.units[t.l.ops[i].unit]
	}
	return out
}
