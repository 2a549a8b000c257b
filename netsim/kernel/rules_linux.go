package kernel

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/ftpconform/ftpconform/netsim/gateway"
)

// helperName is what the kernel calls its helper for FTP.
const helperName = "ftp"

// rules puts an nftables ruleset together.
type rules struct {
	*config
	conn  *nftables.Conn
	table *nftables.Table
}

// apply gives the namespace its rules.
func (c *config) apply() error {
	conn, err := nftables.New()
	if err != nil {
		return err
	}
	r := &rules{config: c, conn: conn, table: conn.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: "ftpconform"})}
	if len(c.Ports) > 0 {
		r.help()
	}
	if c.Filter != nil {
		r.filter()
	}
	if c.NAT != nil {
		r.nat()
	}
	if c.NAT != nil || c.Filter != nil {
		r.unknown()
	}
	return conn.Flush()
}

func (r *rules) chain(name string, kind nftables.ChainType, hook *nftables.ChainHook, priority *nftables.ChainPriority) func(parts ...[]expr.Any) {
	ch := r.conn.AddChain(&nftables.Chain{Name: name, Table: r.table, Type: kind, Hooknum: hook, Priority: priority})
	return func(parts ...[]expr.Any) {
		r.conn.AddRule(&nftables.Rule{Table: r.table, Chain: ch, Exprs: slices.Concat(parts...)})
	}
}

// help assigns the helper, before a connection is confirmed and after DNAT has
// been chosen: then the port is the server's own.
func (r *rules) help() {
	r.conn.AddObj(&nftables.NamedObj{Table: r.table, Name: helperName, Type: nftables.ObjTypeCtHelper,
		Obj: &expr.CtHelper{Name: helperName, L3Proto: unix.NFPROTO_INET, L4Proto: unix.IPPROTO_TCP}})
	rule := r.chain("helper", nftables.ChainTypeFilter, nftables.ChainHookPrerouting, nftables.ChainPriorityFilter)
	for _, port := range r.Ports {
		rule(ports(gateway.PortRange{First: port, Last: port}), []expr.Any{&expr.Objref{Type: unix.NFT_OBJECT_CT_HELPER, Name: helperName}})
	}
}

// nat leads forwarded ports inside, and gives what leaves the outside address. A
// connection from inside that a forward has turned round gets it as well.
func (r *rules) nat() {
	dnat := r.chain("forwards", nftables.ChainTypeNAT, nftables.ChainHookPrerouting, nftables.ChainPriorityNATDest)
	for _, f := range r.NAT.Forwards {
		for _, outside := range r.NAT.Addresses {
			if f.Addr.IsValid() && f.Addr != outside || outside.Is4() != f.To.Is4() {
				continue
			}
			for _, p := range pieces(f) {
				dnat(r.from(), address(false, netip.PrefixFrom(outside, outside.BitLen())), ports(p.Ports), translate(expr.NATTypeDestNAT, f.To, p.Port))
			}
		}
	}
	snat := r.chain("outside", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource)
	for i, name := range r.Names {
		for _, a := range first(r.NAT.Addresses) {
			to := translate(expr.NATTypeSourceNAT, a, 0)
			switch {
			case r.Outside[i]:
				snat(device(expr.MetaKeyOIFNAME, name), family(a), to)
			case r.NAT.Hairpin != gateway.HairpinOff:
				snat(device(expr.MetaKeyOIFNAME, name), device(expr.MetaKeyIIFNAME, name), family(a), bits(expr.CtKeySTATUS, statusDNAT), to)
			}
		}
	}
}

// from matches what may use a forward.
func (r *rules) from() []expr.Any {
	i := slices.Index(r.Outside[:], true)
	if i < 0 || r.NAT.Hairpin != gateway.HairpinOff {
		return nil
	}
	return device(expr.MetaKeyIIFNAME, r.Names[i])
}

// pieces takes a forward to other ports apart: the kernel would choose one of a
// range as it likes.
func pieces(f gateway.Forward) []gateway.Forward {
	if f.Port == 0 {
		return []gateway.Forward{f}
	}
	var out []gateway.Forward
	for n := int(f.Ports.First); n <= int(f.Ports.Last); n++ {
		p := gateway.PortRange{First: uint16(n), Last: uint16(n)}
		out = append(out, gateway.Forward{Ports: p, Port: f.Port + uint16(n) - f.Ports.First})
	}
	return out
}

// statusDNAT says that a connection has another destination than its first
// packet had (IPS_DST_NAT of nf_conntrack_common.h).
const statusDNAT = 1 << 5

// first returns the first address of each family.
func first(addrs []netip.Addr) []netip.Addr {
	var out []netip.Addr
	for _, a := range addrs {
		if !slices.ContainsFunc(out, func(o netip.Addr) bool { return o.Is4() == a.Is4() }) {
			out = append(out, a)
		}
	}
	return out
}

