package alg_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

var reassembling = alg.Options{Profile: alg.Reassembling}

const (
	inPORT  = "PORT 192,168,1,2,4,1\r\n"
	outPORT = "PORT 218,63,1,5,4,1\r\n"
)

func TestReassemblingText(t *testing.T) {
	for _, c := range []struct {
		name string
		ends ends
		from gateway.Side
		text string
		want string // "" for the same
		to   string // what is expected, "" for nothing
	}{
		{"PORT", classic, 0, inPORT, outPORT, "192.168.1.2:1025"},
		{"PORT behind another line", classic, 0, "NOOP\r\n" + inPORT + "RETR f\r\n", "NOOP\r\n" + outPORT + "RETR f\r\n", "192.168.1.2:1025"},
		{"in mixed case", classic, 0, "pOrT 192,168,1,2,4,1\r\n", "pOrT 218,63,1,5,4,1\r\n", "192.168.1.2:1025"},
		{"behind Telnet commands", classic, 0, "\xff\xf4\xff\xf2\xff\xfd\x01" + inPORT, "\xff\xf4\xff\xf2\xff\xfd\x01" + outPORT, "192.168.1.2:1025"},
		{"behind a DM that has lost its IAC", classic, 0, "\xff\xf4\xf2" + inPORT, "\xff\xf4\xf2" + outPORT, "192.168.1.2:1025"},
		{"behind a letter 255", classic, 0, "\xff\xff" + inPORT, "", ""},
		{"with more space", classic, 0, "PORT \t 192,168,1,2,4,1 \r\n", "PORT \t 218,63,1,5,4,1 \r\n", "192.168.1.2:1025"},
		{"with a bare LF", classic, 0, "PORT 192,168,1,2,4,1\n", "PORT 218,63,1,5,4,1\n", "192.168.1.2:1025"},
		{"an octet above 255", classic, 0, "PORT 448,168,1,2,4,1\r\n", "", ""},
		{"port 0", classic, 0, "PORT 192,168,1,2,0,0\r\n", "", ""},
		{"a stranger's address", classic, 0, "PORT 8,8,8,8,4,1\r\n", "", ""},
		{"the outside address", classic, 0, "PORT 218,63,1,5,4,1\r\n", "", ""},
		{"PORTX", classic, 0, "PORTX 192,168,1,2,4,1\r\n", "", ""},
		{"a file's name", classic, 0, "STOR PORT 192,168,1,2,4,1\r\n", "", ""},
		{"EPRT", classic, 0, "EPRT |1|192.168.1.2|1025|\r\n", "EPRT |1|218.63.1.5|1025|\r\n", "192.168.1.2:1025"},
		{"EPRT of IPv6", nat66, 0, "EPRT |2|fd11:1:0::2|1025|\r\n", "EPRT |2|2001:db8:63::5|1025|\r\n", "[fd11:1::2]:1025"},
		{"EPRT with a delimiter that the outside address has", nat66, 0, "EPRT b2bfd11:1::2b1025b\r\n", "EPRT |2|2001:db8:63::5|1025|\r\n", "[fd11:1::2]:1025"},
		{"EPRT of the other family", nat66, 0, "EPRT |1|192.168.1.2|1025|\r\n", "", ""},
		{"PORT without NAT", routed, 0, "PORT 192,168,1,02,4,1\r\n", "", "192.168.1.2:1025"},
		{"227", behind, 1, "227 Entering Passive Mode (192,168,1,2,195,81).\r\n", "227 Entering Passive Mode (218,63,1,5,195,81).\r\n", "192.168.1.2:50001"},
		{"227 of several lines", behind, 1, "227-x\r\n192,168,1,2,1,1\r\n227 (192,168,1,2,195,81)\r\n", "227-x\r\n192,168,1,2,1,1\r\n227 (218,63,1,5,195,81)\r\n", "192.168.1.2:50001"},
		{"227 within another reply", behind, 1, "211-x\r\n227 (192,168,1,2,195,81)\r\n211 end\r\n", "", ""},
		{"227 of an outside server", classic, 1, "227 (218,63,001,100,195,81)\r\n", "", "218.63.1.100:50001"},
		{"229 with a free port", behind, 1, "229 (|||50001|)\r\n", "", "192.168.1.2:50001"},
		{"229 with a port that is taken", behind, 1, "229 (|||1026|)\r\n", "229 (|||40000|)\r\n", "192.168.1.2:1026"},
		{"229 with an address", behind, 1, "229 (|1|192.168.1.2|50001|)\r\n", "", ""},
		{"an overlong line", classic, 0, "PORT 192,168,1,2,4,1" + strings.Repeat(" ", 1100) + "\r\n", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := c.want
			if want == "" {
				want = c.text
			}
			for _, size := range []int{len(c.text), 1, 7} { // octets in a segment
				w := newWire(t, reassembling, c.ends)
				w.conn.taken[1026] = true
				got := ""
				for at := 0; at < len(c.text); at += size {
					for _, o := range w.say(c.from, c.text[at:min(at+size, len(c.text))]) {
						got += o.text
					}
				}
				if got != want {
					t.Errorf("%d octets at a time: got %q, want %q\n%s", size, got, want, w.conn.story())
				}
				to := ""
				for _, e := range w.conn.expected {
					to += e.To.String()
				}
				if to != c.to {
					t.Errorf("%d octets at a time: expected %q, want %q", size, to, c.to)
				}
			}
		})
	}
}

