package fakeclient

import "strings"

// redactor replaces the argument of PASS and ACCT in what is recorded. It
// follows the stream octet by octet, because a check may send a command in
// pieces of any size.
type redactor struct {
	verb   []byte // the line's first octets, up to the space
	secret bool   // inside an argument that must not be shown
	marked bool   // the stars for it have been written
	inArg  bool
}

func (r *redactor) redact(p []byte) string {
	var b strings.Builder
	for _, c := range p {
		switch {
		case c == '\n':
			*r = redactor{}
			b.WriteByte(c)
			continue
		case !r.inArg && c == ' ':
			r.inArg = true
			verb := strings.ToUpper(string(r.verb))
			// Telnet octets may stand before the verb.
			r.secret = strings.HasSuffix(verb, "PASS") || strings.HasSuffix(verb, "ACCT")
		case !r.inArg && len(r.verb) < 64:
			r.verb = append(r.verb, c)
		case r.inArg && r.secret && c != '\r':
			if !r.marked {
				b.WriteString("****")
				r.marked = true
			}
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
