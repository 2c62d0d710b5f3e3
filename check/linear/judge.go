package linear

import "slices"

// This file is the background side of the Monitor: workers that judge segments and draw up what the
// result says of a component.

// work judges segments until the Monitor closes and none is left.
func (m *Monitor) work() {
	defer m.workers.Done()
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		for len(m.ready) == 0 {
			if m.closing && m.waiting == 0 {
				m.change.Broadcast()
				return
			}
			m.change.Wait()
		}
		st := m.ready[0]
		m.ready = m.ready[1:]
		st.running = true
		for len(st.queue) > 0 {
			s := st.queue[0]
			m.judge(st, s)
			m.stats.Segments++
			st.queue[0] = segment{}
			st.queue = st.queue[1:]
			m.waiting--
			m.change.Broadcast()
		}
		st.running = false
		m.change.Broadcast()
	}
}

// judge judges one segment, with the lock released meanwhile.
func (m *Monitor) judge(st *stream, s segment) {
	if st.verdict != "" {
		m.stats.Bytes -= s.bytes
		return
	}
	effort := int64(0)
	switch {
	case m.explained < explainedMax:
		effort = 1
	case m.explained < sketchedMax:
		effort = sketchDivisor
	}
	st.judging.window = min(windowOpsMax, gatheredOps/max(1, m.stats.Open))
	m.mu.Unlock()
	out := st.judging.next(s)
	var told *Component
	if out.verdict == Illegal {
		told = st.judging.tell(out, effort)
	}
	m.mu.Lock()
	if len(st.judging.held) == 0 || out.verdict != OK {
		m.stats.Bytes -= st.behind - st.queued(1)
		st.behind = st.queued(1)
	}
	if s.last || out.verdict != OK {
		m.conclude(st, out, told)
		st.judging = judging{clients: st.judging.clients}
	}
}

// queued is what the queue holds, without its first n segments.
func (st *stream) queued(n int) (bytes int64) {
	for _, s := range st.queue[n:] {
		bytes += s.bytes
	}
	return bytes
}

// tell finds out what an illegal component says, and explains it with one part in effort of the
// effort; not at all if that is 0.
func (j *judging) tell(out outcome, effort int64) *Component {
	c := &Component{Verdict: Illegal, Clause: "LIN-3", Cause: causeUnknown,
		Sentence: "no order of effects explains the replies"}
	if effort > 0 {
		p := j.evidence()
		p.found = out
		explain(p, c, effort, j.opt.Timeout)
	}
	c.Reason = c.Clause + ": " + c.Sentence
	return c
}

// conclude notes the final verdict on a component. The lock is held.
func (m *Monitor) conclude(st *stream, out outcome, told *Component) {
	st.verdict = out.verdict
	c := Component{Verdict: out.verdict, Reason: out.at(), Clients: st.judging.clients, Ops: st.ops}
	if told != nil {
		m.explained++
		told.Clients, told.Ops = c.Clients, c.Ops
		c = *told
	}
	for _, k := range st.judging.keys[:min(len(st.judging.keys), keysListed)] {
		c.Keys = append(c.Keys, k.String())
	}
	m.stats.Open--
	m.stats.Closed++
	switch out.verdict {
	case Illegal:
		m.stats.Illegal++
	case Unknown:
		m.stats.Unknown++
	}
	m.result.Counts[out.verdict]++
	m.result.Judged += st.ops
	m.result.Unanswered += st.lost
	m.judgedOnes = bounded(append(m.judgedOnes, judgedOne{st.first, c}))
}

// keysListed is how many keys of a component a long run lists.
const keysListed = 1000

// judgedOne is a component with the call of its first operation.
type judgedOne struct {
	first int64
	Component
}

// bounded drops components from a list that has become long: first those that are ok, then the
// later ones of those that are unknown and illegal.
func bounded(cs []judgedOne) []judgedOne {
	if len(cs) <= componentsMax {
		return cs
	}
	rank := map[Verdict]int{Error: 0, Illegal: 1, Unknown: 2, OK: 3}
	slices.SortStableFunc(cs, func(a, b judgedOne) int { return rank[a.Verdict] - rank[b.Verdict] })
	return slices.Clip(cs[:notOKMax])
}
