package alg_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

var linux = alg.Options{Profile: alg.Linux}

// dropped stands for a segment that does not come out.
const dropped = "(dropped)"

func TestLinuxText(t *testing.T) {
	loose := alg.Options{Profile: alg.Linux, Loose: true}
	const gone = dropped
	for _, c := range []struct {
		name string
		o    alg.Options
		ends ends
		from gateway.Side
		text string
		want string // "" for the same
		to   string // what is expected, "" for nothing
	}{
		{"PORT", linux, classic, 0, "PORT 192,168,1,2,4,1\r\n", "PORT 218,63,1,5,4,1\r\n", "192.168.1.2:1025"},
		{"in lower case", linux, classic, 0, "port 192,168,1,2,4,1\r\n", "port 218,63,1,5,4,1\r\n", "192.168.1.2:1025"},
		{"leading zeros", linux, classic, 0, "PORT 192,168,001,002,004,01\r\n", "PORT 218,63,1,5,4,1\r\n", "192.168.1.2:1025"},
		{"a longer verb", linux, classic, 0, "PORTX 192,168,1,2,4,1\r\n", "PORTX 218,63,1,5,4,1\r\n", "192.168.1.2:1025"},
		{"numbers that run over", linux, classic, 0, "PORT 448,168,0,258,260,1\r\n", "PORT 218,63,1,5,4,1\r\n", "192.168.1.2:1025"},
		{"an empty number", linux, classic, 0, "PORT 192,168,1,2,,1025\r\n", "PORT 218,63,1,5,4,1\r\n", "192.168.1.2:1025"},
		{"another CR", linux, classic, 0, "PORT 192,168,1,2,4,1\r\r\n", "PORT 218,63,1,5,4,1\r\r\n", "192.168.1.2:1025"},
		{"two lines", linux, classic, 0, "PORT 192,168,1,2,4,1\r\nPORT 192,168,1,2,4,2\r\n", "PORT 218,63,1,5,4,1\r\nPORT 192,168,1,2,4,2\r\n", "192.168.1.2:1025"},
		{"not at the start", linux, classic, 0, "NOOP\r\nPORT 192,168,1,2,4,1\r\n", "", ""},
		{"a space before", linux, classic, 0, " PORT 192,168,1,2,4,1\r\n", "", ""},
		{"two spaces", linux, classic, 0, "PORT  192,168,1,2,4,1\r\n", gone, ""},
		{"a space behind", linux, classic, 0, "PORT 192,168,1,2,4,1 \r\n", gone, ""},
		{"a bare LF", linux, classic, 0, "PORT 192,168,1,2,4,1\n", gone, ""},
		{"five numbers", linux, classic, 0, "PORT 192,168,1,2,4\r\n", gone, ""},
		{"seven numbers", linux, classic, 0, "PORT 192,168,1,2,4,1,1\r\n", gone, ""},
		{"port 0", linux, classic, 0, "PORT 192,168,1,2,0,0\r\n", gone, ""},
		{"no argument", linux, classic, 0, "PORT\r\n", gone, ""},
		{"a word that begins like it", linux, classic, 0, "PORTAL\r\n", gone, ""},
		{"one letter", linux, classic, 0, "p", gone, ""},
		{"one letter of EPSV", linux, classic, 0, "E", gone, ""},
		{"another letter", linux, classic, 0, "N", "", ""},
		{"a stranger's address", linux, classic, 0, "PORT 8,8,8,8,4,1\r\n", "", ""},
		{"a stranger's address, loose", loose, classic, 0, "PORT 8,8,8,8,4,1\r\n", "PORT 218,63,1,5,4,1\r\n", "8.8.8.8:1025"},
		{"the outside address, loose", loose, classic, 0, "PORT 218,63,1,5,4,1\r\n", "", "218.63.1.5:1025"},
		{"EPRT", linux, classic, 0, "EPRT |1|192.168.1.2|1025|\r\n", "EPRT |1|218.63.1.5|1025|\r\n", "192.168.1.2:1025"},
		{"EPRT with another delimiter", linux, classic, 0, "EPRT !1!192.168.1.2!1025!x\r\n", "EPRT |1|218.63.1.5|1025|x\r\n", "192.168.1.2:1025"},
		{"EPRT with a port that runs over", linux, classic, 0, "EPRT |1|192.168.1.2|66561|\r\n", "EPRT |1|218.63.1.5|1025|\r\n", "192.168.1.2:1025"},
		{"EPRT without its CRLF", linux, classic, 0, "EPRT |1|192.168.1.2|1025|", "EPRT |1|218.63.1.5|1025|", "192.168.1.2:1025"},
		{"EPRT of the other family", linux, classic, 0, "EPRT |2|fd11:1::2|1025|\r\n", gone, ""},
		{"EPRT of an unknown family", linux, classic, 0, "EPRT |3|x|1025|\r\n", gone, ""},
		{"EPRT without its end", linux, classic, 0, "EPRT |1|192.168.1.2|1025\r\n", gone, ""},
		{"EPRT with port 0", linux, classic, 0, "EPRT |1|192.168.1.2|0|\r\n", gone, ""},
		{"EPRT with a digit as delimiter", linux, classic, 0, "EPRT 11119216801010\r\n", gone, ""},
		{"EPRT of IPv6", linux, nat66, 0, "EPRT |2|FD11:1::2|1025|\r\n", "EPRT |2|2001:0db8:0063:0000:0000:0000:0000:0005|1025|\r\n", "[fd11:1::2]:1025"},
		{"EPRT with a zone", linux, nat66, 0, "EPRT |2|fd11:1::2%c0|1025|\r\n", gone, ""},
		{"EPRT with a mapped address", linux, nat66, 0, "EPRT |2|::ffff:192.168.1.2|1025|\r\n", "", ""},
		{"EPRT of IPv4 on IPv6", linux, nat66, 0, "EPRT |1|192.168.1.2|1025|\r\n", gone, ""},
		{"PORT on IPv6", linux, nat66, 0, "PORT 192,168,1,2,4,1\r\n", "", ""},
		{"PORT without NAT", linux, routed, 0, "PORT 192,168,01,2,4,1\r\n", "", "192.168.1.2:1025"},
		{"a malformed PORT without NAT", linux, routed, 0, "PORT  192,168,1,2,4,1\r\n", gone, ""},
		{"PORT of an outside client", linux, behind, 0, "PORT 218,63,1,100,4,1\r\n", "", "218.63.1.100:1025"},

		{"227 of an inside server", linux, behind, 1, "227 Entering Passive Mode (192,168,1,2,195,81).\r\n", "227 Entering Passive Mode (218,63,1,5,195,81).\r\n", "192.168.1.2:50001"},
		{"227 without parentheses", linux, behind, 1, "227 =192,168,1,2,195,81\r\n", "227 =218,63,1,5,195,81\r\n", "192.168.1.2:50001"},
		{"227 with a bare LF", linux, behind, 1, "227 ok 192,168,1,2,195,81\n", "227 ok 218,63,1,5,195,81\n", "192.168.1.2:50001"},
		{"227 of an outside server is printed anew", linux, classic, 1, "227 ok (218,063,001,100,195,081).\r\n", "227 ok (218,63,1,100,195,81).\r\n", "218.63.1.100:50001"},
		{"227 with another address", linux, behind, 1, "227 ok (8,8,4,4,195,81)\r\n", "", ""},
		{"227 without numbers", linux, behind, 1, "227 ok\r\n", gone, ""},
		{"227 with spaces", linux, behind, 1, "227 ok (192, 168, 1, 2, 195, 81)\r\n", gone, ""},
		{"227 with a digit before", linux, behind, 1, "227 mode 1 (192,168,1,2,195,81)\r\n", gone, ""},
		{"227 of several lines", linux, behind, 1, "227-ok\r\n227 (192,168,1,2,195,81)\r\n", "", ""},
		{"22", linux, behind, 1, "22", gone, ""},
		{"229", linux, behind, 1, "229 ok (|||50001|)\r\n", "", "192.168.1.2:50001"},
		{"229 with zeros and another delimiter", linux, behind, 1, "229 ok (!!!050001!)\r\n", "229 ok (|||50001|)\r\n", "192.168.1.2:50001"},
		{"229 with an address", linux, behind, 1, "229 ok (|1|192.168.1.2|50001|)\r\n", gone, ""},
		{"229 without a parenthesis", linux, behind, 1, "229 ok |||50001|\r\n", gone, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, c.o, c.ends)
			w.login()
			got, want := texts(w.say(c.from, c.text)), c.want
			if want == "" {
				want = c.text
			}
			if want == gone {
				want = ""
			}
			if got != want {
				t.Errorf("got %q, want %q\n%s", got, want, w.conn.story())
			}
			to := ""
			if e := w.conn.expected; len(e) == 1 {
				to = e[0].To.String()
				if e[0].By != c.from || e[0].From != c.ends.real[c.from.Other()].Addr() || e[0].Uses != 1 || e[0].Max != 1 || e[0].Life != 300*time.Second {
					t.Errorf("expectation %+v", e[0])
				}
			}
			if to != c.to || len(w.conn.expected) > 1 {
				t.Errorf("expected %+v, want %q", w.conn.expected, c.to)
			}
		})
	}
}

