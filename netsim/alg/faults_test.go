package alg_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// engines are the profiles with which faults go.
var engines = []alg.Profile{alg.Linux, alg.Reassembling}

// exchange is what a fault is seen by: a session with a few PORTs, seen from
// both ends. Numbers count from the first PORT.
type exchange struct {
	texts    []string // what the server gets
	at       []uint32 // where
	acks     []uint32 // what the client is told when the server has all
	sack     []uint32
	expected []gateway.Expectation
}

func perform(t *testing.T, o alg.Options, e ends) exchange {
	t.Helper()
	w := newWire(t, o, e)
	w.login()
	w.conn.taken[1026] = true
	start, x := w.next[0], exchange{}
	said := start
	say := func(text string) {
		outs := w.say(0, text)
		for _, out := range outs {
			x.texts, x.at = append(x.texts, out.text), append(x.at, out.Seq-start)
			said = max(said, out.Next())
		}
		back := w.pass(1, packet.Segment{Seq: w.next[1], Ack: said, Flags: packet.ACK, Window: 65535})
		x.acks = append(x.acks, back[0].Ack-start)
	}
	say(inPORT)
	w.next[0] -= uint32(len(inPORT))
	say(inPORT) // once more
	say("PORT 192,168,1,2,4,2\r\nPWD\r\n")
	say("EPRT |1|192.168.1.2|1027|\r\n")
	for range 3 {
		say("PORT 192,168,1,2,4,3\r\n")
	}
	say("NOOP\r\n")
	p := packet.TCP(packet.Segment{Src: e.real[1], Dst: e.seen[0], Seq: w.next[1], Ack: said, Flags: packet.ACK,
		Options: []byte{1, 1, 5, 10, byte((said + 5) >> 24), byte((said + 5) >> 16), byte((said + 5) >> 8), byte(said + 5),
			byte((said + 9) >> 24), byte((said + 9) >> 16), byte((said + 9) >> 8), byte(said + 9)}})
	v, err := p.Parse()
	if err != nil || !w.insp.Inspect(p, &v, gateway.Server) {
		t.Fatalf("an acknowledgement does not pass: %v", err)
	}
	p.MapSACK(&v, func(e uint32) uint32 { x.sack = append(x.sack, e-start); return e })
	x.expected = w.conn.expected
	return x
}

// TestNumbersFaults compares numbers that are not adjusted with those that are.
func TestNumbersFaults(t *testing.T) {
	for _, profile := range engines {
		t.Run(string(profile), func(t *testing.T) {
			right := perform(t, alg.Options{Profile: profile}, classic)
			// Of the commands, 22 octets become 21, 22 become 24 with the port that
			// the gateway gives, and 28 become 26.
			if want := []uint32{0, 0, 21, 50, 76, 97, 118, 139}; !slices.Equal(right.at, want) && profile == alg.Reassembling {
				t.Fatalf("without faults: %v", right.at)
			}
			for _, c := range []struct {
				name  string
				fault alg.Faults
				wrong func(x exchange) bool
			}{
				{"NoSequence", alg.Faults{NoSequence: true}, func(x exchange) bool { return x.at[2] == 22 }},
				{"NoAcknowledge", alg.Faults{NoAcknowledge: true}, func(x exchange) bool { return x.acks[0] == 21 && right.acks[0] == 22 }},
				{"NoSACK", alg.Faults{NoSACK: true}, func(x exchange) bool { return x.sack[0] != right.sack[0] && x.acks[4] == right.acks[4] }},
				{"ForgetsDelta", alg.Faults{ForgetsDelta: true}, func(x exchange) bool { return x.at[2] == 21 && x.at[4] != right.at[4] }},
				{"DeltaTwice", alg.Faults{DeltaTwice: true}, func(x exchange) bool { return x.at[2] == right.at[2]-1 }},
			} {
				if x := perform(t, alg.Options{Profile: profile, Faults: c.fault}, classic); !c.wrong(x) {
					t.Errorf("%s: at %v, acknowledged %v, selectively %v\nright %v %v %v", c.name, x.at, x.acks, x.sack, right.at, right.acks, right.sack)
				}
			}
		})
	}
}

func TestTextFaults(t *testing.T) {
	const swallow = inPORT + "PWD\r\n"
	for _, profile := range engines {
		for _, c := range []struct {
			name     string
			fault    alg.Faults
			ends     ends
			from     gateway.Side
			in, out  string
			expected int
		}{
			{"LeavesAddress", alg.Faults{LeavesAddress: true}, classic, 0, inPORT, inPORT, 1},
			{"KeepsPort", alg.Faults{KeepsPort: true}, classic, 0, "PORT 192,168,1,2,4,2\r\n", "PORT 218,63,1,5,4,2\r\n", 1},
			{"LeavesPASV", alg.Faults{LeavesPASV: true}, behind, 1, "227 (192,168,1,2,4,1)\r\n", "227 (192,168,1,2,4,1)\r\n", 0},
			{"LeavesEPRT", alg.Faults{LeavesEPRT: true}, classic, 0, "EPRT |1|192.168.1.2|1025|\r\n", "EPRT |1|192.168.1.2|1025|\r\n", 0},
			{"MangledEPSV", alg.Faults{MangledEPSV: true}, classic, 1, "229 (|||50001|)\r\n", "229 (|||50002|)\r\n", 1},
			{"MangledEPSV and an inside server", alg.Faults{MangledEPSV: true}, behind, 1, "229 (|||50001|)\r\n", "229 (|||50001|)\r\n", 1},
			{"SwallowsLine", alg.Faults{SwallowsLine: true}, classic, 0, swallow, outPORT, 1},
		} {
			t.Run(string(profile)+"/"+c.name, func(t *testing.T) {
				w := newWire(t, alg.Options{Profile: profile, Faults: c.fault}, c.ends)
				w.login()
				w.conn.taken[1026] = true
				outs := w.say(c.from, c.in)
				if texts(outs) != c.out || len(w.conn.expected) != c.expected {
					t.Errorf("got %q and %+v", texts(outs), w.conn.expected)
				}
				// All of it is acknowledged, and what follows stands behind it.
				back := w.pass(c.from.Other(), packet.Segment{Seq: w.next[1-c.from], Ack: outs[0].Next(), Flags: packet.ACK, Window: 65535})
				next := w.say(c.from, "250\r\n")
				if back[0].Ack != w.next[c.from]-5 || next[0].Seq != outs[0].Next() {
					t.Errorf("acknowledged up to %d of %d; what follows stands at %d and not %d", back[0].Ack, w.next[c.from]-5, next[0].Seq, outs[0].Next())
				}
			})
		}
	}
}

