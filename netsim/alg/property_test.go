package alg_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ftpconform/ftpconform/netsim/alg"
)

// lines makes the lines of a dialogue between both ends of two NATs, and what
// becomes of them.
type lines struct{ rng *rand.Rand }

// number returns a port, its two numbers, and those that it gets outside.
func (l lines) number() (port, outside int) {
	port = 1024 + l.rng.IntN(64_000)
	if l.rng.IntN(4) == 0 {
		port = 1026 // taken outside
	}
	if port == 1026 {
		return port, 40_000
	}
	return port, port
}

func pair(port int) string { return fmt.Sprintf("%d,%d", port>>8, port&255) }

// client returns a line of the client, and what the server is to get of it.
func (l lines) client() (in, out string) {
	p, q := l.number()
	same := func(s string) (string, string) { return s, s }
	switch l.rng.IntN(15) {
	case 0:
		return "PORT 192,168,1,2," + pair(p) + "\r\n", "PORT 218,63,1,5," + pair(q) + "\r\n"
	case 1:
		return "pOrT  192,168,001,2," + pair(p) + " \r\n", "pOrT  218,63,1,5," + pair(q) + " \r\n"
	case 2:
		return fmt.Sprintf("EPRT |1|192.168.1.2|%d|\r\n", p), fmt.Sprintf("EPRT |1|218.63.1.5|%d|\r\n", q)
	case 3:
		return fmt.Sprintf("eprt .1.192.168.1.2.%d.\r\n", p), fmt.Sprintf("eprt .1.192.168.1.2.%d.\r\n", p)
	case 4:
		return fmt.Sprintf("EPRT !1!192.168.1.2!%d!\n", p), fmt.Sprintf("EPRT !1!218.63.1.5!%d!\n", q)
	case 5:
		return "\xff\xf4\xff\xf2PORT 192,168,1,2," + pair(p) + "\r\n", "\xff\xf4\xff\xf2PORT 218,63,1,5," + pair(q) + "\r\n"
	case 6:
		return same("PORT 8,8,8,8," + pair(p) + "\r\n")
	case 7:
		return same("STOR PORT 192,168,1,2," + pair(p) + "\r\n")
	case 8:
		return same("PORT " + strings.Repeat("1", l.rng.IntN(3000)) + "\r\n")
	case 9:
		return same([]string{"P\r\n", "PO\n", "PORT\r\n", "PORTAL\r\n", "E\r\n", "\r\n", "\n", "PORT \r\n", "EPRT |1|\r\n", "PASV\r\n", "EPSV\r\n"}[l.rng.IntN(11)])
	case 10:
		return same("\xff\xfb\x01\xff\xffPORT 192,168,1,2," + pair(p) + "\r\n")
	default:
		return same([]string{"NOOP\r\n", "RETR a file\r\n", "PWD\r\n", "SIZE \xff\xff\r\n"}[l.rng.IntN(4)])
	}
}

// server returns a line of the server, and what the client is to get of it.
func (l lines) server() (in, out string) {
	p, q := l.number()
	same := func(s string) (string, string) { return s, s }
	switch l.rng.IntN(10) {
	case 0:
		return "227 Entering Passive Mode (10,9,0,100," + pair(p) + ").\r\n", "227 Entering Passive Mode (218,63,1,6," + pair(q) + ").\r\n"
	case 1:
		return "227 =10,9,0,100," + pair(p) + "\n", "227 =218,63,1,6," + pair(q) + "\n"
	case 2:
		return "227-Entering\r\n 227 (10,9,0,100,4,1)\r\n227 (10,9,0,100," + pair(p) + ")\r\n", "227-Entering\r\n 227 (10,9,0,100,4,1)\r\n227 (218,63,1,6," + pair(q) + ")\r\n"
	case 3:
		return fmt.Sprintf("229 Extended (|||%d|)\r\n", p), fmt.Sprintf("229 Extended (|||%d|)\r\n", q)
	case 4:
		return same("214-help\r\n227 (10,9,0,100," + pair(p) + ")\r\n229 (|||1026|)\r\n214 end\r\n")
	case 5:
		return same("227 Entering Passive Mode (8,8,4,4," + pair(p) + ")\r\n")
	case 6:
		return same([]string{"22\r\n", "227\r\n", "227 \r\n", "229 (|||\r\n", "2\n", "227 1,2,3\r\n"}[l.rng.IntN(6)])
	default:
		return same([]string{"200 ok\r\n", "226 done\r\n", "425 no\r\n"}[l.rng.IntN(3)])
	}
}

