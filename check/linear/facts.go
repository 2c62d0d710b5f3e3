package linear

// This file says what replies prove about values. A reply may prove that the operation met a
// certain value (it needs it), that it left one (it makes it), and that whatever was there before
// is gone (it kills). Where only one operation can have made a value, the search need not try what
// would lose it while it is needed (R1), what needs it before it is made (R2), or to make it while
// somebody waits who overwrites it, or meets another or none, and cannot wait until it is no longer
// needed (R3). That
// there is only one is not assumed: it is counted over all that may have happened.

// facts are by value; value 0 is none.
type facts struct {
	unique   []bool  // one operation, and no other, can make it
	creator  []int32 // the last of them
	needers  []int32 // how many operations need it
	lastCall []int32 // the greatest rank of their calls
	// opaque values can be forgotten when nobody needs them any more: no reply depends on which
	// value it is.
	opaque []bool
	// wants are by operation: the values it needs, in theories with several at once. Else nil.
	wants [][]int32
	// given are those of them that an operation which waited was given, by operation.
	given map[int32][]int32
	// lives are the same about deadlines (lives.go); nil where none is needed.
	lives *facts
}

// noFacts is for theories without values.
func noFacts() *facts { return newFacts(1) }

func newFacts(values int) *facts {
	return &facts{
		unique: make([]bool, values), creator: make([]int32, values),
		needers: make([]int32, values), lastCall: make([]int32, values),
		opaque: make([]bool, values),
	}
}

// calls recomputes lastCall after intervals have changed.
func (f *facts) calls(l *layout) {
	clear(f.lastCall)
	if f.lives != nil {
		clear(f.lives.lastCall)
	}
	for i := range l.ops {
		o := &l.ops[i]
		if o.needs > 0 {
			f.lastCall[o.needs] = max(f.lastCall[o.needs], o.call)
		}
		if o.life > 0 {
			f.lives.lastCall[o.life] = max(f.lives.lastCall[o.life], o.call)
		}
	}
}

// learn tells what the acts prove, and writes it into the operations of the layout. With assume,
// commands of unknown outcome are taken to make no value that another command makes: then what the
// search accepts is legal still, and what it rejects may be legal too.
func (k *oneKey) learn(l *layout, assume bool) *facts {
	f := newFacts(len(k.values.text))
	makers := make([]uint8, len(f.unique))
	if v := k.first.value; v != noValue {
		makers[v], f.creator[v] = 1, none
	}
	for i := range l.ops {
		o := &l.ops[i]
		a := &k.acts[o.unit]
		fl, needs, makes := a.proves()
		o.flags, o.needs, o.makes = o.flags&(lost|follows)|fl, needs, makes
		if a.vacant() {
			o.flags |= vacant
		}
		if o.life = 0; a.ends(fl) {
			o.flags |= ends
		}
		if makes > 0 {
			makers[makes] = min(2, makers[makes]+1)
			f.creator[makes] = int32(i)
		}
		if needs > 0 {
			f.needers[needs]++
		}
	}
	t := k.traits
	for v := 1; v < len(f.unique); v++ {
		_, number := k.values.integer(int32(v))
		f.unique[v] = makers[v] <= 1 && !t.joins && !(t.adds && number && (!assume || makers[v] == 0))
		f.opaque[v] = !t.peeks && !(t.adds && number) && !(t.counts && k.values.text[v] == "0")
		if makers[v] == 0 {
			f.creator[v] = none
		}
		f.unique[v] = f.unique[v] && !k.doubtful[int32(v)]
	}
	if t.peeks && !t.joins { // INCRBY 0 makes what it met
		k.unsure(l, f)
	}
	f.calls(l)
	return f
}

// unsure: what INCRBY 0 leaves may have been there before.
func (k *oneKey) unsure(l *layout, f *facts) {
	for i := range l.ops {
		if a := &k.acts[l.ops[i].unit]; a.code == aAdd && a.n == 0 {
			f.unique[a.made], f.unique[k.values.zero] = false, false
		}
	}
}