func TestLinuxLineStarts(t *testing.T) {
	const command, changed = "PORT 192,168,1,2,4,1\r\n", "PORT 218,63,1,5,4,1\r\n"
	t.Run("the first line of a direction is not looked at", func(t *testing.T) {
		w := newWire(t, linux, classic)
		if got := texts(w.say(gateway.Client, command)); got != command {
			t.Errorf("first line: %q", got)
		}
		if got := texts(w.say(gateway.Client, command)); got != changed {
			t.Errorf("second line: %q", got)
		}
	})
	t.Run("nor one behind a segment without LF", func(t *testing.T) {
		w := newWire(t, linux, classic)
		w.login()
		w.say(gateway.Client, "\xff\xf4\xff\xf2")
		if got := texts(w.say(gateway.Client, command)); got != command {
			t.Errorf("got %q", got)
		}
	})
	t.Run("nor one before traffic from both sides", func(t *testing.T) {
		w := newWire(t, linux, classic)
		w.conn.established = false
		w.say(gateway.Client, "NOOP\r\n")
		w.conn.established = true
		if got := texts(w.say(gateway.Client, command)); got != command {
			t.Errorf("got %q", got)
		}
	})
	t.Run("an old line does not drive out a later one", func(t *testing.T) {
		w := newWire(t, linux, classic)
		w.login()
		at := w.next[0]
		w.say(0, command)
		w.pass(0, packet.Segment{Seq: 1000, Ack: w.next[1], Flags: packet.ACK, Payload: []byte("USER\r\n")}) // ends before the others
		if got := texts(w.pass(0, packet.Segment{Seq: at, Ack: w.next[1], Flags: packet.ACK, Payload: []byte(command)})); got != changed {
			t.Errorf("the repetition is %q", got)
		}
	})
	t.Run("a repetition is rewritten until the line after the next", func(t *testing.T) {
		w := newWire(t, linux, classic)
		w.login()
		again := packet.Segment{Seq: w.next[0], Ack: w.next[1], Flags: packet.ACK, Payload: []byte(command)}
		for i, want := range []string{changed, changed, changed} {
			if outs := w.pass(0, again); texts(outs) != want || outs[0].Seq != again.Seq {
				t.Errorf("copy %d: %q at %d", i, texts(outs), outs[0].Seq)
			}
		}
		w.next[0] += uint32(len(command))
		if outs := w.say(0, "RETR f\r\n"); outs[0].Seq != again.Seq+uint32(len(changed)) {
			t.Errorf("the next line stands at %d, not right behind", outs[0].Seq-again.Seq)
		}
		if got := texts(w.pass(0, again)); got != command {
			t.Errorf("late copy: %q", got)
		}
	})
}

