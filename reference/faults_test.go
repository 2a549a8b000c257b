package reference_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/reference"
)

// moment is how long a probe waits for what may never come.
const moment = time.Second

// probe is one session in which an observation is made.
type probe struct {
	*control
	at    netip.AddrPort // of the server
	files *reference.Memory
	l     *net.TCPListener // an active endpoint
	ep    netip.AddrPort

	greeting string
}

// say sends lines and returns the reply to the last one, or "silence".
func (p *probe) say(lines ...string) string {
	p.t.Helper()
	out := ""
	for _, line := range lines {
		p.raw(line + "\r\n")
		out = p.hear()
	}
	return out
}

// hear returns the next reply.
func (p *probe) hear() string {
	_ = p.conn.SetReadDeadline(time.Now().Add(moment))
	var rr ftp.ReplyReader
	for {
		text, err := p.r.ReadString('\n')
		if err != nil {
			return outcome(err, "silence", "closed")
		}
		r, done, err := rr.Add(strings.TrimRight(text, "\r\n"))
		if err != nil || done {
			return r.String()
		}
	}
}

// outcome names a read error.
func outcome(err error, silence, end string) string {
	var timeout net.Error
	switch {
	case errors.Is(err, io.EOF):
		return end
	case errors.As(err, &timeout) && timeout.Timeout():
		return silence
	}
	return "reset"
}

// state tells what a data connection does.
func state(conn net.Conn) string {
	_ = conn.SetReadDeadline(time.Now().Add(moment))
	b, err := io.ReadAll(conn)
	if len(b) > 40 {
		b = fmt.Appendf(nil, "%d octets", len(b))
	}
	return fmt.Sprintf("%q %s", b, outcome(err2(err), "open", "closed"))
}

// err2 gives ReadAll's nil the name of the end.
func err2(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}

// comes tells whether the server dials a listener, and what it sends.
func comes(l *net.TCPListener) string {
	_ = l.SetDeadline(time.Now().Add(moment))
	conn, err := l.Accept()
	if err != nil {
		return "nobody"
	}
	defer conn.Close()
	return "came " + state(conn)
}

// open tells whether somebody listens.
func (p *probe) open(at netip.AddrPort) string { return fmt.Sprint(!refused(p.t, at)) }

func (p *probe) stranger(at netip.AddrPort) net.Conn {
	conn, err := net.DialTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}, net.TCPAddrFromAddrPort(at))
	if err != nil {
		p.t.Skip(err)
	}
	p.t.Cleanup(func() { conn.Close() })
	return conn
}

// stored is what a file holds.
func (p *probe) stored(name string) string {
	b, err := p.files.ReadFile(name)
	return fmt.Sprintf("%q %v", b, err)
}

// stalled starts a transfer that cannot end by itself.
func (p *probe) stalled() *net.TCPConn {
	enlarge(p.t, p.files)
	d := p.data()
	p.cmd(0, "RETR big")
	return d
}

// probed elsewhere, because their sessions need a beginning of their own.
var probedElsewhere = []string{"EphemeralSource", "ActiveFromOtherAddress", "ActiveDialsTwice", "NoLoginDelay",
	"DialsForever", "PORTOnIPv6", "PASVOnIPv6", "PassiveAddrIgnored", "PassiveAddrBound"}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, info := range reference.FaultNames() {
		look, ok := faultProbes[info.Name]
		if !ok {
			found := false
			for _, name := range probedElsewhere {
				found = found || name == info.Name
			}
			if !found {
				t.Errorf("no probe for %s", info.Name)
			}
			continue
		}
		t.Run(info.Name, func(t *testing.T) {
			t.Parallel()
			plain, faulty := observe(t, "", look), observe(t, info.Name, look)
			t.Logf("%s, not %s", faulty, plain)
			if plain == faulty {
				t.Error("the fault has no effect")
			}
		})
	}
}

// observe makes one observation at a server with one fault or tolerance.
func observe(t *testing.T, fault string, look func(*probe) string) string {
	t.Helper()
	o := reference.Options{Files: seeded(t), DataTimeout: 500 * time.Millisecond}
	if strings.HasSuffix(t.Name(), "/RangeOffByOne") {
		o.PassivePorts = reference.PortRange{Min: 21011, Max: 21012}
	}
	if fault != "" && o.Faults.Set(fault) != nil {
		if err := o.Tolerances.Set(fault); err != nil {
			t.Fatal(err)
		}
	}
	p := &probe{at: serve(t, o, ownAddress(t)), files: o.Files.(*reference.Memory)}
	p.control = connectAny(t, p.at)
	if fault == "Latin1Greeting" {
		return p.hear()
	}
	if fault == "BareLF" { // the usual reader insists on CR LF
		p.say("")
		return look(p)
	}
	if p.greeting = p.hear(); !strings.HasPrefix(p.greeting, "220") {
		t.Fatal(p.greeting)
	}
	p.say("USER user")
	p.say("PASS pass")
	p.l, p.ep = listener(t, "127.0.0.1")
	return look(p)
}

func connectAny(t *testing.T, at netip.AddrPort) *control {
	t.Helper()
	conn := dial(t, at)
	return &control{t: t, conn: conn, r: bufio.NewReader(conn)}
}

// toleranceProbes make an observation that a tolerance changes.
func toleranceProbes() map[string]func(p *probe) string {
	return map[string]func(p *probe) string{
		"PASVNoParentheses":  func(p *probe) string { return p.say("PASV")[:27] },
		"PASVTextAround":     func(p *probe) string { return p.say("PASV")[:27] },
		"EPSVTrailingDot":    func(p *probe) string { s := p.say("EPSV"); return s[len(s)-2:] },
		"EPSVOtherDelimiter": func(p *probe) string { s := p.say("EPSV"); return s[len(s)-2:] },
		"Answers125": func(p *probe) string {
			p.data()
			pause(p.t, 20*time.Millisecond)
			return p.say("RETR text")
		},
		"PassiveDialFirst": func(p *probe) string { return p.say("EPSV", "RETR text") },
		"ActiveDialFirst":  func(p *probe) string { return p.say(port(deaf()), "RETR text") },
		"Multiline":        func(p *probe) string { return p.say("NOOP") },
		"ABOR225":          func(p *probe) string { return p.say("ABOR") },
		"DefersABOR":       func(p *probe) string { p.stalled(); return p.say("ABOR") },
		"Completes250":     func(p *probe) string { p.data(); p.say("RETR text"); return p.hear() },
		"RefusesWith500":   func(p *probe) string { return p.say("PORT x") + p.say("EPSV 9") + p.say("PORT "+foreign) },
		"DefersSTAT":       func(p *probe) string { p.stalled(); return p.say("STAT") },
		"LongGreeting":     func(p *probe) string { return p.greeting },
	}
}

func TestTolerances(t *testing.T) {
	t.Parallel()
	probes := toleranceProbes()
	for _, info := range reference.ToleranceNames() {
		look, ok := probes[info.Name]
		if !ok {
			t.Errorf("no probe for %s", info.Name)
			continue
		}
		t.Run(info.Name, func(t *testing.T) {
			t.Parallel()
			plain, odd := observe(t, "", look), observe(t, info.Name, look)
			t.Logf("%s, not %s", odd, plain)
			if plain == odd {
				t.Error("the tolerance has no effect")
			}
		})
	}
}
