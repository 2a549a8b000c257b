package gateway

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Defaults of the options.
const (
	defaultMTU = 1500
	defaultMax = 65536
	minMTU     = 68 // RFC 791 section 3.2
)

var defaultPorts = PortRange{1024, 65535}

// nameAt is the name of the interface with a number.
func (i Interface) nameAt(n int) string {
	if i.Name == "" {
		return fmt.Sprintf("if%d", n)
	}
	return i.Name
}

// check says what is wrong with the options.
func (o Options) check() error {
	names, addrs := map[string]bool{}, map[netip.Addr]bool{}
	outside, addressed := false, false // an interface is outside, and has an address
	for n, i := range o.Interfaces {
		name := i.nameAt(n)
		if names[name] {
			return fmt.Errorf("two interfaces are called %q", name)
		}
		names[name], outside = true, outside || i.Outside
		if i.MTU != 0 && (i.MTU < minMTU || i.MTU > 65535) {
			return fmt.Errorf("interface %s: an MTU of %d is not between %d and 65535", name, i.MTU, minMTU)
		}
		for _, a := range i.Addrs {
			if !a.IsValid() || a.Addr().Is4In6() {
				return fmt.Errorf("interface %s: %v is not an address with the length of its network", name, a)
			}
			if addrs[a.Addr()] {
				return fmt.Errorf("interface %s: two interfaces have the address %v", name, a.Addr())
			}
			addrs[a.Addr()], addressed = true, addressed || i.Outside
		}
	}
	if len(o.Interfaces) == 0 {
		return errors.New("it has no interface")
	}
	for _, r := range o.Routes {
		if !r.To.IsValid() || r.Interface < 0 || r.Interface >= len(o.Interfaces) {
			return fmt.Errorf("the route to %v by interface %d leads nowhere: there are %d interfaces", r.To, r.Interface, len(o.Interfaces))
		}
	}
	if o.Unknown > UnknownICMP {
		return fmt.Errorf("there is no Unknown %d", o.Unknown)
	}
	if o.Filter != nil {
		if err := o.Filter.check(names); err != nil {
			return fmt.Errorf("filter: %w", err)
		}
	}
	switch {
	case o.NAT == nil:
		return nil
	case !outside:
		return errors.New("NAT: no interface is outside")
	case len(o.NAT.Addresses) == 0 && !addressed:
		return errors.New("NAT: there is no outside address")
	}
	if err := o.NAT.check(); err != nil {
		return fmt.Errorf("NAT: %w", err)
	}
	return nil
}

func (n *NAT) check() error {
	switch {
	case n.Mapping > AddressAndPortDependent, n.Filtering > AddressAndPortDependent:
		return fmt.Errorf("there is no behaviour %d", max(n.Mapping, n.Filtering))
	case n.Ports > Sequential:
		return fmt.Errorf("there is no port policy %d", n.Ports)
	case n.Pooling > Arbitrary:
		return fmt.Errorf("there is no pooling %d", n.Pooling)
	case n.Hairpin > HairpinOff:
		return fmt.Errorf("there is no hairpinning %d", n.Hairpin)
	case n.MaxMappings < 0:
		return fmt.Errorf("at most %d mappings are too few", n.MaxMappings)
	}
	for _, a := range n.Addresses {
		if !a.IsValid() || a.Is4In6() || a.IsUnspecified() || a.IsMulticast() {
			return fmt.Errorf("%v cannot be an outside address", a)
		}
	}
	if err := n.PortRange.check(); err != nil {
		return err
	}
	for _, f := range n.Forwards {
		if err := f.check(); err != nil {
			return fmt.Errorf("forward of ports %v to %v: %w", f.Ports, f.To, err)
		}
	}
	return n.Timeouts.check()
}

// check takes the zero value for a default.
func (r PortRange) check() error {
	if r != (PortRange{}) && (r.First == 0 || r.Last < r.First) {
		return fmt.Errorf("%v is not a range of ports", r)
	}
	return nil
}

func (f Forward) check() error {
	switch {
	case f.Ports == PortRange{}:
		return errors.New("which ports?")
	case !f.To.IsValid() || f.To.Is4In6():
		return errors.New("that is not an address")
	case f.Addr.IsValid() && f.Addr.Is4() != f.To.Is4():
		return fmt.Errorf("%v is of another family", f.Addr)
	case f.Port != 0 && int(f.Port)+f.Ports.size()-1 > 65535:
		return fmt.Errorf("the ports from %d on go beyond 65535", f.Port)
	}
	return f.Ports.check()
}

func (t Timeouts) check() error {
	if least := min(t.Established, t.Transitory, t.Close, t.Hold); least < 0 {
		return fmt.Errorf("a timeout of %v has passed before it begins", least)
	}
	return nil
}

// tracking is how connections are remembered.
type tracking struct {
	timeouts Timeouts
	most     int
	strict   bool
	windows  bool
	invalid  bool // segments take their way
}

// tracking gathers what NAT and Filter say about it; NAT's word counts more.
func (o Options) tracking() tracking {
	t := tracking{most: defaultMax}
	switch {
	case o.NAT != nil:
		t = tracking{o.NAT.Timeouts, o.NAT.MaxMappings, o.NAT.Strict, o.NAT.Windows, o.NAT.PassInvalid}
	case o.Filter != nil:
		t = tracking{o.Filter.Timeouts, o.Filter.MaxConnections, o.Filter.Strict, o.Filter.Windows, true}
	}
	if t.most == 0 {
		t.most = defaultMax
	}
	if o.Faults.ShortTimeout {
		t.timeouts.Established = shortTimeout
	}
	if o.Faults.ShortTransitory {
		t.timeouts.Transitory = shortTransitory
	}
	fill(&t.timeouts.Established, 2*time.Hour+4*time.Minute)
	fill(&t.timeouts.Transitory, 4*time.Minute)
	fill(&t.timeouts.Close, t.timeouts.Transitory)
	fill(&t.timeouts.Hold, 6*time.Second)
	return t
}

func fill(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}
