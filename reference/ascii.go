package reference

import (
	"bytes"
	"errors"
	"io"
)

// This host ends lines with LF. In type A a line travels with CR LF at its
// end (RFC 959 section 3.1.1.1). Every LF of the file is sent as CR LF and
// every CR LF received becomes LF, so that any file, even one with a CR in
// front of an LF, comes back as it was.

// asciiReader turns a file into its type A representation.
type asciiReader struct {
	r    io.Reader
	buf  []byte // converted octets not yet returned
	raw  []byte
	last error
}

func newASCIIReader(r io.Reader) *asciiReader { return &asciiReader{r: r, raw: make([]byte, 16<<10)} }

// Read implements io.Reader.
func (a *asciiReader) Read(p []byte) (int, error) {
	for len(a.buf) == 0 && a.last == nil {
		var n int
		n, a.last = a.r.Read(a.raw)
		a.buf = bytes.ReplaceAll(a.raw[:n], []byte{'\n'}, []byte{'\r', '\n'})
	}
	if len(a.buf) == 0 {
		return 0, a.last
	}
	n := copy(p, a.buf)
	a.buf = a.buf[n:]
	return n, nil
}

// asciiWriter turns the type A representation into a file. A CR at the end of
// one piece and an LF at the start of the next are still one line end.
type asciiWriter struct {
	w  io.Writer
	cr bool // a CR is held back
}

// Write implements io.Writer.
func (a *asciiWriter) Write(p []byte) (int, error) {
	total := len(p)
	if total == 0 {
		return 0, nil
	}
	if a.cr {
		p = append([]byte{'\r'}, p...)
	}
	if a.cr = p[len(p)-1] == '\r'; a.cr {
		p = p[:len(p)-1]
	}
	if _, err := a.w.Write(bytes.ReplaceAll(p, []byte{'\r', '\n'}, []byte{'\n'})); err != nil {
		return 0, err
	}
	return total, nil
}

// flush writes the CR that no LF has followed.
func (a *asciiWriter) flush() error {
	if !a.cr {
		return nil
	}
	a.cr = false
	_, err := a.w.Write([]byte{'\r'})
	return err
}

// errInsideLineEnd is why a type A offset cannot be mapped to the file.
var errInsideLineEnd = errors.New("offset outside of the file or between CR and LF")

// nativeOffset maps an offset in the type A representation to one in the file
// that r reads.
func nativeOffset(r io.Reader, offset int64) (int64, error) {
	var native int64
	buf := make([]byte, 16<<10)
	for offset > 0 {
		n, err := r.Read(buf)
		for _, b := range buf[:n] {
			if offset <= 0 {
				break
			}
			offset--
			native++
			if b == '\n' {
				offset--
			}
		}
		if err != nil && offset > 0 {
			return 0, errInsideLineEnd
		}
	}
	if offset < 0 {
		return 0, errInsideLineEnd
	}
	return native, nil
}

// maxASCIISize is the largest file that is read through to find its size in
// type A; the others get 550 (RFC 3659 section 4 permits that).
const maxASCIISize = 64 << 20

// asciiSize counts the octets of the type A representation.
func asciiSize(r io.Reader) (int64, error) { return io.Copy(io.Discard, newASCIIReader(r)) }
