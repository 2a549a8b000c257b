package suites

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
	"github.com/ftpconform/ftpconform/netsim/wire"
)

// The checks of gateways look at what passes on the wires beside a gateway: a
// requirement on it is one on packets, and neither end can see them all.

// tape holds what has passed the end of a wire where its node is.
type tape struct {
	mu     sync.Mutex
	passed []passage
}

// passage is a packet that the node has sent, or that was brought to it.
type passage struct {
	At   time.Time
	Sent bool
	*packet.Packet
	View packet.View
	Err  error // of reading it
}

// record begins to record what passes a node's wire.
func (sc *Scene) record(name string) *tape {
	t := &tape{}
	sc.Wire(name).Tap(func(m wire.Moment, from int, at time.Time, p *packet.Packet) {
		if sent := from == 0; sent && m == wire.Sent || !sent && m == wire.Arrived {
			x := passage{At: at, Sent: sent, Packet: p.Clone()}
			x.View, x.Err = p.Parse()
			t.mu.Lock()
			t.passed = append(t.passed, x)
			t.mu.Unlock()
		}
	})
	return t
}

// all lists the packets of which f says so, in their order.
func (t *tape) all(f func(x passage) bool) []passage {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []passage
	for _, x := range t.passed {
		if f(x) {
			out = append(out, x)
		}
	}
	return out
}

// segments lists those of one direction of a connection.
func (t *tape) segments(src, dst netip.AddrPort) []passage {
	return t.all(func(x passage) bool { return x.Err == nil && x.View.TCP && x.View.Src == src && x.View.Dst == dst })
}

// opens reports whether a packet begins a connection to an endpoint.
func (x *passage) opens(to netip.AddrPort) bool {
	return x.Err == nil && x.View.TCP && x.View.Dst == to && x.View.Flags&(packet.SYN|packet.ACK) == packet.SYN
}

// syns lists the segments that begin a connection to an endpoint.
func (t *tape) syns(to netip.AddrPort) []passage {
	return t.all(func(x passage) bool { return x.opens(to) })
}

// maxStream bounds the streams that are put together.
const maxStream = 1 << 20

// stream is what one end of a connection has sent to the other, as the receiver
// puts it together. The error says that octets are missing, or that a
// repetition has another text than the first time.
func (t *tape) stream(src, dst netip.AddrPort) (string, error) {
	var (
		text  []byte
		have  []bool
		first uint32
		err   error
	)
	for _, x := range t.segments(src, dst) {
		if x.View.Flags.Has(packet.SYN) {
			first = x.View.Seq + 1
			continue
		}
		at := int(int32(x.View.Seq - first))
		payload := x.Payload(&x.View)
		if at < 0 || at+len(payload) > maxStream {
			err = errors.Join(err, fmt.Errorf("a segment has the number %d, %d octets from the start", x.View.Seq, at))
			continue
		}
		if n := at + len(payload) - len(text); n > 0 {
			text, have = append(text, make([]byte, n)...), append(have, make([]bool, n)...)
		}
		for i, c := range payload {
			if have[at+i] && text[at+i] != c && err == nil {
				err = fmt.Errorf("octet %d is %q at first and %q when it is repeated", at+i, text[at+i], c)
			}
			if !have[at+i] {
				text[at+i], have[at+i] = c, true
			}
		}
	}
	if i := slices.Index(have, false); i >= 0 {
		return string(text[:i]), errors.Join(err, fmt.Errorf("after %d octets some are missing", i))
	}
	return string(text), err
}

// border is a gateway, watched on both sides.
type border struct {
	*gateway.Gateway
	inside, outside *tape

	s *Session
}

// border begins to watch a gateway of the check's network, see here. What the
// gateway does goes into the trace.
func (s *Session) border(name string) *border {
	b := &border{Gateway: s.Scene.Gateway(name), s: s,
		inside: s.Scene.record(name + "/inside"), outside: s.Scene.record(name + "/outside")}
	b.Observe(func(c gateway.Change) { s.Client.Trace().Note("%s: %s", name, c) })
	return b
}

// leaving lists the packets that have left the gateway, to either side.
func (b *border) leaving() []passage {
	sent := func(x passage) bool { return x.Sent }
	return append(b.inside.all(sent), b.outside.all(sent)...)
}

