package alg_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// vector is a dialogue that was recorded on both sides of a Linux gateway.
type vector struct {
	ID, Title, Topology, Helper, Client string

	NATOptions     string   `json:"nat_options"`
	Stimulus       []string `json:"stimulus"`
	ClientSegments []string `json:"client_segments_on_wire"`
	ServerSegments []string `json:"server_segments"`
	RepliesSent    string   `json:"replies_on_server_wire"`
	RepliesSeen    string   `json:"replies_on_client_wire"`
	Expectations   []string `json:"expectations"`
}

// notReplayed are the vectors that a helper alone cannot decide, with the reason.
var notReplayed = map[string]string{
	"s2-collision-same-client": "two control connections; TestLinuxChoosesHigherPort has the clash",
	"s2-collision-two-servers": "two control connections; which endpoints clash is the gateway's matter",
	"s2-placement-input":       "the rule is in the wrong place, so that there is no helper",
	"s2-placement-replyside":   "the rule is in the wrong place, so that there is no helper",
	"s4-dnat2121-ipt21":        "the rule looks for port 21 before DNAT and finds 2121; Options.Ports are the server's own",
	"s8-many-sessions":         "50 control connections",
	"s8-timeout":               "seven control connections; life times are the gateway's matter",
}

// reviewed are the differences that are meant to be, with the reason.
var reviewed = map[string]string{
	"s2-kernel-coalesced-500ms replies":   "the reply acknowledges too much, conntrack calls it INVALID and does not forward it: no helper is asked",
	"s2-raw-coalesced-desync replies":     "as s2-kernel-coalesced-500ms",
	"s7-helper-PORT-plain replies":        "the entry has expired when the last reply comes: the gateway answers RST",
	"s8-data-survives-control replies":    "the entry has been deleted when the last reply comes",
	"s3-g-port0 expected":                 "Linux drops the command and yet leaves an expectation for port 0, to which nobody can connect",
	"s3-foreign-8888-loose1 expected":     "Linux expects a connection to 8.8.8.8, which cannot come; none is expected here",
	"s3-foreign-eprt8888-loose1 expected": "as s3-foreign-8888-loose1",
	"s4-227-foreign-loose1 expected":      "as s3-foreign-8888-loose1",
}

// places are the positions of the segments of vectors in which the same text
// stands for several things, counted in octets after the login.
var places = map[string][]int{
	"s2-raw-dup-after-second":       {0, 22, 0, 44, 52},
	"s2-raw-late-dup":               {0, 22, 0, 30},
	"s2-raw-reordered-then-retrans": {6, 0, 6, 28, 36},
	"s2-raw-tail-retrans":           {0, 11, 22},
	"s2-raw-coalesced-retrans":      {0, 0, 30},
}

