package report

// Every bound of a report. A page must open at once, whatever a server answered and however many
// components it broke: what is left out is said, and stands in report.json or in the recording.
const (
	wireLinesMax = 60  // of one case's wire log, the last ones
	wireBytesMax = 400 // of one transmission

	caseBytesMax = 2 << 20 // of all failed cases on the page

	textBytesMax = 2000 // of a reason, an expectation, an answer
	stepBytesMax = 400  // of one operation of a counterexample
	gistChars    = 110  // of a folded case
	stepsMax     = 60   // operations of a counterexample that are listed
	factsMax     = 26   // of a chain: a letter each
	drawnMax     = 24   // and drawn: the last ones

	findingsMax       = 12   // of one history on the page, the gravest
	exampleMax        = 3    // further examples of one finding
	faultsMax         = 1000 // of one history, in report.json
	unknownMax        = 20   // components without a verdict that are named
	openCasesMax      = 3    // failed cases that are unfolded from the start
	textViolationsMax = 3    // findings of one history in the terminal
	skipReasonsMax    = 6
	survivorsListed   = 10 // mutants that a run would miss
)
