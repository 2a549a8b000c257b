package alg_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

func TestReassemblingAfterFIN(t *testing.T) {
	w := newWire(t, reassembling, classic)
	w.login()
	w.say(0, inPORT)
	end := w.next[0]
	w.pass(0, packet.Segment{Seq: end, Ack: w.next[1], Flags: packet.ACK | packet.FIN})
	if outs := w.pass(0, packet.Segment{Seq: end + 1, Ack: w.next[1] + 9, Flags: packet.ACK}); outs[0].Seq != end {
		t.Errorf("the last acknowledgement is at %d behind the FIN", int32(outs[0].Seq-end))
	}
	if outs := w.pass(0, packet.Segment{Seq: end, Ack: w.next[1], Flags: packet.ACK, Payload: []byte("more\r\n")}); texts(outs) != "" {
		t.Errorf("behind the FIN: %q", texts(outs))
	}
}

func TestReassemblingMakesTheSenderWait(t *testing.T) {
	w := newWire(t, reassembling, classic)
	passed := 0
	for passed < 200 && texts(w.say(0, inPORT)) == outPORT {
		passed++
	}
	if passed != 64 {
		t.Errorf("%d commands pass without an acknowledgement", passed)
	}
	w.next[0] -= uint32(len(inPORT))
	w.pass(1, packet.Segment{Seq: 9000, Ack: 1000 + 64*21, Flags: packet.ACK})
	if got := texts(w.say(0, inPORT)); got != outPORT {
		t.Errorf("after an acknowledgement: %q", got)
	}
}

func TestReassemblingSplitsWhatDoesNotFit(t *testing.T) {
	w := newWire(t, reassembling, between("10.0.0.2:41001", "218.63.1.5:41001", "218.63.1.100:21", "218.63.1.100:21"))
	text := strings.Repeat("NOOP\r\n", 239) + "PORT 10,0,0,2,4,1\r\nPWD\r\n\r\n" // 1460 octets
	outs := w.say(0, text)
	if len(outs) != 2 || outs[0].Len() != 1460 || outs[1].Seq != outs[0].Next() || outs[0].Flags.Has(packet.PSH) || !outs[1].Flags.Has(packet.PSH) {
		t.Errorf("got %d packets: %+v", len(outs), outs)
	}
	if got := strings.ReplaceAll(texts(outs), "|", ""); got != strings.Replace(text, "10,0,0,2", "218,63,1,5", 1) {
		t.Errorf("got %q", got)
	}
}

func TestReassemblingUrgent(t *testing.T) {
	w := newWire(t, reassembling, classic)
	w.login()
	w.say(0, inPORT)
	at := w.next[0]
	s := packet.Segment{Seq: at, Ack: w.next[1], Flags: packet.ACK, Window: 65535, Payload: []byte(inPORT + "\xff\xf4\xff\xf2ABOR\r\n")}
	outs := w.passUrgent(0, s, uint16(len(inPORT)+4))
	if len(outs) != 1 || !outs[0].Flags.Has(packet.URG) || outs[0].text[outs[0].Urgent:] != "ABOR\r\n" {
		t.Errorf("got %+v", outs)
	}
	w.next[0] += uint32(len(s.Payload))
	// The urgent octets of a segment that is held are urgent when it goes on.
	held := packet.Segment{Seq: w.next[0], Ack: w.next[1], Flags: packet.ACK, Window: 65535, Payload: []byte("PORT")}
	if outs := w.passUrgent(0, held, 3); texts(outs) != "" {
		t.Errorf("%q passes", texts(outs))
	}
	w.next[0] += 4
	if outs := w.say(0, "AL\r\n"); texts(outs) != "PORTAL\r\n" || outs[0].Urgent != 3 {
		t.Errorf("got %q, urgent %d", texts(outs), outs[0].Urgent)
	}
}

func TestReassemblingReset(t *testing.T) {
	w := newWire(t, reassembling, classic)
	w.login()
	w.say(0, inPORT)
	start := w.next[0] - 1 // outside
	w.say(0, "PORT 1")
	outs := w.pass(0, packet.Segment{Seq: w.next[0], Flags: packet.RST})
	if len(outs) != 1 || outs[0].Seq != start {
		t.Errorf("the RST is at %d of what the server has, which would not take it", outs[0].Seq-start)
	}
}