func TestKernelVectors(t *testing.T) {
	raw, err := os.ReadFile("testdata/kernel-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	used, replayed, left := map[string]bool{}, 0, map[string]bool{}
	for _, v := range file.Vectors {
		switch {
		case v.Helper == "none":
		case notReplayed[v.ID] != "":
			left[v.ID] = true
		default:
			replayed++
			t.Run(v.ID, func(t *testing.T) {
				for what, difference := range v.replay(t) {
					key := v.ID + " " + what
					if used[key] = true; reviewed[key] == "" {
						t.Errorf("%s: %s", what, difference)
					}
				}
			})
		}
	}
	for key := range reviewed {
		if !used[key] {
			t.Errorf("%s is reviewed and does not differ", key)
		}
	}
	for id := range notReplayed {
		if !left[id] {
			t.Errorf("%s is not among the vectors", id)
		}
	}
	if replayed < 180 {
		t.Errorf("only %d dialogues were replayed", replayed)
	}
	t.Logf("%d dialogues with a helper replayed, with %d reviewed differences in all", replayed, len(reviewed))
	for id, why := range notReplayed {
		t.Logf("not replayed: %s: %s", id, why)
	}
}

// hop is a gateway on the way.
type hop struct {
	ends  ends
	helps bool
}

var master = regexp.MustCompile(`master-src=(\S+)`)

// inside is the address of the host behind the gateway: most vectors have the
// usual one.
func (v *vector) inside(usual string) string {
	for _, e := range v.Expectations {
		if m := master.FindStringSubmatch(e); m != nil && usual == "192.168.1.2" && strings.HasPrefix(v.Topology, "classic") && !strings.Contains(v.Topology, "swapped") {
			return m[1]
		}
	}
	for _, other := range []string{"10.0.0.2", "10.10.10.2"} {
		if strings.Contains(strings.Join(v.ClientSegments, " ")+v.RepliesSent, strings.ReplaceAll(other, ".", ",")+",") {
			return other
		}
	}
	return usual
}

// hops are the gateways of the vector, the client's first.
func (v *vector) hops() []hop {
	helper := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return strings.Contains(v.Helper, n) })
	}
	routed := strings.HasPrefix(v.NATOptions, "none")
	switch {
	case strings.HasPrefix(v.Topology, "both"):
		return []hop{
			{between("192.168.1.2:41001", "218.63.1.5:41001", "218.63.1.6:21", "218.63.1.6:21"), helper("client-side", "both")},
			{between("218.63.1.5:41001", "218.63.1.5:41001", "10.9.0.100:21", "218.63.1.6:21"), helper("server-side", "both")},
		}
	case strings.HasPrefix(v.Topology, "cgn"):
		return []hop{
			{between("192.168.1.2:41001", "100.64.0.2:41001", "218.63.1.100:21", "218.63.1.100:21"), helper("home", "both")},
			{between("100.64.0.2:41001", "218.63.1.5:41001", "218.63.1.100:21", "218.63.1.100:21"), helper("CGN", "both")},
		}
	case strings.Contains(v.Helper, "inet"):
		if routed {
			return []hop{{between("[fd11:1::2]:41001", "[fd11:1::2]:41001", "[2001:db8:63::100]:21", "[2001:db8:63::100]:21"), true}}
		}
		return []hop{{nat66, true}}
	case strings.Contains(v.Topology, "swapped"):
		inside, outside := v.inside("192.168.1.2"), "218.63.1.5:21"
		if strings.Contains(v.NATOptions, "2121") {
			outside = "218.63.1.5:2121"
		}
		return []hop{{between("218.63.1.100:41001", "218.63.1.100:41001", inside+":21", outside), true}}
	case strings.Contains(v.Topology, "no NAT"):
		return []hop{{between("218.63.1.200:41001", "218.63.1.200:41001", "218.63.1.100:21", "218.63.1.100:21"), true}}
	case strings.Contains(v.Helper, "server host"):
		return []hop{{classic, false}, {between("218.63.1.5:41001", "218.63.1.5:41001", "218.63.1.100:21", "218.63.1.100:21"), true}}
	case strings.Contains(v.ID, "port2121"):
		return []hop{{between("192.168.1.2:41001", "218.63.1.5:41001", "218.63.1.100:2121", "218.63.1.100:2121"), true}}
	}
	inside, outside := v.inside("192.168.1.2"), "218.63.1.5"
	if strings.Contains(v.NATOptions, "218.63.1.7") {
		outside = "218.63.1.7"
	}
	if routed {
		outside = inside
	}
	return []hop{{between(inside+":41001", outside+":41001", "218.63.1.100:21", "218.63.1.100:21"), true}}
}

// plain turns the escapes of the file into octets.
func plain(s string) string {
	out, err := strconv.Unquote(`"` + strings.NewReplacer(`"`, `\"`, `\'`, `'`).Replace(s) + `"`)
	if err != nil {
		panic(fmt.Sprintf("%q: %v", s, err))
	}
	return out
}

func plains(all []string) []string {
	var out []string
	for _, s := range all {
		out = append(out, plain(s))
	}
	return out
}

// positions finds where the client's segments stand in its stream: they are new
// unless they can only be repetitions.
func (v *vector) positions(segments []string) []int {
	const login = len("USER anonymous\r\nPASS a@b\r\n")
	if p, ok := places[v.ID]; ok {
		out := []int{0, len("USER anonymous\r\n")}
		for _, at := range p {
			out = append(out, login+at)
		}
		return out
	}
	stream := ""
	if len(segments) > 1 && segments[0] == "USER anonymous\r\n" {
		stream = segments[0] + segments[1]
	}
	stream += strings.Join(plains(v.Stimulus), "")
	var out []int
	next := 0
	for _, s := range segments {
		at := next
		if !strings.HasPrefix(stream[min(next, len(stream)):], s) {
			at = strings.LastIndex(stream[:min(len(stream), next+len(s))], s)
		}
		if at < 0 || at > next || len(v.Stimulus) == 0 { // the stimulus is not told in full: all is new
			out, next = nil, 0
			for _, s := range segments {
				out, next = append(out, next), next+len(s)
			}
			return out
		}
		out, next = append(out, at), max(next, at+len(s))
	}
	return out
}

var splitReply = regexp.MustCompile(`^s3-r227-split(\d+)$`)

