package linear

import (
	"fmt"
	"time"
)

// This file decides which searches a component gets, in which order, and for how long.

// decide judges a component by the own engine.
func (p *part) decide(opt Options) outcome {
	deadline := time.Now().Add(opt.Timeout)
	half := opt
	half.Timeout /= 2
	if first := p.porcupine(half); first.verdict != Unknown {
		return outcome{verdict: first.verdict}
	}
	second := p.search()
	second.engine.faults = opt.faults
	verdict, last := second.frontierRun(time.Until(deadline))
	if verdict == Unknown {
		return outcome{verdict: Unknown, reason: fmt.Sprintf("not decided within %v", opt.Timeout)}
	}
	return outcome{verdict: verdict, last: last}
}