func TestReassemblingTLS(t *testing.T) {
	for _, c := range []struct {
		name, command, reply string
		blind                bool
	}{
		{"accepted", "AUTH TLS\r\n", "234 go on\r\n", true},
		{"with a challenge", "auth GSSAPI\r\n", "334 ADAT=\r\n", true},
		{"refused", "AUTH TLS\r\n", "431 no\r\n", false},
		{"not asked for", "NOOP\r\n", "234 go on\r\n", false},
		{"EPSV ALL accepted", "EPSV ALL\r\n", "200 ok\r\n", true},
		{"EPSV ALL refused", "EPSV ALL\r\n", "501 no\r\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, reassembling, classic)
			w.login()
			w.say(0, inPORT)
			w.say(0, c.command)
			w.say(1, c.reply)
			want := outPORT
			if c.blind {
				want = inPORT
			}
			outs := w.say(0, inPORT)
			if texts(outs) != want || outs[0].Seq != w.next[0]-uint32(len(inPORT))-1 {
				t.Errorf("got %q at %d", texts(outs), outs[0].Seq)
			}
			// What is not looked at need not come in order.
			w.next[0] += 100
			blind := c.blind && c.command != "EPSV ALL\r\n"
			if got := texts(w.say(0, "later\r\n")); blind != (got == "later\r\n") {
				t.Errorf("behind a gap: %q", got)
			}
		})
	}
}

func TestReassemblingTakesUpInTheMiddle(t *testing.T) {
	c := &connection{ends: classic, established: true}
	w := &wire{tb: t, conn: c, insp: attach(t, reassembling, c), next: [2]uint32{5000, 7000}}
	for _, s := range []struct{ in, out string }{{"PORT 192,168,1,2,4,1\r\nNO", ""}, {"OP\r\n", ""}, {inPORT, outPORT}} {
		if s.out == "" {
			s.out = s.in
		}
		if got := texts(w.say(0, s.in)); got != s.out {
			t.Errorf("%q becomes %q", s.in, got)
		}
	}
}

func TestReassemblingDropsDamagedSegments(t *testing.T) {
	w := newWire(t, reassembling, classic)
	p := packet.TCP(packet.Segment{Src: classic.real[0], Dst: classic.seen[1], Seq: 1000, Ack: 9000, Flags: packet.ACK, Payload: []byte(inPORT)})
	p.Data[len(p.Data)-3] ^= 1
	v, err := p.Parse()
	if err != nil {
		t.Fatal(err)
	}
	if w.insp.Inspect(p, &v, gateway.Client) || len(w.conn.expected) != 0 {
		t.Error("a segment with a wrong checksum was taken")
	}
}

func TestReassemblingLeavesWhatCannotBeOpened(t *testing.T) {
	w := newWire(t, reassembling, classic)
	w.conn.refuse = errors.New("too many")
	if got := texts(w.say(0, inPORT)); got != inPORT || !strings.Contains(w.conn.story(), "too many") {
		t.Errorf("got %q, story %q", got, w.conn.story())
	}
}

// TestThousandCommands has a thousand PORTs whose texts grow by different
// lengths, and a sequence number that wraps around within them.
func TestThousandCommands(t *testing.T) {
	for _, o := range []alg.Options{linux, reassembling} {
		t.Run(string(o.Profile), func(t *testing.T) {
			w := newWire(t, o, between("10.0.0.2:41001", "218.63.1.5:41001", "218.63.1.100:21", "218.63.1.100:21"))
			const isn = 0xffff_f000
			w.next[0] = isn + 1
			w.pass(0, packet.Segment{Seq: isn, Flags: packet.SYN, Window: 65535})
			w.pass(1, packet.Segment{Seq: 8999, Ack: isn + 1, Flags: packet.SYN | packet.ACK, Window: 65535})
			seen := w.next[0]
			check := func(in, want string) {
				t.Helper()
				outs := w.say(0, in)
				if len(outs) != 1 || outs[0].text != want || outs[0].Seq != seen {
					t.Fatalf("%q becomes %q at %d, want %q at %d", in, texts(outs), outs[0].Seq, want, seen)
				}
				seen += uint32(len(want))
				back := w.pass(1, packet.Segment{Seq: w.next[1], Ack: seen, Flags: packet.ACK, Window: 65535})
				if back[0].Ack != w.next[0] {
					t.Fatalf("the client has sent up to %d, and is told %d", w.next[0], back[0].Ack)
				}
			}
			check("USER x\r\n", "USER x\r\n")
			for i := range 1000 {
				zeros := []string{"", "0", "00"}[i%3] // the text shrinks as often as it grows
				if i%2 == 0 {
					check(fmt.Sprintf("PORT 10,%s0,0,%s2,4,%d\r\n", zeros, zeros, i%256), fmt.Sprintf("PORT 218,63,1,5,4,%d\r\n", i%256))
				} else {
					check(fmt.Sprintf("EPRT |1|10.0.0.2|%d|\r\n", 1024+i), fmt.Sprintf("EPRT |1|218.63.1.5|%d|\r\n", 1024+i))
				}
				check("NOOP\r\n", "NOOP\r\n")
			}
		})
	}
}
