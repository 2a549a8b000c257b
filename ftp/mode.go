package ftp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The descriptor bits of block mode, also used behind the escape of
// compressed mode (RFC 959 section 3.4.2).
const (
	BlockMarker  byte = 16  // the block holds a restart marker
	BlockSuspect byte = 32  // errors are suspected in the block
	BlockEOF     byte = 64  // the block ends the file
	BlockEOR     byte = 128 // the block ends a record
)

// maxBlock is the largest block: its count has 16 bits.
const maxBlock = 1<<16 - 1

// ErrAfterEOF is returned for a write to a BlockWriter or a CompressedWriter
// whose file has been ended by Close.
var ErrAfterEOF = errors.New("ftp: write after the end of the file")

// BlockWriter encodes a file in block mode. Nothing is buffered: what Write
// was given has been passed on, in blocks of their own, when it returns. It
// serves one goroutine.
type BlockWriter struct {
	w      io.Writer
	closed bool
}

// NewBlockWriter returns a writer of block mode onto w. A BlockWriter is for
// one file; the next file on the same connection takes a new one.
func NewBlockWriter(w io.Writer) *BlockWriter { return &BlockWriter{w: w} }

// Write sends p as one block, or as several when it is longer than a block
// can be.
func (b *BlockWriter) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		n := min(len(p), maxBlock)
		if err := b.WriteBlock(0, p[:n]); err != nil {
			return written, err
		}
		written, p = written+n, p[n:]
	}
	return written, nil
}

// WriteBlock sends one block with the given descriptor bits. BlockEOF ends
// the file.
func (b *BlockWriter) WriteBlock(descriptor byte, p []byte) error {
	if b.closed {
		return ErrAfterEOF
	}
	if len(p) > maxBlock {
		return fmt.Errorf("ftp: block of %d octets, limit %d", len(p), maxBlock)
	}
	b.closed = descriptor&BlockEOF != 0
	block := binary.BigEndian.AppendUint16([]byte{descriptor}, uint16(len(p)))
	_, err := b.w.Write(append(block, p...))
	return err
}

// Marker sends a restart marker: printable characters of the sender's choice
// without a space (RFC 959 section 3.5).
func (b *BlockWriter) Marker(marker string) error {
	return b.WriteBlock(BlockMarker, []byte(marker))
}

// Close ends the file with an empty block. The writer below stays open: in
// block mode the data connection may serve another file. It is no error to
// close twice.
func (b *BlockWriter) Close() error {
	if b.closed {
		return nil
	}
	return b.WriteBlock(BlockEOF, nil)
}

// BlockReader decodes a file in block mode. It reads no octet beyond the end
// of the file. It serves one goroutine.
type BlockReader struct {
	// OnMarker, when set before the first Read, is called with every restart
	// marker, after all data in front of it has been returned. An error from
	// it ends the reading.
	OnMarker func(marker string) error

	r          io.Reader
	descriptor byte
	left       int // octets of the block not yet read
	started    bool
	err        error
}

// NewBlockReader returns a reader of block mode from r.
func NewBlockReader(r io.Reader) *BlockReader { return &BlockReader{r: r} }

// Read returns data until the block with BlockEOF has been used up, then
// io.EOF. Where r ends before that the error is io.ErrUnexpectedEOF. A
// descriptor with one of the unused bits gives an error that wraps ErrSyntax.
func (b *BlockReader) Read(p []byte) (int, error) {
	for b.err == nil && b.left == 0 {
		b.err = b.next()
	}
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	if err != nil {
		b.err = unexpected(err)
		if n > 0 {
			return n, nil // the error is told with the next call
		}
	}
	return n, b.err
}

// next reads the header of a block, and the whole of a marker.
func (b *BlockReader) next() error {
	if b.started && b.descriptor&BlockEOF != 0 {
		return io.EOF
	}
	var header [3]byte
	if _, err := io.ReadFull(b.r, header[:]); err != nil {
		return unexpected(err)
	}
	b.started, b.descriptor = true, header[0]
	b.left = int(binary.BigEndian.Uint16(header[1:]))
	if unused := b.descriptor &^ (BlockMarker | BlockSuspect | BlockEOF | BlockEOR); unused != 0 {
		return syntaxErrorf("block descriptor %d", b.descriptor)
	}
	if b.descriptor&BlockMarker == 0 {
		return nil
	}
	marker := make([]byte, b.left)
	if _, err := io.ReadFull(b.r, marker); err != nil {
		return unexpected(err)
	}
	b.left = 0
	if b.OnMarker == nil {
		return nil
	}
	return b.OnMarker(string(marker))
}

// unexpected turns the end of the connection into an error: in these modes it
// is not the end of the file.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
