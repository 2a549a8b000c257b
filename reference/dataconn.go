package reference

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// chunk is how much is read or written at a time.
const chunk = 32 << 10

// dataConn is a data connection with its bounds: no operation may stall for
// longer than StallTimeout, and no more than Rate octets pass per second. One
// goroutine reads and one writes.
type dataConn struct {
	net.Conn
	o       *Options
	r       *bufio.Reader
	passive bool
	more    []net.Conn // for Faults.ServesEveryConnection

	watching chan struct{} // closed when watch has ended; nil when it never ran
	gone     bool          // the peer closed while watch ran; read after watching
}

func newDataConn(conn net.Conn, o *Options, passive bool) *dataConn {
	d := &dataConn{Conn: conn, o: o, passive: passive}
	d.r = bufio.NewReaderSize(stallReader{d}, chunk)
	return d
}

// stallReader reads with a deadline that starts anew each time.
type stallReader struct{ d *dataConn }

func (r stallReader) Read(p []byte) (int, error) {
	if r.d.watching == nil {
		_ = r.d.SetReadDeadline(r.d.o.Clock.Now().Add(r.d.o.StallTimeout))
	}
	return r.d.Conn.Read(p)
}

// Read implements io.Reader.
func (d *dataConn) Read(p []byte) (int, error) { return d.r.Read(p) }

// Write implements io.Writer. It goes on as long as some octets move.
func (d *dataConn) Write(p []byte) (int, error) {
	for _, conn := range d.more {
		_, _ = conn.Write(p)
	}
	written := 0
	for written < len(p) {
		_ = d.SetWriteDeadline(d.o.Clock.Now().Add(d.o.StallTimeout))
		n, err := d.Conn.Write(p[written:min(len(p), written+chunk)])
		written += n
		slow := n > 0 && errors.Is(err, os.ErrDeadlineExceeded)
		if err != nil && !slow {
			return written, err
		}
	}
	return written, nil
}

// Close implements io.Closer.
func (d *dataConn) Close() error {
	for _, conn := range d.more {
		conn.Close()
	}
	return d.Conn.Close()
}

// reset makes Close send RST in place of FIN, where the connection can.
func (d *dataConn) reset() {
	if c, ok := d.Conn.(interface{ SetLinger(int) error }); ok {
		_ = c.SetLinger(0)
	}
}

// watch closes an idle connection as soon as the peer does (RFC 959 section
// 3.2). It runs between two transfers of block or compressed mode.
func (d *dataConn) watch(spawn func(func()) bool) {
	d.watching = make(chan struct{})
	_ = d.SetReadDeadline(time.Time{})
	done := d.watching
	if !spawn(func() {
		defer close(done)
		if _, err := d.r.Peek(1); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			d.gone = true
			d.Conn.Close()
		}
	}) {
		close(done)
	}
}

// resume ends watch and reports whether the connection still serves.
func (d *dataConn) resume() bool {
	if d.watching == nil {
		return true
	}
	_ = d.SetReadDeadline(time.Unix(1, 0))
	<-d.watching
	d.watching = nil
	return !d.gone
}

// discard reads what a peer sends that ought to receive only: unread input
// would turn the FIN at the end into an RST, which can destroy data on its way.
// It returns when the connection is closed.
func (d *dataConn) discard() { _, _ = io.Copy(io.Discard, d.Conn) }

// pacer keeps to Rate.
type pacer struct {
	clock Clock
	rate  int64
	start time.Time
	moved int64
}

// step returns how many octets may be moved at once.
func (p *pacer) step() int {
	if p.rate <= 0 {
		return chunk
	}
	return int(min(max(p.rate/10, 1), chunk))
}

// wait sleeps until n more octets are due.
func (p *pacer) wait(ctx context.Context, n int) error {
	if p.rate <= 0 {
		return nil
	}
	if p.start.IsZero() {
		p.start = p.clock.Now()
	}
	p.moved += int64(n)
	due := time.Duration(float64(p.moved) / float64(p.rate) * float64(time.Second))
	if wait := due - p.clock.Now().Sub(p.start); wait > 0 {
		return p.clock.Sleep(ctx, wait)
	}
	return nil
}
