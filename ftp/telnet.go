package ftp

// The Telnet octets that may occur on a control connection (RFC 854; RFC 959
// section 4.1, RFC 1123 section 4.1.2.12).
const (
	IAC  byte = 255 // interpret as command
	DONT byte = 254
	DO   byte = 253
	WONT byte = 252
	WILL byte = 251
	IP   byte = 244 // interrupt process
	DM   byte = 242 // data mark
)

// Telnet separates text from Telnet commands in what a peer sends on the
// control connection. The zero value is ready; it keeps its state over calls,
// because a sequence may be split at any octet.
type Telnet struct {
	state telnetState
	verb  byte // the DO, DONT, WILL or WONT whose option is awaited
	cr    bool // the last text octet was CR
	nul   bool // a NUL behind that CR is held back
}

type telnetState int

const (
	telnetText   telnetState = iota
	telnetIAC                // after IAC
	telnetOption             // after IAC DO and its like
	telnetSynch              // after IAC IP, where a DM may have lost its IAC
)

// Decode returns the text in p and what has to be sent back: DO is answered
// with WONT and WILL with DONT, so that every option stays off (RFC 1123
// section 4.1.2.12); WONT and DONT need no answer. IP, DM and the other
// commands vanish. IAC IAC stands for one octet 255, CR NUL for CR
// (RFC 2640 section 3.1). Of CR NUL LF the NUL stays, lest the three become a
// line end that nobody has sent.
//
// Where urgent data is taken out of line, an octet of IAC IP IAC DM can be
// lost: a letter after IAC is therefore text and not an unknown command, and a
// DM right after IAC IP is dropped. Anywhere else octet 242 is text, a letter
// of some 8-bit alphabet.
func (t *Telnet) Decode(p []byte) (text, answer []byte) {
	text = make([]byte, 0, len(p))
	for _, b := range p {
		if t.state == telnetSynch {
			t.state = telnetText
			if b == DM {
				continue
			}
		}
		switch t.state {
		case telnetSynch, telnetText:
			if b == IAC {
				t.state = telnetIAC
				continue
			}
			text = t.append(text, b)
		case telnetIAC:
			t.state = telnetText
			switch {
			case b == DO || b == DONT || b == WILL || b == WONT:
				t.state, t.verb = telnetOption, b
			case b == IP:
				t.state = telnetSynch
			case b == IAC || b < 240:
				text = t.append(text, b)
			}
		case telnetOption:
			t.state = telnetText
			switch t.verb {
			case DO:
				answer = append(answer, IAC, WONT, b)
			case WILL:
				answer = append(answer, IAC, DONT, b)
			}
		}
	}
	return text, answer
}

// append adds an octet of text, unless it is the NUL of CR NUL.
func (t *Telnet) append(text []byte, b byte) []byte {
	if b == 0 && t.cr {
		t.cr, t.nul = false, true
		return text
	}
	if b == '\n' && t.nul {
		text = append(text, 0)
	}
	t.cr, t.nul = b == '\r', false
	return append(text, b)
}
