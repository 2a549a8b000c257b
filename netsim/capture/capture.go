// Package capture records the packets of a simulated network: in files of the
// pcapng format (draft-ietf-opsawg-pcapng) for Wireshark, tshark and tcpdump,
// and in a ring in memory for the messages of failures.
//
// The network has no link layer, and the format wants one: libpcap refuses a
// file in which raw IP comes from several interfaces. So every packet gets an
// Ethernet header here, with addresses that follow from the names of the nodes.
// What is recorded depends on nothing but the arguments of the calls: two runs
// that are the same give the same octets.
//
// All methods may be called from any goroutine.
package capture

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// Recorder takes packets: a Writer or a Ring.
type Recorder interface {
	// Interface declares a place where packets are seen, for Packet. It may be
	// called at any time.
	Interface(name, description string) (id int, err error)
	// Packet records a packet that is seen at an interface, on its way from one
	// node to another, with a comment unless that is empty. It copies what it
	// needs.
	Packet(id int, at time.Time, p *packet.Packet, from, to MAC, comment string) error
}

// MAC is an Ethernet address.
type MAC [6]byte

// MACOf returns the address of the node of a name: locally administered
// (02:00:…), and the same in every capture.
func MACOf(name string) MAC {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // a hash takes everything
	m := MAC{0: 0x02}
	binary.BigEndian.PutUint32(m[2:], h.Sum32())
	return m
}

func (m MAC) String() string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
}

// ethernetLen is the length of an Ethernet header.
const ethernetLen = 14

// Ethertypes. What is neither version of IP, because a wire has damaged it, gets
// the number for local experiments, which no program dissects.
const (
	etherIPv4  = 0x0800
	etherIPv6  = 0x86dd
	etherLocal = 0x88b5
)

// ethernet makes the header of a frame.
func ethernet(data []byte, from, to MAC) (h [ethernetLen]byte) {
	copy(h[:], to[:])
	copy(h[6:], from[:])
	kind := uint16(etherLocal)
	if len(data) > 0 {
		switch data[0] >> 4 {
		case 4:
			kind = etherIPv4
		case 6:
			kind = etherIPv6
		}
	}
	binary.BigEndian.PutUint16(h[12:], kind)
	return h
}
