package suites

import (
	simhost "github.com/ftpconform/ftpconform/netsim/host"
)

// The files of a run.
const (
	// SmallFile holds SmallContent.
	SmallFile = "small.bin"
	// TextFile holds TextContent.
	TextFile = "text.txt"
	// BigFile is larger than the socket buffers of both sides together, so
	// that a transfer of it can be stalled.
	BigFile = "big.bin"
	// EmptyFile is empty.
	EmptyFile = "empty.bin"
	// MissingFile does not exist.
	MissingFile = "missing.bin"
)

// BigSize is the size of BigFile in octets: Linux grows a send buffer to 4 MiB
// (tcp_wmem), and the receiver is asked for a small one. Simulated hosts have
// smaller buffers, and so much less has to be carried there.
const (
	BigSize          = 8 << 20
	simulatedBigSize = 8 * simhost.Buffer
)

// The contents of the files of a run; they must not be changed.
var (
	SmallContent = pattern(1024)
	TextContent  = []byte("line one\r\nline two\r\nline three\r\n")
	BigContent   = pattern(BigSize)
)

// pattern is content in which every position can be told from its neighbours.
func pattern(n int) []byte {
	p := make([]byte, n)
	x := uint32(1)
	for i := range p {
		x = x*1664525 + 1013904223                // Numerical Recipes: fast, and not periodic here
		p[i] = byte(x>>24) &^ (byte(x>>24) / 255) // not 255, Telnet's IAC: that has a check of its own
	}
	return p
}

// big is the content of BigFile.
func (s *Session) big() []byte {
	if s.Scene != nil && s.Scene.Clock.Virtual() {
		return BigContent[:simulatedBigSize]
	}
	return BigContent
}

// runFiles are the files of a run by their names.
func runFiles(big []byte) map[string][]byte {
	return map[string][]byte{SmallFile: SmallContent, TextFile: TextContent, BigFile: big, EmptyFile: nil}
}