func TestLinuxDropsWhatNobodyCanReach(t *testing.T) {
	w := newWire(t, linux, classic)
	w.login()
	w.conn.refuse = errors.New("too many")
	if got := texts(w.say(0, "PORT 192,168,1,2,4,1\r\n")); got != "" || !strings.Contains(w.conn.story(), "too many") {
		t.Errorf("got %q, story %q", got, w.conn.story())
	}
}

func TestLinuxChoosesHigherPort(t *testing.T) {
	w := newWire(t, linux, classic)
	w.login()
	w.conn.taken[1025] = true
	var a, b int
	got := texts(w.say(0, "PORT 192,168,1,2,4,1\r\n"))
	if n, _ := fmt.Sscanf(got, "PORT 218,63,1,5,%d,%d", &a, &b); n != 2 || a<<8|b <= 1025 {
		t.Errorf("got %q", got)
	}
	w.conn.taken[65534] = true // 65535 is never chosen
	if got := texts(w.say(0, "PORT 192,168,1,2,255,254\r\n")); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestLinuxDoesNotMendDamage(t *testing.T) {
	w := newWire(t, linux, classic)
	w.login()
	p := packet.TCP(packet.Segment{Src: classic.real[0], Dst: classic.seen[1], Seq: w.next[0], Ack: w.next[1], Flags: packet.ACK, Payload: []byte("PORT 192,168,1,2,4,1\r\n")})
	p.Data[len(p.Data)-3] ^= 1
	v, err := p.Parse()
	if err != nil {
		t.Fatal(err)
	}
	if w.insp.Inspect(p, &v, gateway.Client); p.ChecksumOK(&v) || len(w.conn.expected) != 0 {
		t.Error("a segment with a wrong checksum was taken for good")
	}
}

func TestLinuxNumbers(t *testing.T) {
	w := newWire(t, linux, between("10.0.0.2:41001", "218.63.1.5:41001", "218.63.1.100:21", "218.63.1.100:21"))
	w.login()
	start := w.next[0]
	for i := range 20 { // each is two octets longer outside
		outs := w.say(0, fmt.Sprintf("PORT 10,0,0,2,4,%d\r\n", i+1))
		if want := w.next[0] - uint32(len(outs[0].text)-2) + uint32(2*i); outs[0].Seq != want {
			t.Fatalf("command %d stands at %d, want %d", i, outs[0].Seq, want)
		}
	}
	last := w.next[0] - uint32(len("PORT 10,0,0,2,4,20\r\n"))
	if outs := w.pass(1, packet.Segment{Seq: w.next[1], Ack: last + 38, Flags: packet.ACK}); outs[0].Ack != last {
		t.Errorf("with the last command missing, %d octets are acknowledged, want %d", outs[0].Ack-start, last-start)
	}
	sent := w.next[0] - start
	edge := func(b []byte, at uint32) []byte {
		return append(b, byte(at>>24), byte(at>>16), byte(at>>8), byte(at))
	}
	options := edge(edge([]byte{1, 1, 5, 10}, w.next[0]+40), w.next[0]+50)
	p := packet.TCP(packet.Segment{Src: w.conn.real[1], Dst: w.conn.seen[0], Seq: w.next[1], Ack: start + sent + 40, Flags: packet.ACK, Options: options})
	v, _ := p.Parse()
	if !w.insp.Inspect(p, &v, gateway.Server) || v.Ack != start+sent {
		t.Errorf("acknowledged %d of %d octets", v.Ack-start, sent)
	}
	var edges []uint32
	p.MapSACK(&v, func(e uint32) uint32 { edges = append(edges, e-w.next[0]); return e })
	if fmt.Sprint(edges) != "[0 10]" || !p.ChecksumOK(&v) {
		t.Errorf("selective acknowledgement %v", edges)
	}
}
