package main

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// player plays a script on one gateway.
type player struct {
	net     *net
	arbiter arbiter
	ends    [2]end // client and server
	port    uint16 // the client's
}

// outcome is what a step has led to, in words that can be compared.
type outcome struct {
	out      []string // what came out, on either side
	expected []string
}

// play plays a script from a fresh start. Every script is played from another
// port of the client, so that what is left of one is nothing to the next.
func play(n *net, a arbiter, s script, port uint16) ([]outcome, error) {
	if err := a.fresh(); err != nil {
		return nil, err
	}
	p, err := begin(n, a, port)
	if err != nil {
		return nil, err
	}
	var all []outcome
	for _, st := range s.steps {
		o, err := p.step(st)
		if err != nil {
			return all, err
		}
		all = append(all, o)
	}
	return all, nil
}

// begin opens a control connection.
func begin(n *net, a arbiter, port uint16) (*player, error) {
	p := &player{net: n, arbiter: a, port: port}
	p.ends[client] = end{own: netip.AddrPortFrom(n.client, port), peer: n.dial, first: clientFirst, peerFirst: serverFirst}
	return p, p.handshake()
}

// handshake makes the gateway see that of a control connection.
func (p *player) handshake() error {
	c := &p.ends[client]
	out, err := p.arbiter.send(p.net.sideOf(client), packet.TCP(packet.Segment{Src: c.own, Dst: c.peer, Seq: clientFirst - 1,
		Flags: packet.SYN, Window: 64240, Options: synOptions}))
	if err != nil {
		return err
	}
	for _, q := range out[p.net.sideOf(server)] {
		if v, err := q.Parse(); err == nil && v.TCP && v.Flags.Has(packet.SYN) && v.Dst == p.net.server {
			p.ends[server] = end{own: v.Dst, peer: v.Src, first: serverFirst, peerFirst: clientFirst}
		}
	}
	s := &p.ends[server]
	if s.first == 0 {
		return fmt.Errorf("%s: the control connection is not let through", p.net.name)
	}
	if _, err := p.arbiter.send(p.net.sideOf(server), packet.TCP(packet.Segment{Src: s.own, Dst: s.peer, Seq: serverFirst - 1, Ack: clientFirst,
		Flags: packet.SYN | packet.ACK, Window: 65160, Options: synOptions})); err != nil {
		return err
	}
	_, err = p.arbiter.send(p.net.sideOf(client), c.segment(0, 0, ""))
	return err
}

// step sends one packet, and tells what came out.
func (p *player) step(st step) (outcome, error) {
	var q *packet.Packet
	if st.dial.IsValid() {
		q = packet.TCP(packet.Segment{Src: netip.AddrPortFrom(p.addr(st.from), st.fromPort), Dst: st.dial, Seq: 500_000, Flags: packet.SYN,
			Window: 64240, Options: synOptions})
	} else {
		q = p.segment(st)
	}
	got, err := p.arbiter.send(p.net.sideOf(st.from), q)
	if err != nil {
		return outcome{}, err
	}
	var o outcome
	for side, all := range got {
		for _, q := range all {
			o.out = append(o.out, [...]string{"inside", "outside"}[side]+": "+p.describe(q, st))
			p.take(side, q)
		}
	}
	t, err := p.arbiter.table()
	if err != nil {
		return o, err
	}
	for _, x := range t.Expectations {
		if x.By.Port() == p.port || x.Peer.Port() == p.port {
			o.expected = append(o.expected, p.expectation(x))
		}
	}
	slices.Sort(o.expected)
	return o, nil
}

func (p *player) addr(w who) netip.Addr {
	switch w {
	case client:
		return p.net.client
	case server:
		return p.net.server.Addr()
	case stranger:
	}
	return p.net.stranger
}

// segment is one of the control connection.
func (p *player) segment(st step) *packet.Packet {
	e := &p.ends[st.from]
	at := e.sent
	if st.at >= 0 {
		at = uint32(st.at)
	}
	e.sent = max(e.sent, at+uint32(len(st.text)))
	return packet.TCP(packet.Segment{Src: e.own, Dst: e.peer, Seq: e.first + at, Ack: e.acknowledged() + uint32(st.ack), Flags: st.flags | packet.ACK | packet.PSH,
		Window: window, Options: sackOption(st.sacks, e.peerFirst), Payload: []byte(st.text)})
}

// sackOption is the option of RFC 2018 with pairs of positions.
func sackOption(positions []int, first uint32) []byte {
	if len(positions) == 0 {
		return nil
	}
	out := []byte{1, 1, 5, byte(2 + 4*len(positions))}
	for _, at := range positions {
		out = binary.BigEndian.AppendUint32(out, first+uint32(at))
	}
	return out
}

// take lets the ends of the control connection take what has come.
func (p *player) take(side int, q *packet.Packet) {
	v, err := q.Parse()
	if err != nil || !v.TCP || v.Len() == 0 {
		return
	}
	for w := range p.ends {
		if e := &p.ends[w]; p.net.sideOf(who(w)) == side && e.own == v.Dst && e.peer == v.Src {
			e.take(&v, q.Payload(&v))
		}
	}
}

// describe tells a packet. What a gateway says itself has numbers of its own, and
// where it has to choose another port for a connection, it does so by chance.
func (p *player) describe(q *packet.Packet, st step) string {
	v, err := q.Parse()
	if err != nil {
		return fmt.Sprintf("%d octets that cannot be read: %v", len(q.Data), err)
	}
	if why, src, dst, ok := q.Quote(&v); ok {
		return fmt.Sprintf("ICMP %v about %v > %v", why, src, dst)
	}
	if !v.TCP {
		return fmt.Sprintf("protocol %d from %v to %v", v.Proto, v.Src.Addr(), v.Dst.Addr())
	}
	text := fmt.Sprintf("%v > %v %v", v.Src, v.Dst, v.Flags)
	if st.dial.IsValid() && v.Flags == packet.SYN && v.Src.Port() != st.fromPort {
		text = fmt.Sprintf("%v, another port, > %v %v", v.Src.Addr(), v.Dst, v.Flags)
	}
	if v.Flags.Has(packet.RST) && v.Len() == 0 {
		return text
	}
	var sacks []string
	q.SACKs(&v, func(edge uint32) { sacks = append(sacks, fmt.Sprint(edge)) })
	if !q.ChecksumOK(&v) {
		text += ", with a wrong checksum,"
	}
	text += fmt.Sprintf(" seq %d ack %d window %d hops %d", v.Seq, v.Ack, v.Window, v.TTL)
	if len(sacks) > 0 {
		text += " sack " + strings.Join(sacks, ",")
	}
	if v.Len() > 0 {
		text += fmt.Sprintf(" %q", q.Payload(&v))
	}
	return text
}

// expectation tells who may come where.
func (p *player) expectation(x gateway.ExpectationInfo) string {
	return fmt.Sprintf("%v may come to %v, which leads to %v", x.From, x.To, x.Real)
}
