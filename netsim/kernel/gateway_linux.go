package kernel

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/namespace"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// Gateway is the kernel as a gateway.
type Gateway struct {
	name  string
	space *namespace.Space
	loose *looseness

	asking sync.Mutex // one question at a time
}

// Version is the release of the running kernel, "6.18.44".
func Version() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Release[:])
}

// Available reports whether there can be such a gateway here: the error is a
// *namespace.MissingError.
func Available(ctx context.Context) error {
	g, err := New(ctx, trial(), alg.Options{Profile: alg.Linux})
	if err != nil {
		return err
	}
	return g.Close()
}

// New makes a gateway.
func New(ctx context.Context, o gateway.Options, helper alg.Options) (*Gateway, error) {
	if err := check(o, helper); err != nil {
		return nil, err
	}
	c, links := configOf(o)
	g := &Gateway{name: o.Name}
	if helper.Profile == alg.Linux {
		c.Ports = helper.Ports
		if len(c.Ports) == 0 {
			c.Ports = []uint16{alg.DefaultPort}
		}
		load()
		var err error
		if g.loose, err = setLoose(helper.Loose); err != nil {
			return nil, fmt.Errorf("%s: %w", title(o), err)
		}
	}
	space, err := namespace.Start(ctx, namespace.Options{Role: role, Config: c, Links: links, Sysctls: sysctls(o)})
	if err != nil {
		g.loose.restore()
		return nil, fmt.Errorf("%s: %w", title(o), err)
	}
	g.space = space
	var b built
	if err := space.Receive(&b, answerBound); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: its namespace does not answer: %w", title(o), err), g.Close())
	}
	if b.Error != "" {
		err := &namespace.MissingError{What: "the kernel does not take the rules of " + title(o), Err: errors.New(b.Error),
			Hint: "it needs nftables with NAT, and for a helper nf_conntrack_ftp and nf_nat_ftp (modprobe nf_nat_ftp)"}
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

// title is what a gateway is called in errors.
func title(o gateway.Options) string {
	if o.Name == "" { // it is only tried
		return "a gateway"
	}
	return "gateway " + o.Name
}

// configOf takes the options apart.
func configOf(o gateway.Options) (config, []namespace.Link) {
	c := config{Filter: o.Filter, Unknown: o.Unknown}
	if o.NAT != nil {
		nat := *o.NAT
		nat.Addresses = slices.Clone(nat.Addresses)
		c.NAT = &nat
	}
	var links []namespace.Link
	for i, spec := range o.Interfaces {
		l := namespace.Link{Name: spec.Name, Addrs: slices.Clone(spec.Addrs), MTU: spec.MTU, Default: spec.Outside}
		if l.Name == "" {
			l.Name = "if" + strconv.Itoa(i)
		}
		if c.NAT != nil && spec.Outside {
			l.Addrs = c.outside(l.Addrs)
		}
		c.Names[i], c.Outside[i] = l.Name, spec.Outside
		links = append(links, l)
	}
	return c, links
}

// outside gives the NAT the addresses of its outside interface where it has
// none, and the interface those of the NAT.
func (c *config) outside(addrs []netip.Prefix) []netip.Prefix {
	if len(c.NAT.Addresses) == 0 {
		for _, a := range addrs {
			c.NAT.Addresses = append(c.NAT.Addresses, a.Addr())
		}
	}
	for _, a := range c.NAT.Addresses {
		if !slices.ContainsFunc(addrs, func(p netip.Prefix) bool { return p.Addr() == a }) {
			addrs = append(addrs, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return addrs
}

// trial is a gateway to find out whether there can be one.
func trial() gateway.Options {
	o := gateway.Linux()
	o.Interfaces = []gateway.Interface{{Name: "inside", Addrs: []netip.Prefix{netip.MustParsePrefix("192.168.1.1/24")}},
		{Name: "outside", Addrs: []netip.Prefix{netip.MustParsePrefix("218.63.1.5/24")}, Outside: true}}
	return o
}

// answerBound is how long the child may take to do something.
const answerBound = 30 * time.Second

// load asks for the helper, where it is a module that is not there yet. It may
// be a part of the kernel, or be loaded by the rules; what follows tells.
func load() {
	_ = exec.Command("modprobe", "-q", "-a", "nf_conntrack_ftp", "nf_nat_ftp").Run() //nolint:gosec // no input of others
}

// sysctls are the parameters of the namespace.
func sysctls(o gateway.Options) map[string]string {
	s := map[string]string{
		"net/ipv4/ip_forward": "1", "net/ipv6/conf/all/forwarding": "1",
		"net/ipv4/conf/all/rp_filter": "0", "net/ipv4/conf/default/rp_filter": "0",
		"net/ipv4/conf/all/send_redirects": "0", "net/ipv4/conf/default/send_redirects": "0",
	}
	var t gateway.Timeouts
	strict := false
	switch {
	case o.NAT != nil:
		t, strict = o.NAT.Timeouts, o.NAT.Strict
	case o.Filter != nil:
		t, strict = o.Filter.Timeouts, o.Filter.Strict
	default:
		return s
	}
	if strict {
		s["net/netfilter/nf_conntrack_tcp_loose"] = "0"
	}
	maps.Copy(s, timeouts(t.Established, "established"))
	maps.Copy(s, timeouts(t.Transitory, "syn_sent", "syn_recv", "fin_wait", "close_wait", "last_ack", "time_wait"))
	maps.Copy(s, timeouts(t.Close, "close"))
	return s
}

// timeouts sets the timeouts of some states, unless it is 0.
func timeouts(d time.Duration, states ...string) map[string]string {
	out := map[string]string{}
	for _, state := range states {
		if d > 0 {
			out["net/netfilter/nf_conntrack_tcp_timeout_"+state] = strconv.Itoa(max(int(d/time.Second), 1))
		}
	}
	return out
}

// Interface returns where packets come in, by the number in the options.
func (g *Gateway) Interface(i int) packet.Sink { return g.space.Devices[i] }

// Connect tells an interface where its packets go; nil lets them vanish.
func (g *Gateway) Connect(i int, out packet.Sink) { g.space.Devices[i].Attach(out) }

// Table returns what the kernel remembers now. It has no mappings: Linux keeps
// them with the connections.
func (g *Gateway) Table() (gateway.Table, error) {
	g.asking.Lock()
	defer g.asking.Unlock()
	if err := g.space.Send(question{Table: true}); err != nil {
		return gateway.Table{}, fmt.Errorf("gateway %s: ask for its table: %w", g.name, err)
	}
	var a answer
	if err := g.space.Receive(&a, answerBound); err != nil {
		return gateway.Table{}, fmt.Errorf("gateway %s: ask for its table: %w", g.name, err)
	}
	if a.Error != "" {
		return gateway.Table{}, fmt.Errorf("gateway %s: read its table: %s", g.name, a.Error)
	}
	a.Table.At = time.Now()
	return a.Table, nil
}

// Forget removes all that the kernel remembers, as after a restart.
func (g *Gateway) Forget() error {
	g.asking.Lock()
	defer g.asking.Unlock()
	var a answer
	err := g.space.Send(question{Forget: true})
	if err == nil {
		err = g.space.Receive(&a, answerBound)
	}
	if err == nil && a.Error != "" {
		err = errors.New(a.Error)
	}
	if err != nil {
		return fmt.Errorf("gateway %s: make it forget: %w", g.name, err)
	}
	return nil
}

// Close ends the gateway.
func (g *Gateway) Close() error {
	g.loose.restore()
	return g.space.Close()
}
