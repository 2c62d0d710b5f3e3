package command

// gate is a reason why a command may not simply be executed. Those of the session, the executor and the
// command are tested together: nearly always there is none, and only then is it asked which.
type gate uint8

const (
	gateTx       gate = 1 << iota // the session is between MULTI and EXEC
	gateStranger                  // it has not authenticated, or needed not when it came
	gateGuarded                   // the command has to be switched on
	gateMemory                    // memory is limited
)

// inTx tells whether the session is between MULTI and EXEC.
func (s *Session) inTx() bool { return s.gates&gateTx != 0 }

// Authenticated tells whether the session has said the password, or came when there was none.
func (s *Session) Authenticated() bool { return s.gates&gateStranger == 0 }

func (s *Session) admit(in bool) {
	s.gates &^= gateStranger
	if !in {
		s.gates |= gateStranger
	}
}
