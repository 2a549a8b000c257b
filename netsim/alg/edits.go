package alg

import "sort"

// edits are the places at which one direction of a connection was changed: a
// list from which every number of the sender can be turned into the receiver's
// and back. Positions are sequence numbers that do not wrap: an int64 whose low
// 32 bits are the number of TCP.
type edits struct {
	list  []edit
	delta int64 // what is added to a position before the list
	floor int64 // where the octets before the list end, if some are forgotten
}

// edit is a stretch of octets in whose place others have gone on.
type edit struct {
	in, out int64 // where it begins, for the sender and for the receiver
	n       int   // octets of the sender
	text    []byte
	// same says that text is what the sender wrote, octet for octet; it is kept
	// because the sender has been told that some of it has arrived.
	same bool
	// extra is what a fault adds to the numbers behind the edit.
	extra int64
}

func (e *edit) inEnd() int64  { return e.in + int64(e.n) }
func (e *edit) outEnd() int64 { return e.out + int64(len(e.text)) + e.extra }

// The bounds of what is remembered.
const (
	// maxEdits is how many edits may wait for their acknowledgement before the
	// sender is made to wait.
	maxEdits = 64
	// keptEdits and keptOctets are how many edits, and for how long, are kept
	// after they were acknowledged, for late repetitions.
	keptEdits  = 16
	keptOctets = 1 << 16
)

// add puts an edit behind all others. The text is copied.
func (e *edits) add(in int64, n int, text []byte, same bool, f Faults) {
	d := edit{in: in, out: e.out(in), n: n, text: append([]byte(nil), text...), same: same}
	if f.ForgetsDelta {
		d.extra = in - d.out
	}
	e.list = append(e.list, d)
}

// last returns the last edit that begins at or before a position of the sender,
// nil if there is none.
func (e *edits) last(in int64) *edit {
	i := sort.Search(len(e.list), func(i int) bool { return e.list[i].in > in })
	if i == 0 {
		return nil
	}
	return &e.list[i-1]
}

// covering returns the edit within which a position of the sender lies.
func (e *edits) covering(in int64) *edit {
	if d := e.last(in); d != nil && in < d.inEnd() {
		return d
	}
	return nil
}

// out turns a position of the sender into the receiver's. Within an edit whose
// octets have no counterparts, it is some position within the edit.
func (e *edits) out(in int64) int64 {
	d := e.last(in)
	switch {
	case d == nil:
		return in + e.delta
	case in >= d.inEnd():
		return d.outEnd() + in - d.inEnd()
	}
	return d.out + min(in-d.in, int64(max(len(d.text)-1, 0)))
}

// in turns a position of the receiver into the sender's. Within an edit whose
// octets have no counterparts, it is the edit's start, or its end for up.
func (e *edits) in(out int64, up bool) int64 {
	i := sort.Search(len(e.list), func(i int) bool { return e.list[i].out > out })
	if i == 0 {
		return out - e.delta
	}
	d := &e.list[i-1]
	switch {
	case out >= d.outEnd():
		return d.inEnd() + out - d.outEnd()
	case d.same, out == d.out:
		return d.in + out - d.out
	case up:
		return d.inEnd()
	}
	return d.in
}

// copy returns what the receiver gets for the sender's octets from from to to.
// An edit counts in full; from does not lie within one. raw holds those octets
// from at on that are in no edit.
func (e *edits) copy(from, to int64, raw []byte, at int64) []byte {
	out := make([]byte, 0, to-from)
	for pos := from; pos < to; {
		next := to
		i := sort.Search(len(e.list), func(i int) bool { return e.list[i].in >= pos })
		if i < len(e.list) {
			if d := &e.list[i]; d.in == pos {
				out, pos = append(out, d.text...), d.inEnd()
				continue
			}
			next = min(next, e.list[i].in)
		}
		out = append(out, raw[pos-at:next-at]...)
		pos = next
	}
	return out
}

// changes reports whether an edit between two positions of the sender has
// another text than the sender's.
func (e *edits) changes(from, to int64) bool {
	for i := range e.list {
		if d := &e.list[i]; !d.same && d.in >= from && d.in < to {
			return true
		}
	}
	return false
}

// repeat makes the edits between two positions count once more, for DeltaTwice.
func (e *edits) repeat(from, to int64) {
	var shift int64
	for i := range e.list {
		d := &e.list[i]
		d.out += shift
		if d.in >= from && d.in < to {
			grown := int64(len(d.text) - d.n)
			d.extra += grown
			shift += grown
		}
	}
}

// prune forgets edits that the receiver has acknowledged long ago, or many
// others since.
func (e *edits) prune(acked int64) {
	n := 0
	for n < len(e.list) {
		d := &e.list[n]
		if d.inEnd() > acked || len(e.list)-n <= keptEdits && acked-d.inEnd() <= keptOctets {
			break
		}
		e.delta, e.floor = d.outEnd()-d.inEnd(), d.inEnd()
		n++
	}
	e.list = append(e.list[:0], e.list[n:]...)
}
