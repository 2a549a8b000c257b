package packet

import (
	"container/list"
	"errors"
	"time"
)

// ReassemblyOptions of a Reassembler; the zero value gives the defaults.
type ReassemblyOptions struct {
	// Life is how long the fragments of a datagram wait for the others, from the
	// first that came; default 30 s, as Linux does. RFC 8200 section 4.5 has 60 s.
	Life time.Duration
	// MaxOctets bounds the memory of all fragments that wait; default 1 MiB.
	// When it does not suffice, the datagram that waits longest is given up.
	MaxOctets int
}

// Errors of Reassembler.Add.
var (
	ErrFragment = errors.New("packet: impossible size or place of a fragment")
	ErrOverlap  = errors.New("packet: fragments of the datagram overlap")
	ErrCrowded  = errors.New("packet: no memory for the fragments of the datagram")
)

// Reassembler puts the fragments of datagrams together (RFC 791 section 3.2,
// RFC 8200 section 4.5). A datagram with fragments that overlap, or do not
// agree on its length, is discarded with all that is still to come of it, in
// both families (RFC 5722 section 4); exact duplicates do no harm. It is not
// safe for concurrent use.
type Reassembler struct {
	options ReassemblyOptions
	byKey   map[datagramKey]*list.Element
	oldest  *list.List // of *datagram, the oldest in front
	held    int        // octets, with overhead
	lost    int
}

// overhead is what a datagram or a fragment costs beside its octets. Without
// it, fragments of eight octets would take many times the memory that is meant.
const overhead = 64

// NewReassembler makes one that holds nothing.
func NewReassembler(o ReassemblyOptions) *Reassembler {
	if o.Life == 0 {
		o.Life = 30 * time.Second
	}
	if o.MaxOctets == 0 {
		o.MaxOctets = 1 << 20
	}
	return &Reassembler{options: o, byKey: map[datagramKey]*list.Element{}, oldest: list.New()}
}

// Lost returns how many datagrams have been given up incomplete, for want of
// time or memory. Those that Add has refused do not count.
func (r *Reassembler) Lost() int { return r.lost }

// Add takes a packet, which v must describe, and becomes its holder. It
// returns the whole datagram when this was all that it lacked, with the TTL and
// the options of its first fragment, and nil before; a packet that is no
// fragment comes back as it is. A fragment that is refused is dropped and the
// error says why; with ErrOverlap and ErrCrowded, the rest of its datagram goes
// as well. Time passes only when a fragment comes.
func (r *Reassembler) Add(p *Packet, v *View, now time.Time) (whole *Packet, err error) {
	if !v.Fragment() {
		return p, nil
	}
	defer p.Release()
	r.expire(now)
	in := piece{v.FragmentOffset, p.Data[v.ip:v.end]}
	if len(in.data) == 0 || v.MoreFragments && len(in.data)%8 != 0 || headerLen(v)+in.end() > maxPacket {
		return nil, ErrFragment
	}
	e := r.find(v, now)
	if e == nil {
		return nil, ErrCrowded
	}
	d := e.Value.(*datagram)
	if d.refused {
		return nil, ErrOverlap
	}
	at, fit := d.place(in, !v.MoreFragments)
	if fit == duplicate {
		return nil, nil
	}
	if fit == overlap {
		r.take(d, overhead-d.held) // the key stays, for what is still to come
		d.refused, d.header, d.pieces = true, nil, nil
		return nil, ErrOverlap
	}
	if !r.take(d, len(in.data)+overhead) {
		return nil, ErrCrowded
	}
	d.insert(at, in, p, v)
	if d.header == nil || d.octets != d.total {
		return nil, nil
	}
	r.remove(e)
	if len(d.header)+d.total > maxPacket {
		return nil, ErrFragment
	}
	return d.join(), nil
}

// find returns the datagram of a fragment, a new one if there is none, and nil
// when there is no memory for a new one.
func (r *Reassembler) find(v *View, now time.Time) *list.Element {
	key := datagramKey{src: v.Src.Addr(), dst: v.Dst.Addr(), id: v.ID}
	if v.Version == 4 {
		key.proto = v.Proto
	}
	e, ok := r.byKey[key]
	if !ok {
		d := &datagram{key: key, deadline: now.Add(r.options.Life)}
		e = r.oldest.PushBack(d)
		r.byKey[key] = e
		if !r.take(d, overhead) {
			return nil
		}
	}
	return e
}

// take gives a datagram n more octets, at the cost of the oldest ones, and
// reports whether it has survived that itself.
func (r *Reassembler) take(d *datagram, n int) bool {
	d.held += n
	r.held += n
	for r.held > r.options.MaxOctets {
		e := r.oldest.Front()
		r.giveUp(e)
		if e.Value == d {
			return false
		}
	}
	return true
}

func (r *Reassembler) giveUp(e *list.Element) {
	r.remove(e)
	if !e.Value.(*datagram).refused {
		r.lost++
	}
}

func (r *Reassembler) remove(e *list.Element) {
	d := r.oldest.Remove(e).(*datagram)
	r.held -= d.held
	delete(r.byKey, d.key)
}

func (r *Reassembler) expire(now time.Time) {
	for e := r.oldest.Front(); e != nil && !now.Before(e.Value.(*datagram).deadline); e = r.oldest.Front() {
		r.giveUp(e)
	}
}
