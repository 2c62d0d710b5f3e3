package linear

import "rondo/check/history"

type part struct{ ops []*history.Op }

func (p *part) unanswered() int            { return 0 }
func validate(h *history.History) error    { return h.Validate() }
func split(h *history.History) []*part     { panic("todo") }
func judge(p *part, opt Options) Component { panic("todo") }
