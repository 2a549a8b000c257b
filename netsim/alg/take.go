package alg

import (
	"bytes"
	"net/netip"
	"strings"

	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/netsim/gateway"
)

// take looks at octets that continue the stream. first is where the segment's
// own octets begin: what is held from before may have been acknowledged.
func (r *reassembling) take(from gateway.Side, b []byte, first int64) {
	s := &r.streams[from]
	if r.anywhere && !s.lines.off {
		r.everywhere(from, b)
	}
	for i, c := range b {
		at := s.next
		s.next++
		switch s.lines.octet(c) {
		case waits:
			continue
		case passes:
			s.release(first, at, r.Faults)
		case other:
			s.release(first, at, r.Faults)
			r.listen(from, s.lines.line)
			s.lines.reset()
		case ends:
			swallowed := r.line(from, first, b[i+1:])
			r.listen(from, s.lines.line)
			s.lines.reset()
			if swallowed {
				s.next += int64(len(b) - i - 1)
				s.free = s.next
				return
			}
		}
		s.free = s.next
	}
}

// release lets a line go on that is none of those looked for, or is not to be
// changed; at is where its last octet stands. What has been held since an
// earlier segment may have been acknowledged, and is therefore kept.
func (s *stream) release(first, at int64, f Faults) {
	if s.free < first {
		text := s.lines.line[:at+1-s.free]
		s.edits.add(s.free, len(text), text, true, f)
	}
}

// line deals with a complete line that may announce an endpoint; rest is what
// follows it in the segment. It reports whether rest was swallowed.
func (r *reassembling) line(from gateway.Side, first int64, rest []byte) (swallowed bool) {
	s := &r.streams[from]
	line := s.lines.line
	a, changed, ok := r.translate(line, from)
	if !ok {
		s.release(first, s.next-1, r.Faults)
		return false
	}
	end := a.off + a.n
	in, n, text := s.free+int64(a.off), a.n, []byte(changed)
	if s.free < first { // the whole line is to be kept
		text = bytes.Join([][]byte{line[:a.off], text, line[end:]}, nil)
		in, n, end = s.free, len(line), len(line)
	}
	if swallowed = r.Faults.SwallowsLine && len(rest) > 0; swallowed {
		text = append(text, line[end:]...)
		n += len(line) - end + len(rest)
	}
	s.edits.add(in, n, text, false, r.Faults)
	return swallowed
}

// maxExpected is how many connections may be expected for one control
// connection: a client may give several commands before the first has been
// obeyed.
const maxExpected = 8

// translate expects the connection that a line announces, and returns the text
// for the place of the endpoint. ok is false for a line that is to stay.
func (r *reassembling) translate(line []byte, from gateway.Side) (a announcement, after string, ok bool) {
	own := r.conn.Real(from).Addr()
	a, ok = read(line, from, own)
	if !ok {
		return a, "", false
	}
	before := string(line[a.off : a.off+a.n])
	if a.endpoint.Addr() != own {
		r.conn.Note("%s %s left alone: %s is not the %s's address", a.kind, printable(before), a.endpoint.Addr(), from)
		return a, "", false
	}
	opened, err := r.expect(from, a.endpoint, maxExpected)
	if err != nil {
		r.conn.Note("%s %s left alone: %v", a.kind, printable(before), err)
		return a, "", false
	}
	after = before
	if name := r.named(from, a, opened); name != a.endpoint && (!r.Faults.LeavesAddress || a.kind != port) {
		after = format(a, before, name)
	}
	r.tell(from, a.kind, before, after, opened)
	return a, after, after != before
}

// listen draws conclusions from a complete line.
func (r *reassembling) listen(from gateway.Side, line []byte) {
	s := &r.streams[from]
	if from == gateway.Client {
		switch verb, argument := command(line); {
		case verb == "AUTH":
			r.askedTLS = true
		case verb == "EPSV" && strings.EqualFold(argument, "ALL"):
			r.askedAll = true
		}
		return
	}
	code := s.lines.final(line)
	switch {
	case code < 200:
		return
	case r.askedTLS && (code == 234 || code == 334):
		// What follows is not for reading (RFC 4217 section 4, RFC 2228 section
		// 3); only the numbers go on being adjusted.
		r.conn.Note("security has been agreed on; the session is not looked at any more")
		r.streams[gateway.Client].lines.off, s.lines.off = true, true
	case r.askedAll && code < 300:
		// There will be no PORT and EPRT (RFC 2428 section 4). The server's 229
		// may still need a translation of its port.
		r.onlyEPSV = true
	}
	r.askedAll = false
}

// everywhere is what InsideFileNames does: it takes all that looks like the
// sender's endpoint for it, and all that looks like its address.
func (r *reassembling) everywhere(from gateway.Side, b []byte) {
	own, seen := r.conn.Real(from).Addr(), r.conn.Seen(from).Addr()
	if !own.Is4() || own == seen {
		return
	}
	s := &r.streams[from]
	dotted := own.String()
	commas := strings.ReplaceAll(dotted, ".", ",") + ","
	for i := 0; i < len(b); i++ {
		n, text := 0, ""
		switch rest := b[i:]; {
		case bytes.HasPrefix(rest, []byte(dotted)):
			n, text = len(dotted), seen.String()
		case bytes.HasPrefix(rest, []byte(commas)):
			tuple := rest[:len(rest)-len(bytes.TrimLeft(rest, "0123456789,"))]
			if ep, err := ftp.ParseHostPort(string(tuple)); err == nil {
				n, text = len(tuple), r.outside(from, ep, string(tuple))
			}
		}
		if n > 0 {
			s.edits.add(s.next+int64(i), n, []byte(text), false, r.Faults)
			i += n - 1
		}
	}
}

// outside opens an endpoint and prints it.
func (r *reassembling) outside(from gateway.Side, ep netip.AddrPort, before string) string {
	opened, err := r.expect(from, ep, maxExpected)
	if err != nil {
		opened = netip.AddrPortFrom(r.conn.Seen(from).Addr(), ep.Port())
	}
	after := ftp.FormatHostPort(opened)
	r.tell(from, "text", before, after, opened)
	return after
}
