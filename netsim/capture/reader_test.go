package capture_test

import (
	"encoding/binary"
	"testing"
)

// block is one of a capture file.
type block struct {
	kind    uint32
	body    []byte // without type, lengths and options
	options []option
}

type option struct {
	code  uint16
	value string
}

// get returns the value of the only option of a code.
func (b block) get(t *testing.T, code uint16) string {
	t.Helper()
	var found []string
	for _, o := range b.options {
		if o.code == code {
			found = append(found, o.value)
		}
	}
	if len(found) != 1 {
		t.Fatalf("block %#x has %d options of code %d: %v", b.kind, len(found), code, b.options)
	}
	return found[0]
}

func le16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

// readBlocks reads a file in the strictest way: both lengths, alignment, zeros
// in the padding, the end of the options, nothing behind it.
func readBlocks(t *testing.T, file []byte) []block {
	t.Helper()
	var out []block
	for len(file) > 0 {
		if len(file) < 12 {
			t.Fatalf("%d octets behind the last block", len(file))
		}
		n := le32(file[4:])
		if n < 12 || n%4 != 0 || int(n) > len(file) || le32(file[n-4:]) != n {
			t.Fatalf("block %d: length %d in %d octets, %d at its end", len(out), n, len(file), le32(file[n-4:]))
		}
		b := block{kind: le32(file), body: file[8 : n-4]}
		at := map[uint32]int{0x0a0d0d0a: 16, 1: 8, 6: 20}[b.kind]
		if at == 0 || len(b.body) < at {
			t.Fatalf("block %d: kind %#x with %d octets", len(out), b.kind, len(b.body))
		}
		if b.kind == 6 {
			kept := int(le32(b.body[12:]))
			at += (kept + 3) &^ 3
			if len(b.body) < at {
				t.Fatalf("block %d: %d octets kept, %d are there", len(out), kept, len(b.body)-20)
			}
			zeros(t, b.body[20+kept:at])
		}
		b.options = readOptions(t, b.body[at:])
		b.body = b.body[:at]
		out, file = append(out, b), file[n:]
	}
	return out
}

func readOptions(t *testing.T, b []byte) (out []option) {
	t.Helper()
	if len(b) == 0 {
		return nil
	}
	for len(b) >= 4 {
		code, n := le16(b), int(le16(b[2:]))
		if b = b[4:]; code == 0 {
			if n != 0 || len(b) != 0 {
				t.Fatalf("%d octets in and %d behind the end of the options", n, len(b))
			}
			return out
		}
		next := (n + 3) &^ 3
		if next > len(b) {
			t.Fatalf("option %d has %d octets, %d are there", code, n, len(b))
		}
		zeros(t, b[n:next])
		out, b = append(out, option{code, string(b[:n])}), b[next:]
	}
	t.Fatalf("options %v have no end", out)
	return nil
}

func zeros(t *testing.T, b []byte) {
	t.Helper()
	for _, c := range b {
		if c != 0 {
			t.Fatalf("padding % x", b)
		}
	}
}
