package capture_test

import (
	"bytes"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/capture"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// scene is a NAT that is watched on both of its sides.
type scene struct {
	at              time.Time
	inside, outside *capture.Tap
}

func (s *scene) see(tap *capture.Tap, from int, p *packet.Packet, comment string) {
	s.at = s.at.Add(1234567 * time.Nanosecond)
	tap.See(from, s.at, p, comment)
}

// speech is what one side of a connection sends, 0 the client.
type speech struct {
	from  int
	flags packet.Flags
	text  string
}

var dialogue = []speech{
	{0, packet.SYN, ""}, {1, packet.SYN | packet.ACK, ""}, {0, packet.ACK, ""},
	{1, packet.PSH | packet.ACK, "220 ready\r\n"}, {0, packet.PSH | packet.ACK, "NOOP\r\n"},
	{1, packet.PSH | packet.ACK, "200 done\r\n"},
	{0, packet.FIN | packet.ACK, ""}, {1, packet.FIN | packet.ACK, ""}, {0, packet.ACK, ""},
}

// talk has a control connection through the NAT, and an ICMP error about its
// last packet.
func (s *scene) talk(t *testing.T, client, mapped, server netip.AddrPort) {
	t.Helper()
	next := [2]uint32{1000, 2000}
	var p *packet.Packet
	for _, d := range dialogue {
		segment := packet.Segment{Src: client, Dst: server, Seq: next[d.from], Flags: d.flags, Window: 8192, Payload: []byte(d.text)}
		if d.from == 1 {
			segment.Src, segment.Dst = server, mapped
		}
		if d.flags.Has(packet.ACK) {
			segment.Ack = next[1-d.from]
		}
		p = packet.TCP(segment)
		v, err := p.Parse()
		must(t, err)
		next[d.from] = v.Next()
		if d.from == 0 {
			s.see(s.inside, 0, p, "")
			p.SetSrc(&v, mapped)
			p.HopDown(&v)
			p.Note = "source translated"
			s.see(s.outside, 0, p, "")
		} else {
			s.see(s.outside, 1, p, "")
			p.SetDst(&v, client)
			p.HopDown(&v)
			s.see(s.inside, 1, p, "destination translated")
		}
	}
	v, err := p.Parse()
	must(t, err)
	s.see(s.outside, 1, packet.ICMPError(server.Addr(), p, &v, packet.PortUnreachable, 0), "an error")
}

// session writes a file with fragments and a conversation in each family.
func session(t *testing.T, out *bytes.Buffer) {
	t.Helper()
	w, err := capture.NewWriter(out, capture.Options{Comment: "a session"})
	must(t, err)
	s := scene{at: start}
	s.inside, err = capture.NewTap("inside", "client to NAT", [2]string{"client", "NAT"}, w)
	must(t, err)
	whole := packet.TCP(packet.Segment{Src: client, Dst: server, Seq: 9000, Flags: packet.SYN, Window: 8192, Payload: make([]byte, 100)})
	v, err := whole.Parse()
	must(t, err)
	v.DontFragment = false // whatever its sender says
	for _, part := range packet.Fragment(whole, &v, 60) {
		s.see(s.inside, 0, part, "a fragment")
	}
	// The second interface is declared after packets of the first.
	s.outside, err = capture.NewTap("outside", "NAT to server", [2]string{"NAT", "server"}, w)
	must(t, err)
	control := netip.AddrPortFrom(client.Addr(), 50002)
	s.talk(t, control, netip.MustParseAddrPort("203.0.113.5:40000"), server)
	s.talk(t, netip.MustParseAddrPort("[fd00::2]:50001"), netip.MustParseAddrPort("[2001:db8:5::5]:40000"), netip.MustParseAddrPort("[2001:db8:7::7]:21"))
	must(t, w.Close())
}

// TestSessionIsDeterministic: the same calls give the same octets.
func TestSessionIsDeterministic(t *testing.T) {
	var files [2]bytes.Buffer
	for i := range files {
		session(t, &files[i])
	}
	if !bytes.Equal(files[0].Bytes(), files[1].Bytes()) {
		t.Error("the files differ")
	}
	if blocks := readBlocks(t, files[0].Bytes()); len(blocks) != 1+2+2*19+3 {
		t.Errorf("%d blocks", len(blocks))
	}
}

// tshark reads a file and returns the lines that it prints; it must have
// nothing to complain of.
func tshark(t *testing.T, file []byte, args ...string) []string {
	t.Helper()
	program, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not on the PATH")
	}
	path := filepath.Join(t.TempDir(), "session.pcapng")
	must(t, os.WriteFile(path, file, 0o600))
	cmd := exec.CommandContext(t.Context(), program, append([]string{"-n", "-r", path,
		"-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"}, args...)...)
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark %v: %v: %s", args, err, problems.String())
	}
	for line := range strings.Lines(problems.String()) {
		if !strings.HasPrefix(line, "Running as user") {
			t.Errorf("tshark %v says %s", args, line)
		}
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
}

