package ftp

import (
	"bytes"
	"io"
)

// Fillers are what the filler string of compressed mode stands for: a space
// in the types A and E, a zero octet in I and L (RFC 959 section 3.4.3).
const (
	FillerText  byte = ' '
	FillerImage byte = 0
)

// The bounds of the counts in compressed mode, 7 and 6 bits wide, and the
// top bits of a replicated octet and of a filler string.
const (
	maxLiteral = 127
	maxRun     = 63
	tagRun     = 0x80
	tagFiller  = 0xC0
	minRun     = 3 // a shorter run costs more than it saves
)

// CompressedWriter encodes a file in compressed mode. Nothing is held back:
// what Write was given has been passed on when it returns. It serves one
// goroutine.
type CompressedWriter struct {
	w      io.Writer
	filler byte
	closed bool
}

// NewCompressedWriter returns a writer of compressed mode onto w. A
// CompressedWriter is for one file.
func NewCompressedWriter(w io.Writer, filler byte) *CompressedWriter {
	return &CompressedWriter{w: w, filler: filler}
}

// Write sends p: runs of an octet as one or two octets, the rest literally.
func (c *CompressedWriter) Write(p []byte) (int, error) {
	if c.closed {
		return 0, ErrAfterEOF
	}
	var out []byte
	literal := 0 // start of the octets not yet encoded
	for i := 0; i < len(p); {
		n := runLength(p[i:])
		if n < minRun && (p[i] != c.filler || n < 2) {
			i += n
			continue
		}
		out = appendLiteral(out, p[literal:i])
		if p[i] == c.filler {
			out = append(out, tagFiller|byte(n))
		} else {
			out = append(out, tagRun|byte(n), p[i])
		}
		i += n
		literal = i
	}
	out = appendLiteral(out, p[literal:])
	if len(out) == 0 {
		return 0, nil
	}
	if _, err := c.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close ends the file with an escape and BlockEOF. The writer below stays
// open. It is no error to close twice.
func (c *CompressedWriter) Close() error {
	if c.closed {
		return nil
	}
	c.closed = true
	_, err := c.w.Write([]byte{0, BlockEOF})
	return err
}

// runLength counts how often the first octet of p is repeated, up to the
// longest run that one code can express.
func runLength(p []byte) int {
	n := 1
	for n < len(p) && n < maxRun && p[n] == p[0] {
		n++
	}
	return n
}

func appendLiteral(out, p []byte) []byte {
	for len(p) > 0 {
		n := min(len(p), maxLiteral)
		out = append(append(out, byte(n)), p[:n]...)
		p = p[n:]
	}
	return out
}

// CompressedReader decodes a file in compressed mode. It reads no octet
// beyond the end of the file, and asks r for few octets at a time: give it a
// buffered reader. It serves one goroutine.
type CompressedReader struct {
	// OnMarker has the meaning that it has in BlockReader. A marker is
	// the string that follows its escape.
	OnMarker func(marker string) error

	r       io.Reader
	filler  byte
	literal int // literal octets still to be read from r
	repeat  int // repetitions of octet still to be returned
	octet   byte
	marker  bool // the next octets are a marker
	err     error
}

// NewCompressedReader returns a reader of compressed mode from r.
func NewCompressedReader(r io.Reader, filler byte) *CompressedReader {
	return &CompressedReader{r: r, filler: filler}
}

// Read returns data until the escape with BlockEOF, then io.EOF. Where r ends
// before that the error is io.ErrUnexpectedEOF.
func (c *CompressedReader) Read(p []byte) (int, error) {
	for c.err == nil && c.literal == 0 && c.repeat == 0 {
		c.err = c.next()
	}
	if c.err != nil || len(p) == 0 {
		return 0, c.err
	}
	if c.repeat > 0 {
		n := min(len(p), c.repeat)
		for i := range p[:n] {
			p[i] = c.octet
		}
		c.repeat -= n
		return n, nil
	}
	n, err := c.r.Read(p[:min(len(p), c.literal)])
	c.literal -= n
	if err != nil {
		c.err = unexpected(err)
		if n > 0 {
			return n, nil // the error is told with the next call
		}
	}
	return n, c.err
}

// next reads one code.
func (c *CompressedReader) next() error {
	b, err := c.readOctet()
	if err != nil {
		return err
	}
	switch {
	case b == 0:
		return c.escape()
	case b < tagRun:
		c.literal = int(b)
	case b < tagFiller:
		c.repeat = int(b &^ tagRun)
		c.octet, err = c.readOctet()
	default:
		c.repeat, c.octet = int(b&^tagFiller), c.filler
	}
	if c.marker && err == nil {
		return c.readMarker()
	}
	return err
}

// escape reads the descriptor behind a zero octet.
func (c *CompressedReader) escape() error {
	d, err := c.readOctet()
	switch {
	case err != nil:
		return err
	case d&^(BlockMarker|BlockSuspect|BlockEOF|BlockEOR) != 0:
		return syntaxErrorf("descriptor %d behind an escape", d)
	case d&BlockEOF != 0:
		return io.EOF
	}
	c.marker = d&BlockMarker != 0
	return nil
}

// readMarker takes the string behind a marker's escape, whichever its code.
func (c *CompressedReader) readMarker() error {
	text := bytes.Repeat([]byte{c.octet}, c.repeat)
	if c.literal > 0 {
		text = make([]byte, c.literal)
		if _, err := io.ReadFull(c.r, text); err != nil {
			return unexpected(err)
		}
	}
	c.literal, c.repeat, c.marker = 0, 0, false
	if c.OnMarker == nil {
		return nil
	}
	return c.OnMarker(string(text))
}

func (c *CompressedReader) readOctet() (byte, error) {
	var b [1]byte
	_, err := io.ReadFull(c.r, b[:])
	return b[0], unexpected(err)
}
