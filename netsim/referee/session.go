package main

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// end is one end of a control connection, as much of TCP as a script needs: it
// sends what it is told, acknowledges what it has got in order, and puts that
// together as Linux does.
type end struct {
	own, peer netip.AddrPort // as the end itself knows them
	first     uint32         // the number of its first octet
	sent      uint32         // octets that it has sent, once each
	peerFirst uint32
	got       []byte  // in order
	early     []piece // what has come before its turn
	dead      bool    // reset by the other end, or by who pretends to be it
}

// options of a SYN: MSS 1460, SACK permitted, window scale 7.
var synOptions = []byte{2, 4, 5, 180, 4, 2, 1, 3, 3, 7, 1, 1}

// window is what an end offers, before scaling.
const window = 502

// segment is the next one of an end, with octets at a position of its stream.
func (e *end) segment(at uint32, flags packet.Flags, text string) *packet.Packet {
	return packet.TCP(packet.Segment{Src: e.own, Dst: e.peer, Seq: e.first + at, Ack: e.acknowledged(), Flags: flags | packet.ACK,
		Window: window, Payload: []byte(text)})
}

// acknowledged is the number up to which it has got everything.
func (e *end) acknowledged() uint32 { return e.peerFirst + uint32(len(e.got)) }

// take takes in the octets of a segment. What comes in its turn counts in full,
// and what had come early for what it has beyond that.
func (e *end) take(v *packet.View, text []byte) {
	e.early = append(e.early, piece{v.Seq - e.peerFirst, string(text)})
	for found := true; found; {
		found = false
		for i := len(e.early) - 1; i >= 0; i-- {
			p := e.early[i]
			if skip := int32(uint32(len(e.got)) - p.at); skip >= 0 {
				e.early = slices.Delete(e.early, i, i+1)
				if int(skip) < len(p.text) {
					e.got = append(e.got, p.text[skip:]...)
				}
				found = true
				break
			}
		}
	}
}

// session is a control connection of a vector.
type session struct {
	client, server end
	segments       []int    // of the vector, which are the client's here
	pending        []string // replies that the server has still to give
	read           int      // octets of the client's that it has read, whole lines
	lost           []piece  // what the server has sent and the client has not got
	dials          []data   // data connections that it is still to try
}

// piece is a part of a stream.
type piece struct {
	at   uint32
	text string
}

// lines returns the whole lines that have come to the server and were not read.
func (s *session) lines() []string {
	text := string(s.server.got[s.read:])
	i := strings.LastIndexByte(text, '\n')
	if i < 0 {
		return nil
	}
	s.read += i + 1
	return strings.SplitAfter(text[:i+1], "\n")[:strings.Count(text[:i+1], "\n")]
}
