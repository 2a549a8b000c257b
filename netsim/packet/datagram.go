package packet

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"time"
)

// datagramKey tells the datagrams apart. The protocol counts in IPv4 alone: in
// IPv6 every fragment but the first may name any.
type datagramKey struct {
	src, dst netip.Addr
	id       uint32
	proto    uint8
}

// datagram is what has come of one.
type datagram struct {
	key      datagramKey
	deadline time.Time
	header   []byte // of the first fragment, without the fragment header; nil before it came
	note     string // of the first fragment
	pieces   []piece
	octets   int // in all pieces
	total    int // of the IP payload, 0 before the last fragment came
	held     int // its share of Reassembler.held
	refused  bool
}

// piece is the payload of a fragment.
type piece struct {
	at   int
	data []byte
}

func (p piece) end() int { return p.at + len(p.data) }

// fitting is how a fragment goes with those that are there.
type fitting uint8

const (
	fits fitting = iota
	duplicate
	overlap
)

// place finds the place of a fragment among the pieces.
func (d *datagram) place(in piece, last bool) (at int, fit fitting) {
	at, same := slices.BinarySearchFunc(d.pieces, in.at, func(p piece, at int) int { return p.at - at })
	switch {
	case same && bytes.Equal(d.pieces[at].data, in.data) && last == (d.total == in.end()):
		return at, duplicate
	case same,
		at > 0 && d.pieces[at-1].end() > in.at,
		at < len(d.pieces) && d.pieces[at].at < in.end(),
		d.total != 0 && (last || in.end() > d.total),
		last && at < len(d.pieces):
		return at, overlap
	}
	return at, fits
}

// insert adds the payload of fragment p as the piece number at.
func (d *datagram) insert(at int, in piece, p *Packet, v *View) {
	in.data = bytes.Clone(in.data)
	d.pieces = slices.Insert(d.pieces, at, in)
	d.octets += len(in.data)
	if !v.MoreFragments {
		d.total = in.end()
	}
	if in.at == 0 {
		d.header, d.note = firstHeader(p, v), p.Note
	}
}

// headerLen is the length of a fragment's header when it is whole again.
func headerLen(v *View) int {
	if v.Version == 6 {
		return 40
	}
	return v.ip
}

// firstHeader copies the header of the first fragment as the whole will have
// it, but for the length.
func firstHeader(p *Packet, v *View) []byte {
	h := bytes.Clone(p.Data[:headerLen(v)])
	if v.Version == 6 {
		h[6] = v.Proto
	}
	return h
}

// join builds the datagram out of its pieces.
func (d *datagram) join() *Packet {
	p := New(len(d.header) + d.total)
	p.Note = d.note
	copy(p.Data, d.header)
	for _, piece := range d.pieces {
		copy(p.Data[len(d.header)+piece.at:], piece.data)
	}
	if p.Data[0]>>4 == 4 {
		p.setFragment(len(d.header), 0, false)
	} else {
		binary.BigEndian.PutUint16(p.Data[4:], uint16(d.total))
	}
	return p
}
