package workload

import "time"

// Every bound of a run stands here.
const (
	// GroupClientsMax, GroupOpsMax and GroupKeysMax bound a component of keys; the search for a
	// linearization is exponential in what is in flight on one component. One key alone is far easier
	// to decide than several (SeveralOpsMax): it may be hot.
	GroupClientsMax = 16
	GroupOpsMax     = 2000
	GroupKeysMax    = 3
	SeveralOpsMax   = 500
	// LargeGroupsMin is how long a run must be to have groups of more than SeveralOpsMax operations;
	// the first LargeGroupsFrom groups are small anyway, so that all there is comes early.
	LargeGroupsMin  = 50_000
	LargeGroupsFrom = 16
	// QueueClientsMax and QueueOpsMax are for groups whose clients wait.
	QueueClientsMax = 4
	QueueOpsMax     = 120
	// GroupLossesMax bounds the connections of one group that die before the reply: an operation of
	// unknown outcome stays a candidate to the end of its history.
	GroupLossesMax = 4
	// GroupFlightMax bounds the operations of a group in flight at once: clients times the burst;
	// SeveralFlightMax is for one of several keys.
	GroupFlightMax   = 32
	SeveralFlightMax = 16

	// BurstMax is the deepest pipeline, BodyMax the longest transaction, PiecesMax the number of
	// writes that one stretch of requests is cut into.
	BurstMax  = 6
	BodyMax   = 4
	PiecesMax = 4
	// PieceGapMax is the longest pause between two pieces of a request, LingerMax the longest between
	// a client's last request and its death.
	PieceGapMax = 200 * time.Microsecond
	LingerMax   = 300 * time.Microsecond

	// ExtendMax: a run that would be vacuous goes on up to so many times its operations.
	ExtendMax = 3

	// meterClientsMax is of how many clients the meter knows the latest operation.
	meterClientsMax = 4096
	// CollectEvery is how often what the clients recorded is collected and handed on. HeldOpsMax is
	// how much may wait for that, by a slow reply or a slow judge, before no new groups are started.
	CollectEvery = 5 * time.Millisecond
	HeldOpsMax   = 200_000

	// DialPatience is how long a server may refuse connections, DialPause the time between two tries.
	DialPatience = 3 * time.Second
	DialPause    = 20 * time.Millisecond
	// FaultEvery is the pause between two faults, FaultMax the longest one, and how long the target may
	// then not be reached; FaultTextMax is how much of its output is kept.
	FaultEvery   = 5 * time.Second
	FaultMax     = 30 * time.Second
	FaultTextMax = 200
	// ReplyTimeout is how long a reply may take before its connection is given up.
	ReplyTimeout = 5 * time.Second
	// BrokenMax is how many breaches that no history can hold end a run: more say nothing new.
	BrokenMax = 10
	// DeclinesMax is how many commands a target may decline (another node, no permission) before the
	// run ends.
	DeclinesMax = 200

	// ClockEvery is the pause between two measurements of the target's clock, ClockSamples how many
	// brackets one takes, ClockEndSamples how many the first and the last take.
	ClockEvery      = 50 * time.Millisecond
	ClockSamples    = 3
	ClockEndSamples = 20
	// ClockJitter widens the bracket: two clocks of one kernel, read one after the other, agree to
	// about 100 ns; a microsecond of the reply is cut off by the server.
	ClockJitter = 2 * time.Microsecond
	// ClockDriftMax is by how many ns a second the clocks of two machines may drift apart: 50 ppm is
	// more than crystals do, and far more than those that are kept in step.
	ClockDriftMax = 50_000

	// ShortTTLMax is the longest of the short TTLs in milliseconds: those expire within a group.
	// LongTTLMin is the shortest of the long ones, which never do and are all different.
	ShortTTLMax = 12
	LongTTLMin  = 20_000
	// TimeoutMax is the longest timeout of a client that waits, in ms; PushMax how many elements one
	// push adds.
	TimeoutMax = 12
	PushMax    = 3
	// NearMs is how far from a deadline a read still probes it, in milliseconds.
	NearMs = 2
)