func TestReassemblingHolds(t *testing.T) {
	w := newWire(t, reassembling, classic)
	w.login()
	start, end := w.next[0], w.next[0]
	say := func(text string) ([]out, []out) { // what the server gets, what the client gets
		outs := w.pass(0, packet.Segment{Seq: end, Ack: w.next[1], Flags: packet.ACK, Window: 65535, Payload: []byte(text)})
		end += uint32(len(text))
		var back []out
		for _, q := range w.conn.sent {
			if q.to == gateway.Client {
				back = append(back, w.read(q.p))
			}
		}
		return outs, back
	}
	ack := func(n uint32) uint32 { // what the client sees of an acknowledgement of the server
		outs := w.pass(1, packet.Segment{Seq: w.next[1], Ack: start + n, Flags: packet.ACK, Window: 65535})
		return outs[0].Ack - start
	}

	// The server has not acknowledged PWD: what is held stays unacknowledged.
	outs, back := say("PWD\r\nPO")
	if texts(outs) != "PWD\r\n" || len(back) != 0 {
		t.Errorf("got %q and %d answers", texts(outs), len(back))
	}
	if got := ack(5); got != 7 {
		t.Errorf("acknowledged %d octets, want 7: those of the line that is held too", got)
	}
	outs, back = say("RT 192")
	if len(outs) != 0 || len(back) != 1 || back[0].Ack != end || back[0].Len() != 0 || back[0].Seq != w.next[1] ||
		back[0].Src != classic.real[1] || back[0].Dst != classic.seen[0] {
		t.Errorf("got %q and the answers %+v", texts(outs), back)
	}
	if outs := w.pass(0, packet.Segment{Seq: end - 1, Ack: w.next[1], Flags: packet.ACK, Window: 65535}); outs[0].Seq != start+4 {
		t.Errorf("a probe reaches the server at %d, where it asks for nothing", outs[0].Seq-start)
	}
	if outs := w.pass(0, packet.Segment{Seq: end, Ack: w.next[1] + 1, Flags: packet.ACK, Window: 65535}); outs[0].Seq != start+5 {
		t.Errorf("an acknowledgement has the number %d, beyond what the server can have", outs[0].Seq-start)
	}
	last := end
	outs, back = say(",168,1,2,4,1\r\n")
	if texts(outs) != outPORT || outs[0].Seq != start+5 || len(back) != 0 {
		t.Errorf("got %q at %d, and %d answers", texts(outs), outs[0].Seq-start, len(back))
	}
	if got := ack(5); got != last-start {
		t.Errorf("acknowledged %d octets, want %d", got, last-start)
	}
	if got := ack(5 + 21); got != end-start {
		t.Errorf("acknowledged %d octets of %d", got, end-start)
	}
	if outs := w.pass(0, packet.Segment{Seq: end - 1, Ack: w.next[1], Flags: packet.ACK, Window: 65535}); outs[0].Seq >= start+5+21 {
		t.Errorf("a probe reaches the server at %d, where it asks for nothing", outs[0].Seq-start)
	}
	// A repetition of the end brings the whole line once more.
	if outs := w.pass(0, packet.Segment{Seq: end - 2, Flags: packet.ACK, Payload: []byte("\r\n")}); texts(outs) != outPORT || outs[0].Seq != start+5 {
		t.Errorf("the repetition is %q at %d", texts(outs), outs[0].Seq-start)
	}
}

