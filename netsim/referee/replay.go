package main

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/clock"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// replay is one reading of a vector at work.
type replay struct {
	*vector
	reading
	*chain
	segments []string
	sessions []*session
	arrived  []string // payloads at the server's wire
	at       int      // the segment that is on its way
	told     int      // replies of the first session so far
	problems []string
}

// verdict is what came of a vector: no differences when the profile does what
// was recorded, and how many readings were tried.
type verdict struct {
	differences []string
	readings    int
}

// judge replays a vector until a reading agrees. The differences are those of
// the first one.
func (v *vector) judge(ctx context.Context, f alg.Faults) verdict {
	var out verdict
	for _, r := range v.readings() {
		d := v.replay(ctx, r, f)
		out.readings++
		if len(d) == 0 {
			return verdict{readings: out.readings}
		}
		if out.differences == nil || len(d) < len(out.differences) {
			out.differences = d
		}
	}
	return out
}

// replay lets both sides of a vector say what they said, and returns how that
// differs from the record.
func (v *vector) replay(ctx context.Context, r reading, f alg.Faults) (differences []string) {
	defer func() {
		if e := recover(); e != nil { // an address that is none, say
			differences = []string{fmt.Sprintf("it cannot be replayed: %v", e)}
		}
	}()
	if r.otherwise {
		other := *v
		v, other.turned = &other, true
	}
	c := clock.New(clock.Options{Seed: 1})
	node := c.Node()
	way := routeOf(v)
	for i := range way.hops {
		way.hops[i].helper.Faults = f
	}
	chain, err := way.connect(node)
	if err != nil {
		return []string{err.Error()}
	}
	p := &replay{vector: v, reading: r, chain: chain, segments: unescapeAll(v.ClientSegments)}
	node.Go(v.ID, func() { p.run(ctx) })
	if err := c.Run(ctx); err != nil {
		return []string{err.Error()}
	}
	return append(p.problems, p.compare()...)
}

// run plays all segments in their order.
func (p *replay) run(ctx context.Context) {
	p.assign()
	for i := range p.segments {
		p.at = i
		p.disturb(ctx, i)
		s := p.sessionOf(i)
		if s.client.first == 0 {
			p.open(ctx, s)
		}
		if transfers(p.segments[i]) {
			p.dialIn(s)
		}
		p.send(ctx, s, i)
	}
	for _, s := range p.sessions {
		for len(s.pending) > 0 && !s.server.dead { // for what did not come, or nobody asked
			p.reply(ctx, s)
		}
		p.retransmit(s)
	}
}

// disturb lets happen what happens to the gateway before a segment or reply.
func (p *replay) disturb(ctx context.Context, i int) {
	if p.pause == i {
		_ = p.node.Sleep(ctx, p.idle()+time.Second)
	}
	if p.reading.forget == i {
		if err := p.chain.forget(); err != nil {
			p.problems = append(p.problems, err.Error())
		}
	}
}

// idle is after which time an idle connection is forgotten.
func (p *replay) idle() time.Duration {
	for _, h := range p.hops {
		if h.NAT != nil && h.NAT.Timeouts.Established > 0 {
			return h.NAT.Timeouts.Established
		}
	}
	return 0
}

// The numbers of first octets.
const (
	clientFirst = 1000
	serverFirst = 9000
)

// open makes the control connection, and lets the server greet.
func (p *replay) open(ctx context.Context, s *session) {
	s.client.first, s.client.peerFirst = clientFirst, serverFirst
	p.fromClient(packet.TCP(packet.Segment{Src: s.client.own, Dst: s.client.peer, Seq: clientFirst - 1, Flags: packet.SYN, Window: 64240, Options: synOptions}))
	for _, q := range p.atServer.take() {
		if v, err := q.Parse(); err == nil && v.TCP && v.Flags.Has(packet.SYN) {
			s.server = end{own: v.Dst, peer: v.Src, first: serverFirst, peerFirst: clientFirst}
		}
	}
	if s.server.first == 0 {
		p.problems = append(p.problems, "the control connection is not let through")
		s.server.dead = true
		return
	}
	p.fromServer(packet.TCP(packet.Segment{Src: s.server.own, Dst: s.server.peer, Seq: serverFirst - 1, Ack: clientFirst,
		Flags: packet.SYN | packet.ACK, Window: 65160, Options: synOptions}))
	p.atClient.take()
	p.fromClient(s.client.segment(0, 0, ""))
	p.atServer.take()
	p.reply(ctx, s) // the greeting
}

// send sends a segment of the client's.
func (p *replay) send(ctx context.Context, s *session, i int) {
	text, at := p.segments[i], s.client.sent
	if p.reading.places != nil && p.reading.places[i] >= 0 {
		at = uint32(p.reading.places[i])
	}
	s.client.sent = max(s.client.sent, at+uint32(len(text)))
	if p.lost[i] {
		return
	}
	p.fromClient(s.client.segment(at, packet.PSH, text))
	p.deliver(ctx, p.deaf[i])
}

// deliver lets both ends take what has come. A deaf server sees a segment on its
// wire, and takes no notice.
func (p *replay) deliver(ctx context.Context, deaf bool) {
	for range 1000 {
		atServer, atClient := p.atServer.take(), p.atClient.take()
		if len(atServer)+len(atClient) == 0 {
			return
		}
		for _, q := range atClient {
			p.clientGets(q)
		}
		for _, q := range atServer {
			p.serverGets(ctx, q, deaf)
		}
	}
}