// kinds numbers the operations with equal command and reply, where nobody ever asks which value
// they wrote. On a pipelining connection no two operations are alike.
func (k *oneKey) kinds(l *layout, f *facts) {
	ids := make(map[act]int32)
	for i := range l.ops {
		o := &l.ops[i]
		o.kind = none
		if l.part.units[o.unit].conn >= 0 || o.is(pure) && o.needs > 0 {
			continue
		}
		a := k.acts[o.unit]
		if a.value > 0 && f.opaque[a.value] && f.needers[a.value] == 0 {
			a.value = someValue
		}
		id, ok := ids[a]
		if !ok {
			id = int32(len(ids))
			ids[a] = id
		}
		o.kind = id
	}
}

// reads: the command never changes anything.
func (a *act) reads() bool {
	switch a.code {
	case aGet, aCount, aType, aLength, aRange, aLeft, aUntil:
		return true
	}
	return a.code == aGetEx && a.opts == 0
}

// proves tells what the reply proves: flags, the value met, the value left.
func (a *act) proves() (fl flags, needs, makes int32) {
	if a.reply == saysText && a.code != aRange {
		needs = a.met
	}
	switch a.code {
	case aSet:
		return a.provesSet(needs)
	case aGetDel:
		fl = kills
		if a.reply == saysNil {
			fl = pure
		}
	case aGetEx:
		if a.reply == saysNil || a.opts == 0 {
			fl = pure
		}
	case aAdd:
		fl = kills
		switch {
		case a.reply == saysNotInteger || a.reply == saysOverflow:
			fl = pure
		case a.n == 0:
			return 0, 0, 0
		}
		needs, makes = a.met, a.made
	case aAppend, aFlush:
		fl = kills
		if a.code == aAppend {
			fl = 0
		}
	case aDel, aExpire, aPersist:
		switch {
		case a.reply == saysNumber && a.num == 0:
			fl = pure
		case a.code == aDel || a.code == aExpire && !a.is(date) && a.n <= 0:
			fl = kills
		}
	default:
		fl = pure
	}
	if a.reply == saysLost {
		fl = 0
	}
	return fl, needs, makes
}

// ends: its reply proves that whatever deadline was there is gone, or another one now.
func (a *act) ends(fl flags) bool {
	switch {
	case a.reply == saysLost || fl&pure != 0 || a.code == aAppend || a.code == aAdd || a.is(keeps):
		return false
	}
	return true
}

// vacant: its reply proves that it met no value.
func (a *act) vacant() bool {
	switch a.code {
	case aGet, aGetDel, aGetEx:
		return a.reply == saysNil
	case aType:
		return a.reply == saysAbsent
	case aCount, aDel:
		return a.reply == saysNumber && a.num == 0
	case aExpire:
		return a.reply == saysNumber && a.num == 0 && a.opts&(ifNone|ifSome|ifLater|ifEarlier) == 0
	case aLeft, aUntil:
		return a.reply == saysNumber && a.num == -2
	case aSet:
		switch {
		case a.is(numeric):
			return a.num == 1 && a.reply == saysNumber
		case a.is(gives):
			return a.reply == saysNil
		case a.is(onlyGone):
			return a.reply == saysOK
		case a.is(onlyThere):
			return a.reply == saysNil
		}
	}
	return false
}

func (a *act) provesSet(needs int32) (flags, int32, int32) {
	done := a.reply == saysOK
	switch {
	case a.reply == saysLost:
		return 0, 0, a.value
	case a.is(numeric):
		done = a.num == 1
	case a.is(gives) && a.is(onlyGone):
		done = a.reply == saysNil
	case a.is(gives) && a.is(onlyThere):
		done = a.reply == saysText
	case a.is(gives):
		done = true
	}
	if !done {
		return pure, needs, 0
	}
	return kills, needs, a.value
}
