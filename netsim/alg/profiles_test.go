package alg_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

func TestNew(t *testing.T) {
	for _, p := range append(alg.Profiles(), "") {
		h, err := alg.New(alg.Options{Profile: p, Rand: rand.New(rand.NewPCG(1, 1))})
		if off := p == alg.Off || p == ""; err != nil || (h == nil) != off {
			t.Errorf("%q: %v, %v", p, h, err)
		}
		if doc := p.Doc(); !strings.HasSuffix(doc, ".") || strings.Contains(doc, "\n") {
			t.Errorf("%q: %q", p, doc)
		}
	}
	if _, err := alg.New(alg.Options{Profile: alg.Linux}); err == nil {
		t.Error("Linux without a source of random ports")
	}
	if _, err := alg.New(alg.Options{Profile: "strict"}); err == nil || !strings.Contains(err.Error(), "reassembling") {
		t.Errorf("unknown profile: %v", err)
	}
	if doc := alg.Profile("strict").Doc(); doc != "" {
		t.Errorf("unknown profile: %q", doc)
	}
}

func TestControlPorts(t *testing.T) {
	at2121 := between("192.168.1.2:41001", "218.63.1.5:41001", "218.63.1.100:2121", "218.63.1.100:2121")
	for _, c := range []struct {
		ports []uint16
		ends  ends
		want  bool
	}{{nil, classic, true}, {nil, at2121, false}, {[]uint16{21, 2121}, at2121, true}, {[]uint16{2121}, classic, false}} {
		o := alg.Options{Profile: alg.Reassembling, Ports: c.ports}
		if got := attach(t, o, &connection{ends: c.ends}) != nil; got != c.want {
			t.Errorf("ports %v, server at %v: %v", c.ports, c.ends.real[gateway.Server], got)
		}
	}
}

func TestBrokenProfiles(t *testing.T) {
	for _, c := range []struct {
		name     string
		profile  alg.Profile
		ends     ends
		from     gateway.Side
		in, out  string
		expected int
		next     uint32 // where the next line stands, behind the first
	}{
		{"address only", alg.AddressOnly, classic, 0, "PORT 192,168,1,2,4,2\r\n", "PORT 218,63,1,5,4,2\r\n", 1, 21},
		{"no length adjusted", alg.NoLengthAdjust, classic, 0, inPORT, outPORT, 1, 22},
		{"PASV only, PORT", alg.PASVOnly, classic, 0, inPORT, inPORT, 0, 22},
		{"PASV only, EPRT", alg.PASVOnly, classic, 0, "EPRT |1|192.168.1.2|1025|\r\n", "EPRT |1|192.168.1.2|1025|\r\n", 0, 27},
		{"PASV only, 229", alg.PASVOnly, behind, 1, "229 (|||1026|)\r\n", "229 (|||1026|)\r\n", 0, 16},
		{"PASV only, 227", alg.PASVOnly, behind, 1, "227 (192,168,1,2,4,1)\r\n", "227 (218,63,1,5,4,1)\r\n", 1, 22},
		{"file names, PORT", alg.InsideFileNames, classic, 0, inPORT, outPORT, 1, 21},
		{"file names, a tuple", alg.InsideFileNames, classic, 0, "STOR PORT 192,168,1,2,4,1\r\n", "STOR PORT 218,63,1,5,4,1\r\n", 1, 26},
		{"file names, an address", alg.InsideFileNames, classic, 0, "RETR 192.168.1.2 192.168.1.2\r\n", "RETR 218.63.1.5 218.63.1.5\r\n", 0, 28},
		{"file names, no port", alg.InsideFileNames, classic, 0, "RETR 192,168,1,2,x\r\n", "RETR 192,168,1,2,x\r\n", 0, 20},
		{"file names, the outside", alg.InsideFileNames, behind, 0, "RETR 218.63.1.100\r\n", "RETR 218.63.1.100\r\n", 0, 19},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, alg.Options{Profile: c.profile}, c.ends)
			w.login()
			w.conn.taken[1026] = true
			start := w.next[c.from]
			if got := texts(w.say(c.from, c.in)); got != c.out || len(w.conn.expected) != c.expected {
				t.Errorf("got %q and %+v", got, w.conn.expected)
			}
			if next := w.say(c.from, "200\r\n"); next[0].Seq != start+c.next {
				t.Errorf("the next line stands at %d", next[0].Seq-start)
			}
		})
	}
}

// TestStories is for the people who read captures.
func TestStories(t *testing.T) {
	for _, c := range []struct {
		o    alg.Options
		ends ends
		from gateway.Side
		text string
		want string
	}{
		{linux, classic, 0, inPORT, "PORT 192,168,1,2,4,1 becomes PORT 218,63,1,5,4,1; 218.63.1.5:1025 opened for 218.63.1.100"},
		{linux, classic, 0, "PO", "dropped: partial PORT at a line start, as Linux does"},
		{linux, classic, 0, "PORT 8,8,8,8,4,1\r\n", "PORT 8,8,8,8,4,1 left alone: 8.8.8.8 is not the client's address"},
		{linux, routed, 0, inPORT, "PORT 192,168,1,2,4,1: 192.168.1.2:1025 opened for 218.63.1.100"},
		{reassembling, classic, 0, inPORT, "PORT 192,168,1,2,4,1 becomes PORT 218,63,1,5,4,1; 218.63.1.5:1025 opened for 218.63.1.100"},
		{reassembling, classic, 0, "PORT \x01", "held: PORT ? is not complete"},
		{reassembling, behind, 1, "229 (|||50001|)\r\n", "229 50001: 218.63.1.5:50001 opened for 218.63.1.100"},
	} {
		w := newWire(t, c.o, c.ends)
		w.login()
		w.conn.notes = nil
		if w.say(c.from, c.text); w.conn.story() != c.want {
			t.Errorf("%s, %q:\n got %s\nwant %s", c.o.Profile, c.text, w.conn.story(), c.want)
		}
	}
}

func TestOtherPacketsPass(t *testing.T) {
	for _, o := range []alg.Options{linux, reassembling} {
		w := newWire(t, o, classic)
		p := packet.TCP(packet.Segment{Src: classic.real[0], Dst: classic.seen[1], Seq: 1000, Payload: []byte(inPORT)})
		p.Data[9] = 17 // UDP
		p.Data[10], p.Data[11] = 0, 0
		v := packet.View{Version: 4, Proto: 17}
		before := string(p.Data)
		if !w.insp.Inspect(p, &v, gateway.Client) || string(p.Data) != before {
			t.Errorf("%s: what is not TCP does not pass as it is", o.Profile)
		}
	}
}