// TestTshark has another implementation read the file.
func TestTshark(t *testing.T) {
	var file bytes.Buffer
	session(t, &file)
	const warning = "0x00600000" // the severity from which on it is one
	for filter, want := range map[string]int{
		"_ws.malformed or _ws.expert.severity >= " + warning:                                  0,
		"ip.checksum.status == 0 or tcp.checksum.status == 0":                                 0,
		"ip.checksum.status == 1 and !icmp":                                                   18 + 3,
		"tcp.checksum.status == 1 and !icmp and !icmpv6":                                      2*18 + 1,
		"icmp.checksum.status == 1 or icmpv6.checksum.status == 1":                            2,
		"ip.fragment.count == 3 and tcp.len == 100":                                           1,
		"frame.interface_name == inside and frame.comment == \"destination translated\"":      2 * 4,
		"frame.interface_name == outside and frame.comment == \"source translated\" and ipv6": 5,
	} {
		if got := tshark(t, file.Bytes(), "-Y", filter); len(got) != want {
			t.Errorf("%s: %d packets, want %d:\n%s", filter, len(got), want, strings.Join(got, "\n"))
		}
	}
	fields := tshark(t, file.Bytes(), "-T", "fields", "-E", "separator=|", "-e", "frame.time_epoch", "-e", "frame.interface_name",
		"-e", "frame.interface_description", "-e", "eth.src", "-e", "eth.dst", "-e", "frame.comment", "-e", "ftp.request.command")
	if len(fields) != 2*19+3 {
		t.Fatalf("%d packets", len(fields))
	}
	toNAT := capture.MACOf("client").String() + "|" + capture.MACOf("NAT").String()
	toServer := capture.MACOf("NAT").String() + "|" + capture.MACOf("server").String()
	for number, want := range map[int]string{
		1:  "1767225600.001234567|inside|client to NAT|" + toNAT + "|a fragment|",
		4:  "1767225600.004938268|inside|client to NAT|" + toNAT + "||",
		13: "1767225600.016049371|outside|NAT to server|" + toServer + "|source translated|NOOP",
	} {
		if fields[number-1] != want {
			t.Errorf("packet %d\ngot  %s\nwant %s", number, fields[number-1], want)
		}
	}
}

// TestTsharkFindsDamage shows that the silence above means something.
func TestTsharkFindsDamage(t *testing.T) {
	var file bytes.Buffer
	session(t, &file)
	at := bytes.Index(file.Bytes(), []byte("NOOP"))
	file.Bytes()[at] = 'M'
	if got := tshark(t, file.Bytes(), "-Y", "tcp.checksum.status == 0"); len(got) != 1 || !strings.Contains(got[0], "MOOP") {
		t.Errorf("found %q", got)
	}
}