// script makes a stream of lines and what becomes of it; the last line may be
// cut off.
func script(rng *rand.Rand, n int, line func() (string, string)) (in, out []byte) {
	for range n {
		a, b := line()
		in, out = append(in, a...), append(out, b...)
	}
	if tail := []string{"", "", "PORT 192,1", "P", "227 (10"}[rng.IntN(5)]; tail != "" {
		in, out = append(in, tail...), append(out, tail...)
	}
	return in, out
}

// cuts chooses where a stream is cut into segments.
func cuts(rng *rand.Rand, stream []byte) []int {
	var out []int
	most := []int{1, 3, 20, 200, 2000}[rng.IntN(5)]
	for at := 0; at < len(stream); {
		at += 1 + rng.IntN(most)
		out = append(out, min(at, len(stream)))
	}
	return out
}

func randomHabits(rng *rand.Rand, stamps bool, mss int) habits {
	return habits{sack: rng.IntN(2) == 0, stamps: stamps, nagle: rng.IntN(3) == 0, window: []int{1, 100, 1000, 20_000}[rng.IntN(4)],
		mss: mss, again: rng.IntN(3)}
}

// TestReassemblingIsExact lets random dialogues pass over a bad network: what
// arrives is what was sent, with the endpoints translated and nothing else
// changed, and neither side ever sees an acknowledgement that cannot be.
func TestReassemblingIsExact(t *testing.T) {
	rounds := 400
	if testing.Short() {
		rounds = 60
	}
	for seed := range rounds {
		if !reassemblingRound(t, uint64(seed)) {
			return
		}
	}
}

func reassemblingRound(t *testing.T, seed uint64) bool {
	t.Helper()
	return t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
		rng := rand.New(rand.NewPCG(seed, 7))
		l := lines{rng}
		var streams, want [2][]byte
		streams[0], want[1] = script(rng, 1+rng.IntN(60), l.client)
		streams[1], want[0] = script(rng, 1+rng.IntN(60), l.server)
		var m mishaps
		if rng.IntN(4) > 0 {
			m = mishaps{rng.IntN(200), rng.IntN(200), rng.IntN(2) * rng.IntN(300)}
		}
		stamps, mss := rng.IntN(2) == 0, []int{64, 536, 1448}[rng.IntN(3)]
		n := newNetwork(t, rng, alg.Options{Profile: alg.Reassembling}, both, streams,
			[2][]int{cuts(rng, streams[0]), cuts(rng, streams[1])}, [2]habits{randomHabits(rng, stamps, mss), randomHabits(rng, stamps, mss)}, m)
		if err := n.run(400_000); err != nil {
			t.Fatal(err)
		}
		n.compare(0, want[0])
		n.compare(1, want[1])
	})
}

// TestLinuxIsExactForWholeLines is the same for Linux, where it holds as long
// as a side sends a line at a time, waits for its acknowledgement, and repeats
// it as it was.
func TestLinuxIsExactForWholeLines(t *testing.T) {
	for seed := range uint64(300) {
		ok := t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 11))
			var streams, want [2][]byte
			var writes [2][]int
			for side, addr := range []struct{ in, out, line string }{
				{"192,168,1,2", "218,63,1,5", "PORT %s,%s\r\n"}, {"10,9,0,100", "218,63,1,6", "227 ok (%s,%s)\r\n"}} {
				streams[side], want[1-side] = []byte("220 hello\r\n"), []byte("220 hello\r\n")
				writes[side] = append(writes[side], len(streams[side]))
				for range 1 + rng.IntN(40) {
					p, _ := lines{rng}.number()
					in, out := "200 ok\r\n", "200 ok\r\n"
					if p != 1026 && rng.IntN(2) == 0 {
						in, out = fmt.Sprintf(addr.line, addr.in, pair(p)), fmt.Sprintf(addr.line, addr.out, pair(p))
					}
					streams[side], want[1-side] = append(streams[side], in...), append(want[1-side], out...)
					writes[side] = append(writes[side], len(streams[side]))
				}
			}
			one := habits{sack: rng.IntN(2) == 0, window: 1, mss: 1448}
			n := newNetwork(t, rng, alg.Options{Profile: alg.Linux}, both, streams, writes, [2]habits{one, one},
				mishaps{lost: rng.IntN(300), doubled: rng.IntN(300)})
			if err := n.run(40_000); err != nil {
				t.Fatal(err)
			}
			n.compare(0, want[0])
			n.compare(1, want[1])
		})
		if !ok {
			return
		}
	}
}
