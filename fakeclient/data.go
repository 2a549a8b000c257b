package fakeclient

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
)

// Ending tells how a data connection ended on the server's side.
type Ending string

// The endings of a data connection.
const (
	EndNone  Ending = "open"  // the server has not ended it
	EndFIN   Ending = "FIN"   // orderly
	EndRST   Ending = "RST"   // reset
	EndLocal Ending = "local" // we closed it first
)

// End is an ending with its time.
type End struct {
	Ending
	At time.Duration
}

// MaxData is the number of octets a data connection keeps; more are counted.
const MaxData = 64 << 20

// Data is a data connection. It reads nothing until it is told to, so that a
// client that stalls is the default.
type Data struct {
	// Name is "data 1", "data 2", …
	Name string
	// Local and Remote are the endpoints; Remote is where an accepted
	// connection came from.
	Local, Remote netip.AddrPort
	// OpenedAt is the time at which the handshake was known to be complete.
	OpenedAt time.Duration

	client *Client
	conn   net.Conn

	collect sync.Once
	done    chan struct{}

	mu     sync.Mutex
	data   []byte
	total  int64
	first  time.Duration
	end    End
	closed bool
}

// DialData opens a data connection from a local endpoint, which may be zero.
func (c *Client) DialData(local, remote netip.AddrPort) (*Data, error) {
	name := numbered("data", c.next(&c.datas))
	conn, err := c.dial(name, local, remote)
	if err != nil {
		return nil, err
	}
	return c.newData(name, conn), nil
}

func (c *Client) newData(name string, conn net.Conn) *Data {
	return &Data{Name: name, client: c, conn: conn, OpenedAt: c.trace.Now(), done: make(chan struct{}),
		Local: host.AddrPort(conn.LocalAddr()), Remote: host.AddrPort(conn.RemoteAddr()), end: End{Ending: EndNone}}
}

// minBuffer is the smallest receive buffer that Shrink asks for: with less, the
// rest of the transfer crawls from one delayed acknowledgement to the next.
const minBuffer = 64 << 10

// Shrink asks for a small receive buffer, so that a stall is felt by the
// server early; less than 64 KiB is raised to that.
func (d *Data) Shrink(octets int) {
	if s, ok := d.conn.(interface{ SetReadBuffer(int) error }); ok {
		_ = s.SetReadBuffer(max(octets, minBuffer)) // a larger buffer only makes the stall later
	}
}

// Start reads in the background until the connection ends, and closes this
// end when the server's FIN has been read: a server may wait for that before
// it gives its final reply (RFC 959 section 5.2).
func (d *Data) Start() {
	d.collect.Do(func() {
		d.client.spawn(func() {
			defer close(d.done)
			_ = d.conn.SetReadDeadline(time.Time{})
			_ = d.pump(-1) // how it ended is in End
			if d.End().Ending == EndFIN {
				_ = d.Close()
			}
		})
	})
}

// Read reads n octets, or to the end, within the bound; it is for a client
// that reads a little and then stalls. Not to be used after Start.
func (d *Data) Read(n int64, bound time.Duration) error {
	if err := d.conn.SetReadDeadline(d.client.clock.Now().Add(bound)); err != nil {
		return err
	}
	return d.pump(n)
}

// pump reads limit octets, or all for -1.
func (d *Data) pump(limit int64) error {
	buf := make([]byte, 32<<10)
	for limit != 0 {
		p := buf
		if limit > 0 && limit < int64(len(p)) {
			p = p[:limit]
		}
		n, err := d.conn.Read(p)
		d.take(p[:n])
		if limit > 0 {
			limit -= int64(n)
		}
		if err != nil {
			d.ended(err)
			return err
		}
	}
	return nil
}

func (d *Data) take(p []byte) {
	if len(p) == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.total == 0 {
		d.first = d.client.trace.Add(d.Name, ByServer, KindFirstByte, clip(string(p[:min(len(p), 32)])))
	}
	d.total += int64(len(p))
	if room := MaxData - len(d.data); room > 0 {
		d.data = append(d.data, p[:min(len(p), room)]...)
	}
}

func (d *Data) ended(err error) {
	var t interface{ Timeout() bool }
	if errors.As(err, &t) && t.Timeout() {
		return // the bound of a Read, not an end
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.end.Ending != EndNone {
		return
	}
	octets := fmt.Sprintf("after %d octets", d.total)
	switch {
	case errors.Is(err, io.EOF):
		d.end = End{EndFIN, d.client.trace.Add(d.Name, ByServer, KindFIN, octets)}
	case errors.Is(err, net.ErrClosed):
		d.end = End{EndLocal, d.client.trace.Now()}
	default:
		d.end = End{EndRST, d.client.trace.Add(d.Name, ByServer, KindRST, octets)}
	}
}

// Wait starts reading and returns how the connection has ended, EndNone if it
// has not within the bound.
func (d *Data) Wait(bound time.Duration) End {
	d.Start()
	if _, err := wait(d.client, d.done, bound); errors.Is(err, ErrTimeout) {
		d.client.trace.Add(d.Name, ByHarness, KindSilence, "still open after "+bound.String())
	}
	return d.End()
}

// End returns the ending so far.
func (d *Data) End() End {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.end
}

// Bytes returns what has been received so far, MaxData octets at the most.
func (d *Data) Bytes() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]byte(nil), d.data...)
}

// Total returns the number of octets received so far.
func (d *Data) Total() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.total
}

// First returns the time of the first octet; ok is false when none came.
func (d *Data) First() (at time.Duration, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.first, d.total > 0
}

// Send sends octets within the bound and returns how many were taken.
func (d *Data) Send(p []byte, bound time.Duration) (int, error) {
	if err := d.conn.SetWriteDeadline(d.client.clock.Now().Add(bound)); err != nil {
		return 0, err
	}
	n, err := d.conn.Write(p)
	d.client.trace.Add(d.Name, ByClient, KindData, fmt.Sprintf("%d octets", n))
	if err != nil {
		d.client.trace.Add(d.Name, ByServer, KindFailed, err.Error())
		return n, fmt.Errorf("%s: send: %w", d.Name, err)
	}
	return n, nil
}

// CloseWrite sends FIN; reading may go on.
func (d *Data) CloseWrite() error {
	d.client.trace.Add(d.Name, ByClient, KindFIN, "")
	return closeWrite(d.conn)
}

// Reset ends the connection with RST.
func (d *Data) Reset() error {
	d.client.trace.Add(d.Name, ByClient, KindRST, "")
	d.client.forget(d.conn)
	return reset(d.conn)
}

// Close ends the connection; what is closed already stays so.
func (d *Data) Close() error {
	d.mu.Lock()
	closed := d.closed
	d.closed = true
	d.mu.Unlock()
	if closed {
		return nil
	}
	d.client.trace.Add(d.Name, ByClient, KindClose, "")
	d.client.forget(d.conn)
	return d.conn.Close()
}

func closeWrite(conn net.Conn) error {
	if w, ok := conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return errors.ErrUnsupported
}

// reset closes with RST where the network can (SO_LINGER with time zero).
func reset(conn net.Conn) error {
	if l, ok := conn.(interface{ SetLinger(int) error }); ok {
		if err := l.SetLinger(0); err != nil {
			return err
		}
	}
	return conn.Close()
}
