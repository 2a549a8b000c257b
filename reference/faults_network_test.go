package reference_test

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/reference"
)

// silence is a network in which nobody answers who is dialled.
type silence struct{ host.OS }

func (silence) Dial(ctx context.Context, _, _ netip.AddrPort) (net.Conn, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

func TestDialsForever(t *testing.T) {
	t.Parallel()
	for _, forever := range []bool{false, true} {
		c := started(t, reference.Options{Network: silence{}, DataTimeout: 100 * time.Millisecond,
			Faults: reference.Faults{DialsForever: forever}})
		c.cmd(200, port(deaf()))
		c.cmd(150, "RETR text")
		p := probe{control: c}
		if got, want := p.hear(), map[bool]string{false: "425", true: "silence"}[forever]; !strings.HasPrefix(got, want) {
			t.Errorf("DialsForever %v: %s, want %s", forever, got, want)
		}
	}
}

func TestIPv4CommandsOnIPv6(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		faults     reference.Faults
		port, pasv string
	}{
		{reference.Faults{}, "501", "501"},
		{reference.Faults{PORTOnIPv6: true}, "200", "501"},
		{reference.Faults{PASVOnIPv6: true}, "501", "227 Entering Passive Mode (0,0,0,0,"},
	} {
		p := probe{control: login(t, serve(t, reference.Options{Faults: v.faults}, "::1"))}
		if got := p.say("PORT 127,0,0,1,200,1"); !strings.HasPrefix(got, v.port) {
			t.Errorf("%v: PORT was answered %s", v.faults.Names(), got)
		}
		if got := p.say("PASV"); !strings.HasPrefix(got, v.pasv) {
			t.Errorf("%v: PASV was answered %s", v.faults.Names(), got)
		}
	}
}

// TestAdvertisedAddress tells the server to name an address that is none of
// this machine's (RFC 5737).
func TestAdvertisedAddress(t *testing.T) {
	t.Parallel()
	outside := func(netip.Addr, netip.Addr) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, 1}) }
	for _, v := range []struct {
		faults reference.Faults
		pasv   string
	}{
		{reference.Faults{}, "227 Entering Passive Mode (192,0,2,1,"},
		{reference.Faults{PassiveAddrIgnored: true}, "227 Entering Passive Mode (127,0,0,1,"},
		{reference.Faults{PassiveAddrBound: true}, "425"},
	} {
		p := probe{control: started(t, reference.Options{PassiveAddr: outside, Faults: v.faults})}
		if got := p.say("PASV"); !strings.HasPrefix(got, v.pasv) {
			t.Errorf("%v: PASV was answered %s", v.faults.Names(), got)
		}
		if got := p.say("EPSV"); !strings.HasPrefix(got, "229") {
			t.Errorf("%v: EPSV was answered %s", v.faults.Names(), got)
		}
	}
}