func TestRewritesOnce(t *testing.T) {
	for _, profile := range engines {
		x := perform(t, alg.Options{Profile: profile, Faults: alg.Faults{RewritesOnce: true}}, classic)
		if x.texts[0] != outPORT || x.texts[1] != inPORT || x.at[1] != 0 {
			t.Errorf("%s: %q at %v", profile, x.texts, x.at)
		}
	}
}

func TestSplitStalls(t *testing.T) {
	w := newWire(t, alg.Options{Profile: alg.Reassembling, Faults: alg.Faults{SplitStalls: true}}, classic)
	w.login()
	start := w.next[0]
	for _, text := range []string{"PO", "RT 192,168,1,2,4,1\r\n", "NOOP\r\n"} {
		if got := texts(w.say(0, text)); got != "" {
			t.Errorf("%q passes", got)
		}
	}
	if back := w.pass(1, packet.Segment{Seq: w.next[1], Ack: start, Flags: packet.ACK}); back[0].Ack != start {
		t.Errorf("%d octets are acknowledged", back[0].Ack-start)
	}
}

func TestExpectationFaults(t *testing.T) {
	for _, profile := range engines {
		t.Run(string(profile), func(t *testing.T) {
			w := newWire(t, alg.Options{Profile: profile, Faults: alg.Faults{TwoWay: true}}, classic)
			w.login()
			w.say(0, inPORT)
			if e := w.conn.expected; len(e) != 1 || e[0].From != (netip.Addr{}) || e[0].Uses != 0 || !strings.Contains(w.conn.story(), "for anybody") {
				t.Errorf("TwoWay: %+v, %s", e, w.conn.story())
			}
			w = newWire(t, alg.Options{Profile: profile, Faults: alg.Faults{LateExpectation: true}}, classic)
			w.login()
			for i, c := range []struct {
				later    time.Duration
				text     string
				expected int
			}{{0, inPORT, 0}, {499 * time.Millisecond, "NOOP\r\n", 0}, {time.Millisecond, "NOOP\r\n", 1}} {
				w.conn.now = w.conn.now.Add(c.later)
				w.say(0, c.text)
				if len(w.conn.expected) != c.expected {
					t.Errorf("LateExpectation: %d expectations after step %d", len(w.conn.expected), i)
				}
			}
		})
	}
}

func TestHeaderFaults(t *testing.T) {
	for _, profile := range engines {
		for _, e := range []ends{classic, nat66} {
			text := inPORT
			if e == nat66 {
				text = "EPRT |2|fd11:1::2|1025|\r\n"
			}
			for _, f := range []alg.Faults{{BadTCPChecksum: true}, {BadLength: true}} {
				w := newWire(t, alg.Options{Profile: profile, Faults: f}, e)
				w.login()
				w.say(0, "NOOP\r\n") // has no text to rewrite and passes in good order
				p := packet.TCP(packet.Segment{Src: e.real[0], Dst: e.seen[1], Seq: w.next[0], Ack: w.next[1], Flags: packet.ACK, Payload: []byte(text)})
				v, err := p.Parse()
				if err != nil || !w.insp.Inspect(p, &v, gateway.Client) {
					t.Fatalf("%s does not pass: %v", text, err)
				}
				again, err := p.Parse()
				switch {
				case f.BadTCPChecksum && (err != nil || p.ChecksumOK(&again)):
					t.Errorf("%s, %v: the checksum is right, or %v", profile, f.Names(), err)
				case f.BadLength && err == nil && again.Len() != len(text):
					t.Errorf("%s, %v: %d octets by the header", profile, f.Names(), again.Len())
				}
			}
		}
	}
}

func TestFaultNames(t *testing.T) {
	for _, info := range alg.FaultNames() {
		var f alg.Faults
		if err := f.Set(strings.ToLower(info.Name)); err != nil || !slices.Equal(f.Names(), []string{info.Name}) {
			t.Errorf("Set(%s): %v, on are %v", info.Name, err, f.Names())
		}
		if !strings.HasPrefix(info.Doc, info.Name+" ") || !strings.HasSuffix(info.Doc, ".") || strings.Contains(info.Doc, "if true") {
			t.Errorf("%s: %q", info.Name, info.Doc)
		}
	}
	var f alg.Faults
	if err := f.Set("delta"); err == nil || !strings.Contains(err.Error(), "DeltaTwice, ForgetsDelta") {
		t.Errorf("unknown fault: %v", err)
	}
}
