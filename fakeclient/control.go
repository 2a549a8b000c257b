package fakeclient

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/internal/host"
)

// Received is a reply with the time at which its last line arrived.
type Received struct {
	ftp.Reply
	At time.Duration
}

// Control is a control connection.
type Control struct {
	// Name is "control", "control 2", …
	Name string
	// Local and Remote are the endpoints of the connection.
	Local, Remote netip.AddrPort

	client  *Client
	conn    net.Conn
	replies chan incoming
	red     redactor

	mu    sync.Mutex
	lines []string // raw lines as received, with their line ends
	cause error    // why reading has stopped; nil for an end by the server
}

type incoming struct {
	reply Received
	err   error
}

// maxPending bounds the replies that wait to be read; a server that sends
// more without being asked is cut off.
const maxPending = 4096

// Dial opens a control connection from a local endpoint, which may be zero,
// and starts to read from it.
func (c *Client) Dial(local, remote netip.AddrPort) (*Control, error) {
	name := numbered("control", c.next(&c.controls))
	conn, err := c.dial(name, local, remote)
	if err != nil {
		return nil, err
	}
	k := &Control{Name: name, client: c, conn: conn,
		Local: host.AddrPort(conn.LocalAddr()), Remote: host.AddrPort(conn.RemoteAddr()),
		replies: make(chan incoming, maxPending)}
	c.spawn(k.read)
	return k, nil
}

// read splits what arrives into lines and replies, until the connection ends.
func (k *Control) read() {
	defer close(k.replies)
	var (
		reader  ftp.ReplyReader
		line    []byte
		buf     = make([]byte, 16<<10)
		deliver = func(in incoming) bool {
			select {
			case k.replies <- in:
				return true
			default: // more replies than anybody asked for
				k.stop(fmt.Errorf("%w: %d replies that nobody asked for", ErrFlood, maxPending))
				return false
			}
		}
	)
	for {
		n, err := k.conn.Read(buf)
		for _, b := range buf[:n] {
			line = append(line, b)
			if b != '\n' && len(line) <= ftp.MaxReplyLine {
				continue
			}
			at := k.client.trace.Add(k.Name, ByServer, KindReceive, clip(strings.TrimSuffix(string(line), "\r\n")))
			k.keepLine(string(line))
			reply, done, perr := reader.Add(strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"))
			line = line[:0]
			switch {
			case perr != nil && b != '\n': // a line without end: nothing after it could be trusted
				k.stop(fmt.Errorf("%w: %w", ErrFlood, perr))
				return
			case perr != nil && !deliver(incoming{err: perr}):
				return
			case done && !deliver(incoming{reply: Received{Reply: reply, At: at}}):
				return
			}
		}
		if err != nil {
			if len(line) > 0 {
				k.client.trace.Add(k.Name, ByServer, KindReceive, clip(string(line)))
				k.keepLine(string(line))
				deliver(incoming{err: fmt.Errorf("%w in the middle of the line %.40q", ErrClosed, line)})
			}
			if reader.Open() {
				deliver(incoming{err: fmt.Errorf("%w inside a multi-line reply", ErrClosed)})
			}
			k.ended(err)
			return
		}
	}
}

// stop records why the connection is not read any further.
func (k *Control) stop(cause error) {
	k.client.trace.Add(k.Name, ByHarness, KindNote, "reading stopped: "+cause.Error())
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cause = cause
}

// next waits for what the reader delivers.
func (k *Control) next(bound time.Duration) (incoming, error) {
	in, err := wait(k.client, k.replies, bound)
	return in, k.explain(err)
}

// explain replaces the end of the connection by the reason why we stopped
// reading it, where that was ours.
func (k *Control) explain(err error) error {
	if !errors.Is(err, ErrClosed) {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.cause != nil {
		return k.cause
	}
	return err
}

func (k *Control) keepLine(line string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.lines) < MaxEvents {
		k.lines = append(k.lines, line)
	}
}

func (k *Control) ended(err error) {
	switch {
	case errors.Is(err, io.EOF):
		k.client.trace.Add(k.Name, ByServer, KindFIN, "")
	case errors.Is(err, net.ErrClosed):
	default:
		k.client.trace.Add(k.Name, ByServer, KindRST, err.Error())
	}
}

// Lines returns every line received so far, line ends included.
func (k *Control) Lines() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]string(nil), k.lines...)
}

