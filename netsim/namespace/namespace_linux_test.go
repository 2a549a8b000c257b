package namespace_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ftpconform/ftpconform/netsim/namespace"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// role is what the child does here: it tells what it finds, and repeats what it
// is told, until that is "end".
const role = "test"

// found is what a child sees of its namespace.
type found struct {
	Config  string
	Addrs   []string
	MTU     int
	Forward string
}

func init() {
	namespace.Serve(role, func(c *namespace.Child) error {
		var f found
		if err := c.Config(&f.Config); err != nil {
			return err
		}
		i, err := net.InterfaceByName("ftp0")
		if err != nil {
			return err
		}
		f.MTU = i.MTU
		addrs, err := i.Addrs()
		if err != nil {
			return err
		}
		for _, a := range addrs {
			f.Addrs = append(f.Addrs, a.String())
		}
		text, err := os.ReadFile("/proc/sys/net/ipv4/ip_forward")
		if err != nil {
			return err
		}
		f.Forward = strings.TrimSpace(string(text))
		if err := c.Send(f); err != nil {
			return err
		}
		for {
			var word string
			if err := c.Receive(&word, 0); err != nil || word == "end" {
				return err
			}
			if err := c.Send(word); err != nil {
				return err
			}
		}
	})
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const bound = 10 * time.Second

// start makes a namespace with one device, or skips the test.
func start(t *testing.T, o namespace.Options) *namespace.Space {
	t.Helper()
	if err := namespace.Available(""); err != nil {
		t.Skip(err)
	}
	o.Role = role
	s, err := namespace.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestSpace(t *testing.T) {
	s := start(t, namespace.Options{Config: "hello", Sysctls: map[string]string{"net/ipv4/ip_forward": "1"},
		Links: []namespace.Link{{Addrs: []netip.Prefix{netip.MustParsePrefix("192.168.1.2/24"), netip.MustParsePrefix("2001:db8::2/64")}, MTU: 1400, Default: true}}})
	var f found
	if err := s.Receive(&f, bound); err != nil {
		t.Fatal(err)
	}
	if f.Config != "hello" || f.MTU != 1400 || f.Forward != "1" || !strings.Contains(strings.Join(f.Addrs, " "), "192.168.1.2/24") ||
		!strings.Contains(strings.Join(f.Addrs, " "), "2001:db8::2/64") {
		t.Errorf("the child found %+v", f)
	}
	if i, err := net.InterfaceByName("ftp0"); err == nil {
		t.Errorf("the device is here as well: %v", i)
	}
	var word string
	if err := errors.Join(s.Send("echo"), s.Receive(&word, bound)); err != nil || word != "echo" {
		t.Errorf("got %q, %v", word, err)
	}
	// The kernel of the namespace answers what comes in by the device.
	got := make(chan *packet.Packet, 10)
	s.Devices[0].Attach(sink(got))
	s.Devices[0].Input(packet.TCP(packet.Segment{Src: netip.MustParseAddrPort("8.8.8.8:5"), Dst: netip.MustParseAddrPort("192.168.1.2:9"), Seq: 7, Flags: packet.SYN, Window: 100}))
	late := time.NewTimer(bound)
	defer late.Stop()
	for {
		select {
		case p := <-got:
			v, err := p.Parse()
			if err != nil || !v.TCP {
				continue // the kernel looks for neighbours
			}
			if !v.Flags.Has(packet.RST) || v.Dst.String() != "8.8.8.8:5" || v.Ack != 8 {
				t.Errorf("a SYN to a closed port is answered %v", p)
			}
			s.Devices[0].Attach(nil)
			return
		case <-late.C:
			t.Fatal("a SYN to a closed port is not answered")
		}
	}
}

// sink hands packets on as long as somebody takes them.
type sink chan *packet.Packet

func (s sink) Input(p *packet.Packet) {
	select {
	case s <- p.Clone():
	default:
	}
	p.Release()
}

func TestChildEnds(t *testing.T) {
	s := start(t, namespace.Options{Config: "x", Links: []namespace.Link{{Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24")}}}})
	var f found
	if err := errors.Join(s.Receive(&f, bound), s.Send("end")); err != nil {
		t.Fatal(err)
	}
	late := time.NewTimer(bound)
	defer late.Stop()
	select {
	case <-s.Ended():
	case <-late.C:
		t.Error("the child does not end")
	}
}

func TestMissing(t *testing.T) {
	var missing *namespace.MissingError
	err := namespace.Available(filepath.Join(t.TempDir(), "tun"))
	if !errors.As(err, &missing) || missing.Hint == "" || missing.What == "" {
		t.Errorf("without a device: %v", err)
	}
	_, err = namespace.Start(t.Context(), namespace.Options{Role: role, TUN: filepath.Join(t.TempDir(), "tun"),
		Links: []namespace.Link{{Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24")}}}})
	if !errors.As(err, &missing) {
		t.Errorf("without a device: %v", err)
	}
}
