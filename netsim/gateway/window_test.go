package gateway_test

import (
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// Numbers of the connections here: those of the first octets of both ends.
const (
	mine   = 1_000_000
	theirs = 2_000_000
)

// scaled is the options of a SYN of an end that shifts its window by 7.
var scaled = []byte{1, 3, 3, 7}

// talk is a connection that is open, with windows of 64 KiB.
func talk(t *testing.T, o gateway.Options) *lab {
	t.Helper()
	l := newExactLab(t, o, time.Hour)
	l.send(inside, packet.TCP(packet.Segment{Src: ep(client), Dst: ep(server), Flags: packet.SYN, Seq: mine - 1, Window: 64_240, Options: scaled}))
	l.send(outside, packet.TCP(packet.Segment{Src: ep(server), Dst: ep(seenAt), Flags: packet.SYN | packet.ACK, Seq: theirs - 1, Ack: mine, Window: 65_160, Options: scaled}))
	l.send(inside, packet.TCP(packet.Segment{Src: ep(client), Dst: ep(server), Flags: packet.ACK, Seq: mine, Ack: theirs, Window: 502}))
	l.left()
	return l
}

// seenAt is the client as the server sees it.
const seenAt = "218.63.1.5:40001"

func TestWindows(t *testing.T) {
	t.Parallel()
	const open = 502 << 7 // what each end lets the other send
	for _, c := range []struct {
		name     string
		from     int
		seq, ack uint32
		text     string
		flags    packet.Flags
		passes   bool
	}{
		{"in order", inside, mine, theirs, "NOOP\r\n", 0, true},
		{"a gap", inside, mine + 1000, theirs, "NOOP\r\n", 0, true},
		{"the last octet that fits", inside, mine + 65_159, theirs, "N", 0, true},
		{"far beyond the window", inside, mine + 300_000, theirs, "NOOP\r\n", 0, false},
		{"far before it, as a late repetition is", inside, mine - 300_000, theirs, "NOOP\r\n", 0, true},
		{"of what was never sent", inside, mine, theirs + 1, "NOOP\r\n", 0, false},
		{"an acknowledgement from before", inside, mine, theirs - 66_000, "NOOP\r\n", 0, true},
		{"one from long before", inside, mine, theirs - 66_001, "NOOP\r\n", 0, true},
		{"a reply in order", outside, theirs, mine, "200 ok\r\n", 0, true},
		{"a reply for what was never sent", outside, theirs, mine + 1, "200 ok\r\n", 0, false},
		{"a reply beyond the window", outside, theirs + open + 100_000, mine, "200 ok\r\n", 0, false},
		{"a FIN in order", inside, mine, theirs, "", packet.FIN, true},
		{"a RST beyond the window", outside, theirs + 300_000, mine, "", packet.RST, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := talk(t, gateway.Linux())
			src, dst := ep(client), ep(server)
			if c.from == outside {
				src, dst = ep(server), ep(seenAt)
			}
			l.send(c.from, packet.TCP(packet.Segment{Src: src, Dst: dst, Flags: packet.ACK | c.flags, Seq: c.seq, Ack: c.ack, Window: 502, Payload: []byte(c.text)}))
			want := "out: " + seenAt + " > " + server
			if c.from == outside {
				want = "in: " + server + " > " + client
			}
			got := l.left()
			if passes := len(got) >= len(want) && got[:len(want)] == want; passes != c.passes {
				t.Errorf("passes: %v; what left:\n%s\n%v", passes, got, l.g.Drops())
			}
		})
	}
}

// A segment from outside that is invalid is for the gateway itself, which
// refuses it.
func TestInvalidIsAnswered(t *testing.T) {
	t.Parallel()
	l := talk(t, gateway.Linux())
	l.send(outside, packet.TCP(packet.Segment{Src: ep(server), Dst: ep(seenAt), Flags: packet.ACK, Seq: theirs, Ack: mine + 1, Window: 502, Payload: []byte("200 ok\r\n")}))
	l.want(l.left(), "out: "+seenAt+" > "+server+" RST")
}

// One from inside leaves with the inside address, or not at all.
func TestInvalidLeaks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		leaks bool
		want  string
	}{{true, "out: " + client + " > " + server + " ACK"}, {false, ""}} {
		o := gateway.Linux()
		o.NAT.PassInvalid = c.leaks
		l := talk(t, o)
		l.send(inside, packet.TCP(packet.Segment{Src: ep(client), Dst: ep(server), Flags: packet.ACK, Seq: mine, Ack: theirs + 1, Window: 502}))
		l.want(l.left(), c.want)
	}
}

// What a connection lets pass grows with what is acknowledged.
func TestWindowMoves(t *testing.T) {
	t.Parallel()
	l := talk(t, gateway.Linux())
	for i := range uint32(400) {
		l.send(inside, packet.TCP(packet.Segment{Src: ep(client), Dst: ep(server), Flags: packet.ACK, Seq: mine + 1000*i, Ack: theirs, Window: 502, Payload: make([]byte, 1000)}))
		l.want(l.left(), "out: "+seenAt+" > "+server+" ACK")
		l.send(outside, packet.TCP(packet.Segment{Src: ep(server), Dst: ep(seenAt), Flags: packet.ACK, Seq: theirs, Ack: mine + 1000*(i+1), Window: 502}))
		l.want(l.left(), "in: "+server+" > "+client+" ACK")
	}
}

// A connection whose beginning was not seen has no numbers to be held against.
func TestWindowOfResumed(t *testing.T) {
	t.Parallel()
	l := newExactLab(t, gateway.Linux(), time.Hour)
	for _, seq := range []uint32{mine, mine + 500_000} {
		l.send(inside, packet.TCP(packet.Segment{Src: ep(client), Dst: ep(server), Flags: packet.ACK, Seq: seq, Ack: theirs, Window: 502}))
		l.want(l.left(), "out: "+seenAt+" > "+server+" ACK")
	}
	l.send(outside, packet.TCP(packet.Segment{Src: ep(server), Dst: ep(seenAt), Flags: packet.ACK, Seq: theirs - 7000, Ack: mine, Window: 502}))
	l.want(l.left(), "in: "+server+" > "+client+" ACK")
}
