package lab

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ftpconform/ftpconform/fakeclient"
)

// fails says why a transfer failed.
func (j *judgement) fails() string {
	switch j.client.stage {
	case atConnect:
		return fmt.Sprintf("The client cannot reach the server: %s.", j.attempt(true))
	case atLogin:
		return "The client cannot log in: " + j.trouble() + "."
	case atSetup:
		return j.failsAtSetup()
	default:
		return j.failsAtData()
	}
}

// failsAtSetup is for PORT, PASV, EPRT and EPSV that were not obeyed.
func (j *judgement) failsAtSetup() string {
	c, seen := j.client, j.serverSees()
	_, read, ok := j.named()
	switch {
	case c.impossible:
		return fmt.Sprintf("PORT has room for an IPv4 address only, and the client has %v: it takes EPRT or EPSV.", c.announced.Addr())
	case c.refusal.Code != 0 && j.act.Mode == PASV && !j.spec.Dial.Is4():
		return "227 has room for an IPv4 address only, so the server refuses PASV: it takes EPSV."
	case c.refusal.Code != 0 && ok && seen.IsValid() && read.Addr() != seen:
		return fmt.Sprintf("%s names %v, but the server sees the client at %v and connects to nobody else.", j.line(), read.Addr(), seen)
	case c.refusal.Code != 0:
		return fmt.Sprintf("The server refuses %s: %s.", j.act.Mode, strings.TrimSuffix(c.refusal.String(), "."))
	}
	return fmt.Sprintf("%s gets no answer: %s.", j.act.Mode, j.trouble())
}

// serverSees is the client's address as it reaches the server.
func (j *judgement) serverSees() netip.Addr {
	for _, m := range j.story.Messages {
		if m.Control && m.To == j.spec.Server && m.Text == "SYN" {
			return m.Src.Addr()
		}
	}
	return netip.Addr{}
}

// failsAtData is for a data connection that did not come about, or was not what
// it should have been.
func (j *judgement) failsAtData() string {
	switch c := j.client; {
	case len(j.dials) == 0:
		return fmt.Sprintf("The %s does not try to make the data connection: %s.", j.dialler(), j.trouble())
	case j.attempt(false).connected() && j.act.stage.Server != nil:
		return fmt.Sprintf("The data connection is there and %s come, but the transfer does not end well: %s.", plural(int(c.octets), "octet"), j.trouble())
	case j.attempt(false).connected():
		return fmt.Sprintf("The data connection is there and %d octets of %d come, but the transfer does not end well: %s.", c.octets, fileSize, j.trouble())
	}
	return capital(j.attempt(false).String()) + "."
}

// private reports whether an address belongs to nobody in particular (RFC 1918,
// RFC 6598, RFC 4193).
func private(a netip.Addr) bool {
	return a.IsPrivate() || netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10).Contains(a)
}

// trouble says what kept the dialogue from going on.
func (j *judgement) trouble() string {
	c := j.client
	for _, m := range j.story.Messages {
		if m.Control && m.Lost && m.Part != End && strings.Contains(m.Note, "helper drops") {
			return m.Note
		}
	}
	if text := j.garbled(); text != "" {
		return text
	}
	switch {
	case c.refusal.Code != 0:
		return "the server says " + strings.TrimSuffix(c.refusal.String(), ".")
	case errors.Is(c.err, fakeclient.ErrTimeout):
		return fmt.Sprintf("no reply comes in %v", j.act.stage.replyFor()) + j.missing()
	case errors.Is(c.err, fakeclient.ErrClosed):
		return "the control connection is closed"
	case c.err != nil:
		return strings.TrimSuffix(c.err.Error(), ".")
	}
	return "nothing more is known"
}

// missing says what the reply that did not come may wait for: the last line
// that got lost.
func (j *judgement) missing() string {
	for _, m := range slices.Backward(j.story.Messages) {
		switch {
		case !m.Control || m.At >= j.client.until:
			continue
		case !m.Lost:
			return ""
		}
		what, predicate := fate(&m, 1+len(m.Again))
		if predicate {
			return fmt.Sprintf("; what comes last, \"%s\", is %s", m.Text, what)
		}
		return fmt.Sprintf("; what comes last is \"%s\", and %s", m.Text, what)
	}
	return ""
}

// garbled finds a line that one end reads and the other has not written, and
// that no helper claims: after a change of length the numbers of TCP are wrong.
func (j *judgement) garbled() string {
	wrote, rewritten := map[string]bool{}, ""
	ends := []string{j.spec.Client, j.spec.Server}
	for _, m := range j.story.Messages {
		switch {
		case !m.Control:
		case slices.Contains(ends, m.From):
			wrote[m.Text] = true
		case strings.Contains(m.Note, " becomes "):
			wrote[m.Text], rewritten = true, m.From
		case slices.Contains(ends, m.To) && !m.Lost && !wrote[m.Text] && rewritten != "" && !strings.HasPrefix(m.Text, "ICMP"):
			return fmt.Sprintf("the %s reads %s, which nobody wrote, since the helper of %s has changed the length of a line", m.To, m.Text, rewritten)
		}
	}
	return ""
}

// network is the name of a network in a sentence.
func network(name string) string {
	if strings.EqualFold(name, "internet") {
		return "the Internet"
	}
	return "the network " + name
}

func plural(n int, noun string) string {
	if n == 1 {
		return "one " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
