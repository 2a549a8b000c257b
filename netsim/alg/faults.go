package alg

// Faults are the documented ways in which a helper can be told to be wrong: one
// field for one deviation, and a zero value that is correct. They work on
// Linux and Reassembling alike unless a field says otherwise; the broken
// profiles are some of them under a name.
type Faults struct {
	// The text

	// LeavesAddress, if true, leaves PORT as the client wrote it, although the
	// data connection is expected.
	LeavesAddress bool
	// KeepsPort, if true, leaves the port in the text although the gateway gave
	// another: two clients that announce the same port get the same one outside.
	KeepsPort bool
	// LeavesPASV, if true, does not know the reply 227.
	LeavesPASV bool
	// LeavesEPRT, if true, does not know EPRT.
	LeavesEPRT bool
	// MangledEPSV, if true, puts the next higher port into the reply 229 of a
	// server that is not translated.
	MangledEPSV bool
	// RewritesOnce, if true, lets a repeated PORT, EPRT, 227 or 229 go as its
	// sender wrote it.
	RewritesOnce bool
	// SwallowsLine, if true, loses what follows a rewritten line in the same
	// segment, and acknowledges it.
	SwallowsLine bool
	// SplitStalls, if true, holds a line that comes in pieces for ever and
	// acknowledges none of it. Linux does something like it anyway.
	SplitStalls bool

	// The expectation

	// LateExpectation, if true, expects the data connection only when a packet
	// passes 500 ms or more after the text.
	LateExpectation bool
	// TwoWay, if true, expects any number of connections, from anybody.
	TwoWay bool

	// The numbers

	// NoSequence, if true, does not adjust sequence numbers.
	NoSequence bool
	// NoAcknowledge, if true, does not adjust acknowledgements.
	NoAcknowledge bool
	// NoSACK, if true, does not adjust selective acknowledgements.
	NoSACK bool
	// ForgetsDelta, if true, adjusts by the change of the last text alone: the
	// changes of several texts do not add up.
	ForgetsDelta bool
	// DeltaTwice, if true, adjusts once more when a rewritten text is repeated.
	DeltaTwice bool
	// BadTCPChecksum, if true, spoils the checksum of a segment with a rewritten
	// text.
	BadTCPChecksum bool
	// BadLength, if true, leaves the old length in the IP header of a packet
	// with a text of another length.
	BadLength bool
}