// filter decides about what passes.
func (r *rules) filter() {
	rule := r.chain("filter", nftables.ChainTypeFilter, nftables.ChainHookForward, nftables.ChainPriorityFilter)
	for _, f := range r.Filter.Rules {
		var parts [][]expr.Any
		if f.In != "" {
			parts = append(parts, device(expr.MetaKeyIIFNAME, f.In))
		}
		if f.Out != "" {
			parts = append(parts, device(expr.MetaKeyOIFNAME, f.Out))
		}
		if f.State != 0 {
			parts = append(parts, bits(expr.CtKeySTATE, states(f.State)))
		}
		if f.Src.IsValid() {
			parts = append(parts, address(true, f.Src))
		}
		if f.Dst.IsValid() {
			parts = append(parts, address(false, f.Dst))
		}
		if f.Ports != (gateway.PortRange{}) {
			parts = append(parts, ports(f.Ports))
		}
		rule(append(parts, verdict(f.Action))...)
	}
	rule(verdict(r.Filter.Default))
}

// unknown decides about TCP for the gateway itself that comes from outside and
// belongs to no connection. A kernel without rules answers with RST.
func (r *rules) unknown() {
	do := []expr.Any{&expr.Verdict{Kind: expr.VerdictDrop}}
	switch r.Unknown {
	case gateway.UnknownReset:
		return
	case gateway.UnknownICMP:
		do = []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_ICMPX_UNREACH, Code: unix.NFT_REJECT_ICMPX_PORT_UNREACH}}
	default: // silence
	}
	rule := r.chain("unknown", nftables.ChainTypeFilter, nftables.ChainHookInput, nftables.ChainPriorityFilter)
	for i, name := range r.Names {
		if r.Outside[i] {
			rule(device(expr.MetaKeyIIFNAME, name), tcp(), do)
		}
	}
}

// The states of a connection in rules.
func states(s gateway.State) (mask uint32) {
	for _, x := range []struct {
		state gateway.State
		bit   uint32
	}{{gateway.StateNew, expr.CtStateBitNEW}, {gateway.StateEstablished, expr.CtStateBitESTABLISHED},
		{gateway.StateRelated, expr.CtStateBitRELATED}, {gateway.StateInvalid, expr.CtStateBitINVALID}} {
		if s&x.state != 0 {
			mask |= x.bit
		}
	}
	return mask
}

func verdict(a gateway.Action) []expr.Any {
	reject := func(code uint8) []expr.Any {
		return []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_ICMPX_UNREACH, Code: code}}
	}
	switch a {
	case gateway.Accept:
		return []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}}
	case gateway.RejectReset: // what is not TCP is dropped by the kernel
		return slices.Concat(tcp(), []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_TCP_RST}})
	case gateway.RejectNet:
		return reject(unix.NFT_REJECT_ICMPX_NO_ROUTE)
	case gateway.RejectHost:
		return reject(unix.NFT_REJECT_ICMPX_HOST_UNREACH)
	case gateway.RejectPort:
		return reject(unix.NFT_REJECT_ICMPX_PORT_UNREACH)
	case gateway.RejectAdminProhibited:
		return reject(unix.NFT_REJECT_ICMPX_ADMIN_PROHIBITED)
	default:
		return []expr.Any{&expr.Verdict{Kind: expr.VerdictDrop}}
	}
}

// The parts of rules. Each uses the first register.

// is compares the register with octets.
func is(data []byte) expr.Any { return &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: data} }

func device(key expr.MetaKey, name string) []expr.Any {
	padded := make([]byte, unix.IFNAMSIZ)
	copy(padded, name)
	return []expr.Any{&expr.Meta{Key: key, Register: 1}, is(padded)}
}

func tcp() []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1}, is([]byte{unix.IPPROTO_TCP})}
}

func ports(p gateway.PortRange) []expr.Any {
	out := append(tcp(), &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2})
	if p.First == p.Last {
		return append(out, is(port(p.First)))
	}
	return append(out, &expr.Range{Op: expr.CmpOpEq, Register: 1, FromData: port(p.First), ToData: port(p.Last)})
}

func port(n uint16) []byte { return binary.BigEndian.AppendUint16(nil, n) }

// family matches packets of the family of an address.
func family(a netip.Addr) []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1}, is([]byte{protocol(a)})}
}

func protocol(a netip.Addr) byte {
	if a.Is4() {
		return unix.NFPROTO_IPV4
	}
	return unix.NFPROTO_IPV6
}

// address matches packets from or to a network.
func address(src bool, p netip.Prefix) []expr.Any {
	n := uint32(p.Addr().BitLen() / 8)
	offset := map[bool]uint32{true: 12, false: 8}[p.Addr().Is4()] // where the source stands
	if !src {
		offset += n
	}
	return append(family(p.Addr()),
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: n},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: n, Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()), Xor: make([]byte, n)},
		is(p.Masked().Addr().AsSlice()))
}

// bits matches connections of which one of some bits is set.
func bits(key expr.CtKey, mask uint32) []expr.Any {
	native := binary.NativeEndian.AppendUint32(nil, mask)
	zero := make([]byte, 4)
	return []expr.Any{&expr.Ct{Key: key, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: native, Xor: zero},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: zero}}
}

// translate changes the address, and the port where one is given.
func translate(kind expr.NATType, to netip.Addr, p uint16) []expr.Any {
	n := &expr.NAT{Type: kind, Family: uint32(protocol(to)), RegAddrMin: 1}
	out := []expr.Any{&expr.Immediate{Register: 1, Data: to.AsSlice()}}
	if p != 0 {
		n.RegProtoMin = 2
		out = append(out, &expr.Immediate{Register: 2, Data: port(p)})
	}
	return append(out, n)
}
