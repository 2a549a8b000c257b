package gateway

// Reason is why a packet has been dropped.
type Reason uint8

// The reasons.
const (
	Malformed    Reason = iota // cannot be read, or a fragment that fits nowhere
	BadChecksum                // of TCP or ICMP
	Martian                    // the source is impossible, or impossible on that interface
	NoRoute                    // nobody knows the way
	HopLimit                   // the hop limit is used up
	TooBig                     // does not fit the next interface and must not be fragmented
	Fragmented                 // a fragment, and the fault DropsFragments
	Protocol                   // neither TCP nor an error about it, and would need translation
	NoConnection               // belongs to no connection and does not begin one
	Unexpected                 // for the gateway's own address, and nobody waits for it
	Unsolicited                // from outside to an inside address that is translated
	Unhairpinned               // from inside to an outside endpoint, without hairpinning
	CrossedSYN                 // the second SYN of a simultaneous open, and the fault DropsSimultaneousOpen
	Filtered                   // a rule says so
	Exhausted                  // no room for a connection or a mapping, or no port
	Ambiguous                  // would be mistaken for another connection after translation
	ByHelper                   // the helper says so
	Unconnected                // the interface leads nowhere
)

func (r Reason) String() string {
	return [...]string{"malformed", "bad checksum", "impossible source", "no route", "hop limit used up", "too big",
		"fragment", "protocol not translated", "no connection", "nobody expects it", "unsolicited", "no hairpinning",
		"simultaneous open", "filtered", "no room, or no port left", "like another connection", "helper",
		"interface not connected"}[r]
}