func TestReassemblingRepeatsWhatItAcknowledged(t *testing.T) {
	for _, c := range []struct{ name, held, rest, out string }{
		{"a line that was none", "PO", "X\r\n", "POX\r\n"},
		{"a line that came to nothing", "PORT 1", "\r\n", "PORT 1\r\n"},
		{"a line that FIN cuts off", "PORT 1", "", "PORT 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, reassembling, classic)
			w.login()
			start := w.next[0]
			if got := texts(w.say(0, c.held)); got != "" {
				t.Fatalf("%q passes", got)
			}
			rest := packet.Segment{Seq: w.next[0], Ack: w.next[1], Flags: packet.ACK, Window: 65535, Payload: []byte(c.rest)}
			if c.rest == "" {
				rest.Flags |= packet.FIN
			}
			for range 3 {
				outs := w.pass(0, rest)
				if texts(outs) != c.out || outs[0].Seq != start || outs[0].Flags.Has(packet.FIN) != (c.rest == "") {
					t.Errorf("got %q, %v at %d", texts(outs), outs[0].Flags, outs[0].Seq-start)
				}
			}
		})
	}
}

func TestReassemblingWaitsForTheOrder(t *testing.T) {
	w := newWire(t, reassembling, classic)
	w.login()
	start := w.next[0]
	second := packet.Segment{Seq: start + 6, Ack: w.next[1], Flags: packet.ACK | packet.FIN, Window: 65535, Payload: []byte(inPORT)}
	if got := texts(w.pass(0, second)); got != "" {
		t.Errorf("%q passes although NOOP is missing", got)
	}
	outs := w.say(0, "NOOP\r\n")
	if texts(outs) != "NOOP\r\n"+outPORT || !outs[0].Flags.Has(packet.FIN) {
		t.Errorf("got %q %v", texts(outs), outs[0].Flags)
	}

	w = newWire(t, reassembling, classic)
	w.pass(0, packet.Segment{Seq: start, Ack: w.next[1], Flags: packet.ACK | packet.FIN})
	w.next[0] = 1000
	if outs := w.say(0, "USER anonymous\r\n"); !outs[0].Flags.Has(packet.FIN) {
		t.Errorf("the FIN that came early does not go on: %v", outs[0].Flags)
	}
}

