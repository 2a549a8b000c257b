package reference

// Tolerances are legal oddities: ways to be unusual that no check may take
// for a fault. The zero value is the plain server.
type Tolerances struct {
	// PASVNoParentheses writes the six numbers of 227 bare (RFC 959 figure 3).
	PASVNoParentheses bool
	// PASVTextAround puts other words around the tuple of 227.
	PASVTextAround bool
	// EPSVTrailingDot ends the text of 229 with a full stop.
	EPSVTrailingDot bool
	// EPSVOtherDelimiter uses ! in place of the bar in 229.
	EPSVOtherDelimiter bool
	// Answers125 answers 125 in place of 150 once the connection exists.
	Answers125 bool
	// PassiveDialFirst sends the preliminary reply of a passive transfer only
	// after the client has connected.
	PassiveDialFirst bool
	// ActiveDialFirst sends the preliminary reply of an active transfer only
	// after the connection is up.
	ActiveDialFirst bool
	// Multiline makes the replies to USER, PASS, PWD, TYPE, NOOP and the end
	// of transfers multi-line.
	Multiline bool
	// ABOR225 answers an ABOR with 225 in place of 226.
	ABOR225 bool
	// DefersABOR lets an ABOR wait until the transfer has ended by itself.
	DefersABOR bool
	// Completes250 ends transfers with 250 in place of 226.
	Completes250 bool
	// RefusesWith500 uses 500 in place of 501, 504 and 522 for refused set-up
	// commands.
	RefusesWith500 bool
	// DefersSTAT defers STAT until the transfer has ended.
	DefersSTAT bool
	// LongGreeting greets with a multi-line banner with digits in its lines.
	LongGreeting bool
}
