package kernel

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/ti-mo/conntrack"
	"golang.org/x/sys/unix"

	"github.com/ftpconform/ftpconform/netsim/gateway"
)

// maxEntries bounds the connections and the expectations of a table.
const maxEntries = 300

// tableOf is the connections of TCP and what is expected, in the terms of
// package gateway.
func tableOf(flows []conntrack.Flow, expects []conntrack.Expect) gateway.Table {
	var t gateway.Table
	for _, f := range flows {
		if f.TupleOrig.Proto.Protocol == unix.IPPROTO_TCP && len(t.Connections) < maxEntries {
			t.Connections = append(t.Connections, connection(&f))
		}
	}
	for _, e := range expects {
		if e.Tuple.Proto.Protocol == unix.IPPROTO_TCP && len(t.Expectations) < maxEntries {
			t.Expectations = append(t.Expectations, expectation(&e, flows))
		}
	}
	slices.SortFunc(t.Connections, func(a, b gateway.ConnectionInfo) int {
		return cmp.Or(a.Client.Real.Compare(b.Client.Real), a.Server.Seen.Compare(b.Server.Seen))
	})
	slices.SortFunc(t.Expectations, func(a, b gateway.ExpectationInfo) int {
		return cmp.Or(a.To.Compare(b.To), a.From.Compare(b.From))
	})
	return t
}

func source(t *conntrack.Tuple) netip.AddrPort {
	return netip.AddrPortFrom(t.IP.SourceAddress, t.Proto.SourcePort)
}

func destination(t *conntrack.Tuple) netip.AddrPort {
	return netip.AddrPortFrom(t.IP.DestinationAddress, t.Proto.DestinationPort)
}

// connection reads an entry: its two tuples are the connection as it is on the
// two sides.
func connection(f *conntrack.Flow) gateway.ConnectionInfo {
	c := gateway.ConnectionInfo{Expected: f.Status.Expected(), Helped: f.Helper.Name == helperName,
		Client: gateway.EndInfo{Real: source(&f.TupleOrig), Seen: destination(&f.TupleReply)},
		Server: gateway.EndInfo{Real: source(&f.TupleReply), Seen: destination(&f.TupleOrig)},
		Left:   time.Duration(f.Timeout) * time.Second}
	if f.ProtoInfo.TCP != nil {
		c.Phase = phase(f.ProtoInfo.TCP.State)
	}
	return c
}

// The states of TCP in the kernel's table (nf_conntrack_tcp.h).
const (
	stateEstablished = 3
	stateFinWait     = 4
	stateCloseWait   = 5
	stateLastAck     = 6
	stateTimeWait    = 7
	stateClose       = 8
)

func phase(state uint8) gateway.Phase {
	switch state {
	case stateEstablished:
		return gateway.PhaseEstablished
	case stateFinWait, stateCloseWait:
		return gateway.PhaseHalfClosed
	case stateLastAck, stateTimeWait:
		return gateway.PhaseClosing
	case stateClose:
		return gateway.PhaseReset
	}
	return gateway.PhaseOpening
}

// expectation reads an entry. Where it is translated, the kernel keeps the port
// that was announced as the source of a tuple of its own, and takes the address
// from the control connection.
func expectation(e *conntrack.Expect, flows []conntrack.Flow) gateway.ExpectationInfo {
	x := gateway.ExpectationInfo{From: e.Tuple.IP.SourceAddress, To: destination(&e.Tuple), Real: destination(&e.Tuple), Uses: 1,
		Left: time.Duration(e.Timeout) * time.Second, By: source(&e.TupleMaster), Peer: destination(&e.TupleMaster)}
	if mask := e.Mask.IP.SourceAddress; !mask.IsValid() || mask.IsUnspecified() {
		x.From = netip.Addr{}
	}
	if i := slices.IndexFunc(flows, func(f conntrack.Flow) bool { return f.TupleOrig == e.TupleMaster }); i >= 0 {
		x.Peer = source(&flows[i].TupleReply)
	}
	// The direction is that of the connection that will come.
	if fromServer := e.NAT.Direction || x.From == x.Peer.Addr(); !fromServer {
		x.By, x.Peer = x.Peer, x.By
	}
	if port := e.NAT.Tuple.Proto.SourcePort; port != 0 {
		x.Real = netip.AddrPortFrom(x.By.Addr(), port)
	}
	return x
}