func TestReassemblingNumbers(t *testing.T) {
	grows := between("10.0.0.2:41001", "218.63.1.5:41001", "218.63.1.100:21", "218.63.1.100:21")
	const in, out = "PORT 10,0,0,2,4,1\r\n", "PORT 218,63,1,5,4,1\r\n" // 19 and 21 octets; the numbers begin at 5
	t.Run("of a changed text the receiver has all or nothing", func(t *testing.T) {
		w := newWire(t, reassembling, grows)
		w.say(0, in)
		w.say(0, in)
		for _, c := range []struct{ ack, left, right, wantAck, wantLeft, wantRight uint32 }{
			{5, 19, 21, 5, 17, 19},   // behind the first change
			{6, 21, 42, 5, 19, 38},   // from the second line on
			{6, 10, 30, 5, 17, 24},   // from the first change into the second
			{5, 8, 28, 5, 17, 24},    // from within the first to within the second
			{5, 8, 12, 5, 5, 5},      // within the first: nothing
			{21, 26, 41, 19, 24, 37}, // the second change and one octet more
		} {
			options := []byte{1, 1, 5, 10}
			for _, edge := range []uint32{c.left, c.right} {
				edge += 1000
				options = append(options, byte(edge>>24), byte(edge>>16), byte(edge>>8), byte(edge))
			}
			p := packet.TCP(packet.Segment{Src: grows.real[1], Dst: grows.seen[0], Seq: 9000, Ack: 1000 + c.ack, Flags: packet.ACK, Options: options})
			v, err := p.Parse()
			if err != nil || !w.insp.Inspect(p, &v, gateway.Server) {
				t.Fatal(err)
			}
			got := []uint32{v.Ack - 1000}
			p.MapSACK(&v, func(edge uint32) uint32 { got = append(got, edge-1000); return edge })
			if want := []uint32{c.wantAck, c.wantLeft, c.wantRight}; !slices.Equal(got, want) || !p.ChecksumOK(&v) {
				t.Errorf("%+v: got %v", c, got)
			}
		}
	})
	t.Run("of a text that was only held, it has what it says", func(t *testing.T) {
		w := newWire(t, reassembling, grows)
		w.say(0, "PORT 1")
		w.say(0, "23\r\n")
		for ack, want := range map[uint32]uint32{0: 6, 5: 6, 7: 7, 10: 10} {
			if outs := w.pass(1, packet.Segment{Seq: 9000, Ack: 1000 + ack, Flags: packet.ACK}); outs[0].Ack-1000 != want {
				t.Errorf("the server has %d octets, the client is told %d", ack, outs[0].Ack-1000)
			}
		}
	})
	t.Run("an old acknowledgement stays old", func(t *testing.T) {
		w := newWire(t, reassembling, grows)
		for i := range uint32(40) {
			w.say(0, in)
			w.pass(1, packet.Segment{Seq: 9000, Ack: 1000 + uint32(len(out))*(i+1), Flags: packet.ACK})
		}
		if outs := w.pass(1, packet.Segment{Seq: 9000, Ack: 1000, Flags: packet.ACK}); int32(outs[0].Ack-1000) < 0 || int32(w.next[0]-outs[0].Ack) < 0 {
			t.Errorf("acknowledged up to %d of %d", int32(outs[0].Ack-1000), w.next[0]-1000)
		}
		if outs := w.pass(0, packet.Segment{Seq: 1000, Ack: 9000, Flags: packet.ACK, Payload: []byte(in)}); len(outs) != 1 || outs[0].Len() != 0 || int32(outs[0].Seq-1000-40*21) >= 0 {
			t.Errorf("a repetition of what is forgotten: %+v", outs)
		}
	})
	t.Run("what a server cannot have does not count", func(t *testing.T) {
		w := newWire(t, reassembling, grows)
		w.pass(1, packet.Segment{Seq: 9000, Ack: 1100, Flags: packet.ACK})
		w.say(0, "PWD\r\nPO")
		for _, q := range w.conn.sent {
			t.Errorf("an answer: %v", q.p)
		}
	})
}

func TestReassemblingAnswersForTheReceiver(t *testing.T) {
	c := &connection{ends: classic, established: true}
	w := &wire{tb: t, conn: c, insp: attach(t, reassembling, c), next: [2]uint32{1000, 9000}}
	stamps := func(value, echo byte) []byte { return []byte{1, 1, 8, 10, 0, 0, 0, value, 0, 0, 0, echo} }
	w.pass(0, packet.Segment{Seq: 999, Flags: packet.SYN, Options: append([]byte{1, 3, 3, 7}, stamps(1, 0)...)})
	w.pass(1, packet.Segment{Seq: 8999, Ack: 1000, Flags: packet.SYN | packet.ACK, Window: 64000, Options: append([]byte{1, 3, 3, 5}, stamps(50, 1)...)})
	answer := func(text string, stamp byte) out {
		t.Helper()
		w.pass(0, packet.Segment{Seq: w.next[0], Ack: 9000, Flags: packet.ACK, Options: stamps(stamp, 50), Payload: []byte(text)})
		w.next[0] += uint32(len(text))
		if len(c.sent) != 1 || c.sent[0].to != gateway.Client {
			t.Fatalf("%d answers", len(c.sent))
		}
		if options := c.sent[0].p.Data[40:]; string(options) != string(stamps(50, stamp)) {
			t.Errorf("options % x", options)
		}
		return w.read(c.sent[0].p)
	}
	// The window in a SYN is not scaled, the others are.
	if a := answer("PO", 2); a.Window != 64000>>5 || a.Ack != 1002 || a.Seq != 9000 {
		t.Errorf("got %+v", a)
	}
	w.pass(1, packet.Segment{Seq: 9000, Ack: 1000, Flags: packet.ACK, Window: 77, Options: stamps(50, 1)})
	if a := answer("RT", 3); a.Window != 77 || a.Ack != 1004 {
		t.Errorf("got %+v", a)
	}
	// What is held does not take the window's news with it.
	outs := w.pass(0, packet.Segment{Seq: w.next[0], Ack: 9000, Flags: packet.ACK, Window: 5, Options: stamps(4, 50), Payload: []byte(" ")})
	if len(outs) != 1 || outs[0].Window != 5 || outs[0].Len() != 0 || outs[0].Seq != 1000 {
		t.Errorf("a new window: %+v", outs)
	}
}
