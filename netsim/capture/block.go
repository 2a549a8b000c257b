package capture

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// Types of blocks (draft-ietf-opsawg-pcapng section 4).
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 6 // enhanced packet block
)

// Codes of options, of all blocks, of the section and of the interface.
const (
	optEnd         = 0
	optComment     = 1
	optHardware    = 2
	optApplication = 4
	optName        = 2
	optDescription = 3
	optResolution  = 9
)

// byteOrderMagic tells readers the order of octets, which is little endian here
// on every machine.
const byteOrderMagic = 0x1a2b3c4d

// linkEthernet is LINKTYPE_ETHERNET.
const linkEthernet = 1

// maxText bounds a text in an option: its length has 16 bits, and the padding
// must not exceed them in readers that are not careful.
const maxText = 65532

// padded is the length that n octets take: blocks and options are aligned.
func padded(n int) int { return (n + 3) &^ 3 }

// open begins a block; shut ends the block that began at an offset and enters
// its length at both ends.
func open(b []byte, kind uint32) []byte {
	return append32(append32(b, kind), 0)
}

func shut(b []byte, at int) []byte {
	n := uint32(len(b) - at + 4)
	binary.LittleEndian.PutUint32(b[at+4:], n)
	return append32(b, n)
}

func append16(b []byte, n uint16) []byte { return binary.LittleEndian.AppendUint16(b, n) }
func append32(b []byte, n uint32) []byte { return binary.LittleEndian.AppendUint32(b, n) }

// pad appends the padding of n octets.
func pad(b []byte, n int) []byte { return append(b, "\x00\x00\x00"[:padded(n)-n]...) }

// option appends an option with a text, nothing if the text is empty.
func option(b []byte, code uint16, s string) []byte {
	if s == "" {
		return b
	}
	b = append16(append16(b, code), uint16(len(s)))
	return pad(append(b, s...), len(s))
}

// end appends the end of the options.
func end(b []byte) []byte { return append32(b, optEnd) }

// text makes a text fit for an option: UTF-8, and not too long.
func text(s string) string {
	if len(s) > maxText {
		n := maxText
		for n > maxText-utf8.UTFMax && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "?")
}
