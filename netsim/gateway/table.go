package gateway

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// key is the endpoints of a packet as it comes in. It has no holes and no
// pointers, so that a map finds it fast.
type key struct {
	src, dst         [16]byte
	srcPort, dstPort uint16
	six              uint32 // 1 for IPv6, 0 for IPv4, which has four octets
}

func keyOf(src, dst netip.AddrPort) key {
	k := key{srcPort: src.Port(), dstPort: dst.Port()}
	if src.Addr().Is4() {
		s, d := src.Addr().As4(), dst.Addr().As4()
		copy(k.src[:], s[:])
		copy(k.dst[:], d[:])
		return k
	}
	k.src, k.dst, k.six = src.Addr().As16(), dst.Addr().As16(), 1
	return k
}

// flow is a direction of a connection.
type flow struct {
	conn *conn
	from Side
}

// keyOf is how the packets from a side come in.
func (c *conn) keyOf(from Side) key { return keyOf(c.ends[from].real, c.ends[from.Other()].seen) }

// table holds the connections, each under the keys of its two directions.
type table struct {
	flows map[key]flow
	count int    // connections
	last  uint64 // id

	sweepAt int       // when this many are there, it is time to look for expired ones
	soonest time.Time // nothing expires before
}

// minSweep keeps small tables from being swept all the time.
const minSweep = 1024

// never is later than everything.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

func newTable() table { return table{flows: map[key]flow{}, sweepAt: minSweep, soonest: never} }

// noteExpiry takes note of when a connection can expire at the earliest.
func (t *table) noteExpiry(at time.Time) {
	if at.Before(t.soonest) {
		t.soonest = at
	}
}

// link puts a connection into the table. It reports false, and has done
// nothing, when packets of the server could be mistaken for those of another
// connection; those of the client are known not to be.
func (g *Gateway) link(c *conn) bool {
	there, back := c.keyOf(Client), c.keyOf(Server)
	if there == back || g.taken(back) && !g.faults.OverloadsPorts {
		return false
	}
	g.table.last++
	g.table.count++
	c.id, c.linked = g.table.last, true
	g.table.flows[there], g.table.flows[back] = flow{c, Client}, flow{c, Server}
	return true
}

// taken reports whether a connection uses a key.
func (g *Gateway) taken(k key) bool {
	f, ok := g.table.flows[k]
	if ok && !g.now.Before(f.conn.expires) {
		g.remove(f.conn)
		return false
	}
	return ok
}

// unlink takes a connection out of the table, and leaves it what it holds.
func (g *Gateway) unlink(c *conn) {
	if !c.linked {
		return
	}
	for _, from := range []Side{Client, Server} {
		if k := c.keyOf(from); g.table.flows[k].conn == c { // else the fault OverloadsPorts gave it away
			delete(g.table.flows, k)
		}
	}
	c.linked = false
	g.table.count--
}

// remove ends a connection and all that lives by it.
func (g *Gateway) remove(c *conn) {
	if c.gone {
		return
	}
	g.unlink(c)
	c.gone = true
	g.noteOf(ConnectionExpired, c)
	for len(c.announced) > 0 {
		g.forget(c.announced[0], ExpectationExpired)
	}
	for s := range c.ends {
		g.leaveMapping(c, Side(s))
	}
}

// room reports whether there is room for one more connection.
func (g *Gateway) room() bool {
	if t := &g.table; t.count >= t.sweepAt || t.count >= g.state.most {
		g.reclaim()
	}
	return g.table.count < g.state.most
}

// reclaim sweeps if anything can have expired. That, and the growth of sweepAt,
// keeps the cost of a connection constant on the average.
func (g *Gateway) reclaim() {
	if !g.now.Before(g.table.soonest) {
		g.sweep()
	}
}

// sweep removes all connections and expectations that have expired, in the
// order in which they were made.
func (g *Gateway) sweep() {
	var dead []*conn
	g.table.soonest = never
	for _, c := range g.conns() {
		if g.now.Before(c.expires) {
			g.table.noteExpiry(c.expires)
		} else {
			dead = append(dead, c)
		}
	}
	for _, c := range dead {
		g.remove(c)
	}
	for _, c := range g.conns() {
		g.expireOf(c)
	}
	g.table.sweepAt = max(minSweep, 2*g.table.count)
}

// conns lists the connections in the order in which they were made.
func (g *Gateway) conns() []*conn {
	out := make([]*conn, 0, g.table.count)
	for _, f := range g.table.flows {
		if f.from == Client {
			out = append(out, f.conn)
		}
	}
	slices.SortFunc(out, func(a, b *conn) int { return cmp.Compare(a.id, b.id) })
	return out
}
