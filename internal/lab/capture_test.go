package lab_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ftpconform/ftpconform/internal/lab"
	"github.com/ftpconform/ftpconform/netsim/alg"
)

// captured is the capture of an act.
func captured(t *testing.T, a *lab.ActStory) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := a.WriteCapture(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// blocks counts the blocks of a pcapng file by their kind.
func blocks(t *testing.T, file []byte) map[uint32]int {
	t.Helper()
	count := map[uint32]int{}
	for len(file) > 0 {
		n := binary.LittleEndian.Uint32(file[4:])
		count[binary.LittleEndian.Uint32(file)]++
		file = file[n:]
	}
	return count
}

// TestCaptureHasBothEndsOfEveryWire: an interface for each, and a packet that
// arrives is there at both.
func TestCaptureHasBothEndsOfEveryWire(t *testing.T) {
	t.Parallel()
	a := one(t, builtin(t, "direct"), lab.PASV, lab.Today)
	got := blocks(t, captured(t, a))
	const section, iface, packet = 0x0a0d0d0a, 1, 6
	if got[section] != 1 || got[iface] != 2*3 || got[packet]%4 != 0 || got[packet] < 4*len(a.Messages) {
		t.Errorf("%v, and %d messages", got, len(a.Messages))
	}
}

func TestCapturesCanBeRepeated(t *testing.T) {
	t.Parallel()
	first := natPort(t, 7)
	second, other := natPort(t, 7), natPort(t, 8)
	for i := range first.Acts {
		file := captured(t, &first.Acts[i])
		if !bytes.Equal(file, captured(t, &second.Acts[i])) {
			t.Errorf("act %d: the same seed gave other packets", i+1)
		}
		if bytes.Equal(file, captured(t, &other.Acts[i])) {
			t.Errorf("act %d: another seed gave the same packets", i+1)
		}
	}
}

// tshark reads a capture and returns the lines that it prints.
func tshark(t *testing.T, file []byte, args ...string) []string {
	t.Helper()
	program, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not on the PATH")
	}
	path := filepath.Join(t.TempDir(), "act.pcapng")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), program, append([]string{"-n", "-r", path,
		"-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"}, args...)...).Output()
	if err != nil {
		t.Fatalf("tshark %v: %v", args, err)
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
}

// TestTshark has another program read the captures: nothing is malformed, all
// checksums are right, and the comments are there.
func TestTshark(t *testing.T) {
	t.Parallel()
	story := natPort(t, 1)
	hold := play(t, builtin(t, "server-nat-alg"), lab.Choice{Modes: []lab.Mode{lab.EPSV}, ALG: alg.Off})
	for _, a := range append(story.Acts, hold.Acts...) {
		bad := tshark(t, captured(t, &a), "-Y", "_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || icmp.checksum.status == 0")
		if len(bad) > 0 {
			t.Errorf("%s: %s", a.Title, strings.Join(bad, "\n"))
		}
	}
	fields := []string{"-T", "fields", "-E", "separator=|", "-e", "frame.interface_name", "-e", "ip.ttl", "-e", "frame.comment"}
	for _, c := range []struct {
		act    int
		filter string
		want   []string
	}{
		{0, `frame.comment contains "nobody"`, slices.Repeat([]string{"server at internet|64|nobody on the Internet has 192.168.1.2"}, 5)},
		{3, `tcp.flags.syn == 1 && frame.comment`, []string{
			"gw/outside at gw|63|192.168.1.2:40001 becomes 218.63.1.5:40001", "gw/inside at gw|63|218.63.1.5:50000 becomes 192.168.1.2:50000"}},
		{3, `ftp.request.command == "PORT"`, []string{"client at client|64|PORT 192,168,1,2,195,80",
			"gw/outside at gw|63|PORT 192,168,1,2,195,80 becomes PORT 218,63,1,5,195,80; 218.63.1.5:50000 opened for 218.63.1.100"}},
	} {
		got := tshark(t, captured(t, &story.Acts[c.act]), append(fields, "-Y", c.filter)...)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.filter, diff)
		}
	}
}

// TestTsharkAtOneInterface: the file of an interface has each packet once, so
// that tshark has nothing to complain of, and all of them together have as many
// packets as the file of the act.
func TestTsharkAtOneInterface(t *testing.T) {
	t.Parallel()
	const packet = 6
	a := &natPort(t, 1).Acts[3]
	n := 0
	for _, name := range a.Interfaces() {
		var out bytes.Buffer
		if err := a.WriteCaptureAt(&out, name); err != nil {
			t.Fatal(err)
		}
		n += blocks(t, out.Bytes())[packet]
		const complaint = "tcp.analysis.retransmission || tcp.analysis.out_of_order || tcp.analysis.duplicate_ack || tcp.analysis.lost_segment || _ws.expert.severity >= warning"
		if bad := tshark(t, out.Bytes(), "-Y", complaint); len(bad) > 0 {
			t.Errorf("%s: %s", name, strings.Join(bad, "\n"))
		}
	}
	if want := blocks(t, captured(t, a))[packet]; len(a.Interfaces()) != 8 || n != want {
		t.Errorf("%d packets at %d interfaces, and %d together", n, len(a.Interfaces()), want)
	}
}