// talk is a control connection that passes the gateway.
type talk struct {
	b *border
	// There are the endpoints that packets have on a side.
	in, out struct{ client, server netip.AddrPort }
}

// follow finds a control connection in the gateway's table.
func (b *border) follow(c *Control) *talk {
	var found []gateway.ConnectionInfo
	for _, i := range b.Table().Connections {
		if i.Server.Seen == c.Remote && i.Left > 0 {
			found = append(found, i)
		}
	}
	if len(found) > 1 { // behind another gateway, the client has another address
		found = slices.DeleteFunc(found, func(i gateway.ConnectionInfo) bool { return i.Client.Real != c.Local })
	}
	if len(found) != 1 {
		b.s.Inconclusive("the gateway does not know the control connection from %s", c.Local)
	}
	k := &talk{b: b}
	k.in.client, k.in.server = found[0].Client.Real, found[0].Server.Real
	k.out.client, k.out.server = found[0].Client.Seen, found[0].Server.Seen
	return k
}

// commands is what the client has said, as it stands on a side of the gateway.
func (k *talk) commands(t *tape) (string, error) {
	if t == k.b.inside {
		return t.stream(k.in.client, k.in.server)
	}
	return t.stream(k.out.client, k.out.server)
}

// replies is what the server has said.
func (k *talk) replies(t *tape) (string, error) {
	if t == k.b.inside {
		return t.stream(k.in.server, k.in.client)
	}
	return t.stream(k.out.server, k.out.client)
}

// announced finds the last endpoint that was announced in a mode, as it stands
// on the outside wire, with the line.
func (k *talk) announced(m Mode) (ep netip.AddrPort, line string) {
	text, err := k.commands(k.b.outside)
	word := string(m)
	if !m.Active() {
		text, err = k.replies(k.b.outside)
		word = map[Mode]string{PASV: "227", EPSV: "229"}[m]
	}
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, word+" ") {
			line = strings.TrimRight(l, "\r\n")
		}
	}
	if line == "" {
		k.b.s.Inconclusive("no line with %s has left the gateway%s", word, because(err))
	}
	ep, err = endpointIn(m, line)
	if err != nil {
		k.b.s.Fatal("outside, the line %q names no endpoint: %v", line, err)
	}
	return ep, line
}

// endpointIn reads the endpoint that a line announces; 229 names the port only.
func endpointIn(m Mode, line string) (netip.AddrPort, error) {
	argument := line[min(5, len(line)):]
	switch m {
	case PORT:
		return ftp.ParseHostPort(argument)
	case EPRT:
		return ftp.ParseExtended(argument)
	case EPSV:
		port, _, err := ftp.ScanEPSVReply(line[4:])
		return netip.AddrPortFrom(netip.Addr{}, port), err
	default:
		ep, _, err := ftp.ScanPASVReply(line[4:])
		return ep, err
	}
}

// intercept lets f decide about the segments that the node of a wire sends: it
// returns false for one that is to be lost. nil lets all pass again.
func (sc *Scene) intercept(name string, f func(p *packet.Packet, v *packet.View) bool) {
	if f == nil {
		sc.Wire(name).Intercept(nil)
		return
	}
	sc.Wire(name).Intercept(func(from int, p *packet.Packet) bool {
		v, err := p.Parse()
		return from != 0 || err != nil || !v.TCP || v.Fragment() || f(p, &v)
	})
}

// put sends a packet in the name of a host.
func (sc *Scene) put(host string, p *packet.Packet) { sc.Wire(host).End(0).Input(p) }

// pair opens a connection between two hosts of the network.
func (s *Session) pair(from, to netip.AddrPort) (near, far *fakeclient.Data) {
	l, err := s.Client.Listen(to)
	if err != nil {
		s.Inconclusive("%v", err)
	}
	near, err = s.Client.DialData(from, to)
	if err != nil {
		s.Inconclusive("no connection through the gateway: %v", err)
	}
	far, err = l.Accept(s.Bounds.Close)
	if err != nil {
		s.Inconclusive("the connection through the gateway did not arrive: %v", err)
	}
	_ = l.Close()
	return near, far
}

// because is an error as the end of a message, nothing when there is none.
func because(err error) string {
	if err == nil {
		return ""
	}
	return " (" + err.Error() + ")"
}