// replies cuts the server's stream into segments: a line each, unless the
// vector is about something else.
func (v *vector) replies() []string {
	lines := strings.SplitAfter(plain(v.RepliesSent), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	last := len(lines) - 1
	switch m := splitReply.FindStringSubmatch(v.ID); {
	case m != nil:
		n, _ := strconv.Atoi(m[1]) // digits
		return append(lines[:last], lines[last][:n], lines[last][n:])
	case strings.HasPrefix(v.ID, "s3-reply-split-"):
		first, _, _ := strings.Cut(strings.TrimPrefix(v.ID, "s3-reply-split-"), "+")
		return append(lines[:last], first, strings.TrimPrefix(lines[last], first))
	case v.ID == "s3-r227-multiline":
		return append(lines[:last-1], lines[last-1]+lines[last])
	}
	return lines
}

// replay lets the segments of both sides pass the helpers, and returns what
// differs from the record.
func (v *vector) replay(t *testing.T) map[string]string {
	t.Helper()
	o := alg.Options{Profile: alg.Linux, Loose: strings.Contains(v.Helper+v.Title, "loose=1")}
	var wires []*wire
	for _, h := range v.hops() {
		if !h.helps {
			wires = append(wires, newWire(t, alg.Options{}, h.ends))
			continue
		}
		wires = append(wires, newWire(t, o, h.ends))
	}
	pass := func(from gateway.Side, s packet.Segment) (outs []packet.Segment) {
		segments, order := []packet.Segment{s}, slices.Clone(wires)
		if from == gateway.Server {
			slices.Reverse(order)
		}
		for _, w := range order {
			var next []packet.Segment
			for _, s := range segments {
				for _, o := range w.pass(from, s) {
					next = append(next, packet.Segment{Seq: o.Seq, Ack: o.Ack, Flags: o.Flags, Payload: []byte(o.text)})
				}
			}
			segments = next
		}
		return segments
	}

	replies := v.replies()
	seen, hole := "", false
	reply := uint32(9000)
	say := func(text string) {
		outs := pass(gateway.Server, packet.Segment{Seq: reply, Ack: 1000, Flags: packet.ACK, Payload: []byte(text)})
		reply += uint32(len(text))
		if hole = hole || len(outs) == 0; !hole {
			seen += string(outs[0].Payload)
		}
	}
	say(replies[0])

	segments := plains(v.ClientSegments)
	lost := v.lostBefore(segments)
	var got []string
	for i, at := range v.positions(segments) {
		if i == lost {
			c := wires[0].conn
			c.established = false
			wires[0].insp = attach(t, o, c)
		}
		for _, s := range pass(gateway.Client, packet.Segment{Seq: 1000 + uint32(at), Ack: reply, Flags: packet.ACK, Payload: []byte(segments[i])}) {
			got = append(got, string(s.Payload))
		}
		wires[0].conn.established = true
	}
	for _, text := range replies[1:] {
		say(text)
	}

	differences := map[string]string{}
	if want := plains(v.ServerSegments); !slices.Equal(got, want) {
		differences["commands"] = fmt.Sprintf("\n got %q\nwant %q", got, want)
	}
	if want := plain(v.RepliesSeen); seen != want {
		differences["replies"] = fmt.Sprintf("\n got %q\nwant %q", seen, want)
	}
	if d := v.expected(wires); d != "" {
		differences["expected"] = d
	}
	return differences
}

// lostBefore is the segment before which the gateway has lost its entry; -1 if
// it has not.
func (v *vector) lostBefore(segments []string) int {
	if !strings.HasPrefix(v.ID, "s7-idle-") {
		return -1
	}
	stimulus := plains(v.Stimulus)
	for i := 3; i < len(segments); i++ {
		if slices.Equal(segments[i:i+len(stimulus)], stimulus) {
			return i
		}
	}
	return -1
}

var expected = regexp.MustCompile(`src=(\S+) dst=(\S+) sport=0 dport=(\d+) mask`)

// expected compares the expectations that were recorded with those made.
func (v *vector) expected(wires []*wire) string {
	if len(wires) > 1 {
		return ""
	}
	for _, e := range v.Expectations {
		m := expected.FindStringSubmatch(e)
		if m == nil {
			return "cannot read " + e
		}
		c := wires[0].conn
		if !slices.ContainsFunc(c.expected, func(x gateway.Expectation) bool {
			at := x.To.Addr()
			if c.real[x.By] != c.seen[x.By] {
				at = c.seen[x.By].Addr()
			}
			return x.From.String() == m[1] && at.String() == m[2] && strconv.Itoa(int(x.To.Port())) == m[3]
		}) {
			return fmt.Sprintf("%s; here %+v", e, c.expected)
		}
	}
	return ""
}