// clientGets takes a packet at the client.
func (p *replay) clientGets(q *packet.Packet) {
	v, err := q.Parse()
	if err != nil || !v.TCP {
		return
	}
	for _, s := range p.sessions {
		if s.client.own != v.Dst || s.client.peer != v.Src {
			continue
		}
		if v.Flags.Has(packet.RST) {
			s.client.dead = true
		} else if v.Len() > 0 {
			s.client.take(&v, q.Payload(&v))
			p.fromClient(s.client.segment(s.client.sent, 0, ""))
		}
	}
}

// serverGets takes a packet at the server.
func (p *replay) serverGets(ctx context.Context, q *packet.Packet, deaf bool) {
	v, err := q.Parse()
	if err != nil || !v.TCP {
		return
	}
	for _, s := range p.sessions {
		if s.server.own != v.Dst || s.server.peer != v.Src {
			continue
		}
		switch {
		case v.Flags.Has(packet.RST):
			s.server.dead = true
			return
		case v.Len() > 0 && s.server.own.Addr() == p.server.Addr():
			p.arrived = append(p.arrived, string(q.Payload(&v)))
		}
		switch {
		case v.Len() == 0 || deaf:
		case s.server.dead:
			if r := packet.Reset(&v); r != nil {
				p.fromServer(r)
			}
		default:
			p.take(ctx, s, &v, q.Payload(&v))
		}
		return
	}
}

// take lets the server read a segment, and answer.
func (p *replay) take(ctx context.Context, s *session, v *packet.View, text []byte) {
	s.server.take(v, text)
	p.retransmit(s)
	before := s.server.sent
	for _, line := range s.lines() {
		p.serve(ctx, s, line)
	}
	if s.server.sent == before && !s.server.dead { // nothing carries the acknowledgement
		p.fromServer(s.server.segment(s.server.sent, 0, ""))
	}
}

// transferTime is what a slow transfer takes in the recordings.
const transferTime = 10 * time.Second

// serve answers a command.
func (p *replay) serve(ctx context.Context, s *session, line string) {
	dialled := !transfers(line)
	for len(s.pending) > 0 && !s.server.dead {
		last := final(s.pending[0])
		if !dialled && (last || len(s.pending) > 1) {
			dialled = true
			if !last {
				p.reply(ctx, s)
				p.dialOut(s)
				p.wait(ctx, s)
				continue
			}
			p.dialOut(s)
		}
		p.reply(ctx, s)
		if last {
			return
		}
	}
}

var every = regexp.MustCompile(`every (\d+) s`)

// wait lets the time of a transfer pass.
func (p *replay) wait(ctx context.Context, s *session) {
	if !p.slow {
		return
	}
	step := transferTime
	n := number(p.Notes, "keepalive-time ")
	if m := every.FindStringSubmatch(p.Title); m != nil {
		n = number(m[0], "every ")
	}
	if n > 0 {
		step = time.Duration(n) * time.Second
	}
	for passed := time.Duration(0); passed < transferTime; passed += step {
		_ = p.node.Sleep(ctx, step)
		switch {
		case step == transferTime:
		case p.has("server") && p.has("keepalive"):
			p.fromServer(s.server.segment(s.server.sent-1, 0, ""))
			p.atClient.take()
			p.fromClient(s.client.segment(s.client.sent, 0, ""))
		default: // a keepalive, or a command, which is the same to a gateway
			p.fromClient(s.client.segment(s.client.sent-1, 0, ""))
		}
	}
}

// reply lets the server say its next reply.
func (p *replay) reply(ctx context.Context, s *session) {
	if s == p.sessions[0] {
		p.disturb(ctx, replyStep+p.told)
		p.told++
	}
	if len(s.pending) == 0 { // a file that has no greeting
		return
	}
	text := s.pending[0]
	s.pending = s.pending[1:]
	if cut := p.cut; cut > 0 && cut < len(text) && len(s.pending) == 0 {
		p.say(ctx, s, text[:cut])
		text = text[cut:]
	}
	p.say(ctx, s, text)
}

// replyStep is added to the number of a reply, where segments are numbered too.
const replyStep = 1000

// say sends octets of the server's.
func (p *replay) say(ctx context.Context, s *session, text string) {
	at := s.server.sent
	s.server.sent += uint32(len(text))
	p.fromServer(s.server.segment(at, packet.PSH, text))
	p.deliver(ctx, false)
	if s.client.acknowledged() < serverFirst+s.server.sent {
		s.lost = append(s.lost, piece{at, text})
	}
}

// retransmit sends again what has not come to the client.
func (p *replay) retransmit(s *session) {
	lost := s.lost
	s.lost = nil
	for _, l := range lost {
		if s.server.dead {
			return
		}
		p.fromServer(s.server.segment(l.at, packet.PSH, l.text))
		for _, q := range p.atClient.take() {
			p.clientGets(q)
		}
		if s.client.acknowledged() < serverFirst+l.at+uint32(len(l.text)) {
			s.lost = append(s.lost, l)
		}
	}
}
