package reference

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ftpconform/ftpconform/ftp"
)

// errNoMarker ends a transfer with a restart marker that 110 could not quote.
var errNoMarker = fmt.Errorf("%w: restart marker not printable", ftp.ErrSyntax)

// move does the data phase. The connection is open after it.
func (t *transfer) move(d *dataConn) error {
	if t.job.store != nil {
		return t.receive(d)
	}
	return t.send(d)
}

// send writes the source to the connection in the transfer's mode.
func (t *transfer) send(d *dataConn) error {
	if t.mode == 'S' {
		// What the client sends belongs to nothing: it is read and forgotten.
		done := make(chan struct{})
		defer func() {
			_ = d.SetReadDeadline(time.Unix(1, 0))
			<-done
		}()
		t.s.wg.Go(func() {
			defer close(done)
			defer t.s.srv.recovered("data reader")
			d.discard()
		})
	}
	out, finish := t.encoder(&wire{t: t, d: d, pace: t.pacer()})
	buf := make([]byte, t.pacer().step())
	for {
		n, err := t.job.source.Read(buf)
		if n > 0 {
			if _, err := out.Write(buf[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return finish()
		case err != nil:
			return fileError{err}
		}
	}
}

// encoder puts the transfer's mode on top of the connection. The function
// ends the file where the mode has a sign for that.
func (t *transfer) encoder(w io.Writer) (io.Writer, func() error) {
	f := &t.s.o.Faults
	switch t.mode {
	case 'B':
		b := ftp.NewBlockWriter(w)
		if f.BlockNoEOF {
			return b, func() error { return nil }
		}
		return b, b.Close
	case 'C':
		c := ftp.NewCompressedWriter(w, t.filler())
		if f.CompressedNoEscape {
			return unescaped{c, w}, c.Close
		}
		return c, c.Close
	}
	return w, func() error { return nil }
}

// filler is what compressed mode abbreviates (RFC 959 section 3.4.3).
func (t *transfer) filler() byte {
	if t.ascii || t.job.listing {
		return ftp.FillerText
	}
	return ftp.FillerImage
}

// unescaped is Faults.CompressedNoEscape: a zero octet goes out as it is.
type unescaped struct{ compressed, raw io.Writer }

func (u unescaped) Write(p []byte) (int, error) {
	for i, part := range bytes.SplitAfter(p, []byte{0}) {
		head, zero := bytes.CutSuffix(part, []byte{0})
		if _, err := u.compressed.Write(head); err != nil {
			return i, err
		}
		if !zero {
			continue
		}
		if _, err := u.raw.Write([]byte{0}); err != nil {
			return i, err
		}
	}
	return len(p), nil
}

// receive writes what comes over the connection to the store.
func (t *transfer) receive(d *dataConn) error {
	st := t.job.store
	st.withhold = t.withhold(d)
	if err := st.start(); err != nil {
		return fileError{err}
	}
	in := t.decoder(&wire{t: t, d: d, pace: t.pacer()})
	buf := make([]byte, t.pacer().step())
	for {
		n, err := in.Read(buf)
		if n > 0 {
			if err := st.write(buf[:n]); err != nil {
				if t.s.o.Faults.FullAnswers226 {
					_, _ = io.Copy(io.Discard, in)
				}
				return fileError{err}
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			if err := st.finish(); err != nil {
				return fileError{err}
			}
			return nil
		case err != nil:
			return err
		}
	}
}

// withhold is how many octets at the end faults keep from being stored.
func (t *transfer) withhold(d *dataConn) int {
	switch f := &t.s.o.Faults; {
	case f.STORLosesTail:
		return 512
	case f.PassiveSTORLosesTail && d.passive:
		return 1
	}
	return 0
}

// decoder takes the transfer's mode off the connection.
func (t *transfer) decoder(r io.Reader) io.Reader {
	switch t.mode {
	case 'B':
		b := ftp.NewBlockReader(r)
		b.OnMarker = t.mark
		return b
	case 'C':
		c := ftp.NewCompressedReader(r, t.filler())
		c.OnMarker = t.mark
		return c
	}
	return r
}

// mark confirms a restart marker: the client's own and the offset in the file
// that belongs to it (RFC 1123 section 4.1.3.4). The client may give that
// offset to REST.
func (t *transfer) mark(marker string) error {
	if len(marker) > 255 || marker == "" || strings.ContainsFunc(marker, func(r rune) bool { return r < 33 || r > 126 }) {
		return errNoMarker
	}
	t.s.reply(110, fmt.Sprintf("MARK %s = %d", marker, t.job.store.offset))
	return nil
}

// wire is the data connection as the modes see it: paced, and counted.
type wire struct {
	t    *transfer
	d    *dataConn
	pace *pacer
}

func (t *transfer) pacer() *pacer { return &pacer{clock: t.s.o.Clock, rate: t.s.o.Rate} }

// Write implements io.Writer.
func (w *wire) Write(p []byte) (int, error) {
	total := len(p)
	if w.t.s.o.Faults.DataTelnet {
		p = dropIAC(bytes.Clone(p))
	}
	for len(p) > 0 {
		n, err := w.d.Write(p[:min(len(p), w.pace.step())])
		if err = w.count(n, err); err != nil {
			return 0, err
		}
		p = p[n:]
	}
	return total, nil
}

// Read implements io.Reader.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.d.Read(p[:min(len(p), w.pace.step())])
	if cerr := w.count(n, nil); cerr != nil {
		return 0, cerr
	}
	if w.t.s.o.Faults.DataTelnet {
		n = len(dropIAC(p[:n]))
	}
	return n, err
}

func (w *wire) count(n int, err error) error {
	w.t.moved.Add(int64(n))
	if err != nil {
		return err
	}
	if n == 0 {
		return nil
	}
	return w.pace.wait(w.t.ctx, n)
}

func dropIAC(p []byte) []byte {
	out := p[:0]
	for _, b := range p {
		if b != ftp.IAC {
			out = append(out, b)
		}
	}
	return out
}

// drain reads what is on its way for a moment.
func (t *transfer) drain(d *dataConn, moment time.Duration) {
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	defer t.s.o.Clock.AfterFunc(moment, cancel)()
	defer context.AfterFunc(ctx, func() { d.Close() })()
	_, _ = io.Copy(io.Discard, d)
}