// Reply waits for the next reply, preliminary or final.
func (k *Control) Reply(bound time.Duration) (Received, error) {
	in, err := k.next(bound)
	if err != nil {
		if errors.Is(err, ErrTimeout) {
			k.client.trace.Add(k.Name, ByHarness, KindSilence, "no reply for "+bound.String())
		}
		return Received{}, err
	}
	return in.reply, in.err
}

// Final waits for the next reply that is not preliminary and returns the
// preliminary ones before it. The bound is for each of them.
func (k *Control) Final(bound time.Duration) (final Received, preliminary []Received, err error) {
	for {
		r, err := k.Reply(bound)
		if err != nil || !r.Preliminary() {
			return r, preliminary, err
		}
		preliminary = append(preliminary, r)
	}
}

// Quiet waits for d and returns the replies that came unasked, if any. An end
// of the connection is not an answer and ends the wait at once.
func (k *Control) Quiet(d time.Duration) ([]Received, error) {
	var out []Received
	until := k.client.trace.Now() + d
	for {
		left := until - k.client.trace.Now()
		in, err := k.next(max(left, 0))
		switch {
		case errors.Is(err, ErrTimeout):
			if len(out) == 0 && d > 0 {
				k.client.trace.Add(k.Name, ByHarness, KindSilence, "nothing for "+d.String())
			}
			return out, nil
		case err != nil:
			return out, err
		case in.err != nil:
			return out, in.err
		}
		out = append(out, in.reply)
	}
}

// Send sends a command line and its CRLF in one segment.
func (k *Control) Send(line string) error { return k.SendOctets([]byte(line + "\r\n")) }

// SendOctets sends exactly these octets, in one segment where they fit.
func (k *Control) SendOctets(p []byte) error {
	k.client.trace.Add(k.Name, ByClient, KindSend, clip(strings.TrimSuffix(k.red.redact(p), "\r\n")))
	return k.write(p)
}

func (k *Control) write(p []byte) error {
	if err := k.deadline(); err != nil {
		return err
	}
	if _, err := k.conn.Write(p); err != nil {
		k.client.trace.Add(k.Name, ByServer, KindFailed, err.Error())
		return fmt.Errorf("%s: send: %w", k.Name, err)
	}
	return nil
}

// deadline bounds the next write: a server that does not read must not hold
// the check.
func (k *Control) deadline() error {
	return k.conn.SetWriteDeadline(k.client.clock.Now().Add(k.client.bound))
}

// SendSplit sends the octets in segments that end at the given offsets, with
// a pause after each, so that the server sees them arrive one by one.
func (k *Control) SendSplit(p []byte, pause time.Duration, offsets ...int) error {
	from := 0
	for _, to := range append(offsets, len(p)) {
		if to < from || to > len(p) {
			return fmt.Errorf("split at %d of %d octets", to, len(p))
		}
		if to > from {
			if err := k.SendOctets(p[from:to]); err != nil {
				return err
			}
		}
		if from = to; to < len(p) {
			k.client.Sleep(pause)
		}
	}
	return nil
}

// SendUrgent sends octets as TCP urgent data, the urgent pointer at the last
// one. errors.ErrUnsupported tells that the network cannot.
func (k *Control) SendUrgent(p []byte) error {
	k.client.trace.Add(k.Name, ByClient, KindUrgent, clip(string(p)))
	if err := host.SendUrgent(k.conn, p); err != nil {
		return fmt.Errorf("%s: send urgent: %w", k.Name, err)
	}
	return nil
}

// WaitClosed reports whether the server ends the connection within the bound.
// Replies that come before are dropped; they are in the trace.
func (k *Control) WaitClosed(bound time.Duration) bool {
	until := k.client.trace.Now() + bound
	for {
		_, err := k.next(max(until-k.client.trace.Now(), 0))
		if err != nil {
			return errors.Is(err, ErrClosed)
		}
	}
}

// CloseWrite sends FIN and goes on reading.
func (k *Control) CloseWrite() error {
	k.client.trace.Add(k.Name, ByClient, KindFIN, "")
	return closeWrite(k.conn)
}

// Reset ends the connection with RST.
func (k *Control) Reset() error {
	k.client.trace.Add(k.Name, ByClient, KindRST, "")
	k.client.forget(k.conn)
	return reset(k.conn)
}

// Close ends the connection.
func (k *Control) Close() error {
	k.client.trace.Add(k.Name, ByClient, KindClose, "")
	k.client.forget(k.conn)
	return k.conn.Close()
}
