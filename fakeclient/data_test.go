package fakeclient_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"

	"github.com/ftpconform/ftpconform/fakeclient"
	"github.com/ftpconform/ftpconform/internal/host"
)

func dialData(t *testing.T) (*fakeclient.Client, *fakeclient.Data, *net.TCPConn) {
	t.Helper()
	p := newPeer(t)
	c := fakeclient.New(t.Context(), fakeclient.Options{})
	t.Cleanup(c.Close)
	d, err := c.DialData(netip.AddrPort{}, p.endpoint())
	if err != nil {
		t.Fatal(err)
	}
	return c, d, p.accept()
}

func TestDataEndings(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("0123456789"), 1000)
	for name, tc := range map[string]struct {
		end  func(conn *net.TCPConn)
		want fakeclient.Ending
	}{
		"FIN": {func(conn *net.TCPConn) { _ = conn.Close() }, fakeclient.EndFIN},
		"RST": {func(conn *net.TCPConn) { _ = conn.SetLinger(0); _ = conn.Close() }, fakeclient.EndRST},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, d, conn := dialData(t)
			if end := d.End(); end.Ending != fakeclient.EndNone {
				t.Errorf("ended before it began: %v", end)
			}
			if _, err := conn.Write(content); err != nil {
				t.Fatal(err)
			}
			// What was sent must have arrived before a reset throws it away.
			if err := d.Read(int64(len(content)), bound); err != nil {
				t.Fatal(err)
			}
			tc.end(conn)
			if end := d.Wait(bound); end.Ending != tc.want {
				t.Errorf("ended with %v, want %v", end.Ending, tc.want)
			}
			if !bytes.Equal(d.Bytes(), content) || d.Total() != int64(len(content)) {
				t.Errorf("%d octets, want %d", d.Total(), len(content))
			}
			if first, ok := d.First(); !ok || first < d.OpenedAt || d.End().At < first {
				t.Errorf("times out of order: opened %v, first %v, end %v", d.OpenedAt, first, d.End().At)
			}
		})
	}
}

func TestDataStaysOpen(t *testing.T) {
	t.Parallel()
	c, d, _ := dialData(t)
	if end := d.Wait(short); end.Ending != fakeclient.EndNone {
		t.Errorf("an open connection ended with %v", end.Ending)
	}
	if _, ok := d.First(); ok {
		t.Error("a first octet where there was none")
	}
	if !has(c.Trace(), fakeclient.KindSilence, "still open after "+short.String()) {
		t.Error("the silence is not in the trace")
	}
	_ = d.Close()
	if end := d.Wait(bound); end.Ending != fakeclient.EndLocal {
		t.Errorf("our own close counts as %v", end.Ending)
	}
}

// TestStall shows that nothing is read unless asked for: the sender gets stuck
// once the buffers of both sides are full.
func TestStall(t *testing.T) {
	t.Parallel()
	_, d, conn := dialData(t)
	d.Shrink(4096)
	if err := conn.SetWriteBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	sent := make(chan error, 1)
	go func() {
		_, err := conn.Write(make([]byte, 8<<20))
		sent <- err
	}()
	if err := d.Read(1000, bound); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-sent:
		t.Fatalf("8 MiB were sent to a reader of 1000 octets: %v", err)
	default:
	}
	if d.Total() != 1000 {
		t.Errorf("%d octets were read", d.Total())
	}
	d.Start()
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	if end := d.Wait(bound); end.Ending != fakeclient.EndFIN || d.Total() != 8<<20 {
		t.Errorf("%v after %d octets", end.Ending, d.Total())
	}
}

func TestDataSendAndEnd(t *testing.T) {
	t.Parallel()
	t.Run("half-close", func(t *testing.T) {
		t.Parallel()
		_, d, conn := dialData(t)
		if n, err := d.Send([]byte("hello"), bound); n != 5 || err != nil {
			t.Fatal(n, err)
		}
		if err := d.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(conn); string(got) != "hello" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		if _, err := conn.Write([]byte("bye")); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		if d.Wait(bound); string(d.Bytes()) != "bye" {
			t.Errorf("after the half-close %q came", d.Bytes())
		}
	})
	t.Run("reset", func(t *testing.T) {
		t.Parallel()
		_, d, conn := dialData(t)
		if err := d.Reset(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(conn); err == nil {
			t.Error("the other end saw no reset")
		}
	})
}

func TestListener(t *testing.T) {
	t.Parallel()
	c := fakeclient.New(t.Context(), fakeclient.Options{})
	t.Cleanup(c.Close)
	l, err := c.Listen(netip.AddrPortFrom(loopback, 0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Accept(short); !errors.Is(err, fakeclient.ErrTimeout) {
		t.Errorf("nobody came, yet: %v", err)
	}
	stranger := netip.AddrFrom4([4]byte{127, 0, 0, 2})
	conn, err := host.OS{}.Dial(t.Context(), netip.AddrPortFrom(stranger, 0), l.Endpoint)
	if err != nil {
		t.Skipf("127.0.0.2 is no address here: %v", err)
	}
	defer conn.Close()
	d, err := l.Accept(bound)
	if err != nil || d.Remote.Addr() != stranger {
		t.Fatalf("%v from %v", err, d)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Accept(bound); !errors.Is(err, fakeclient.ErrClosed) {
		t.Errorf("a closed listener: %v", err)
	}
}

// TestListenOnControlPort shows that the client's own control port can be
// listened on, which the default data port needs.
func TestListenOnControlPort(t *testing.T) {
	t.Parallel()
	c, k, p, _ := pair(t)
	l, err := c.Listen(k.Local)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := host.OS{}.Dial(t.Context(), netip.AddrPortFrom(loopback, 0), l.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if d, err := l.Accept(bound); err != nil || d.Local != k.Local {
		t.Errorf("%v, %v", d, err)
	}
	_ = p
}

func TestAwait(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		say        string
		connect    bool
		data       bool
		final      int
		prelim     int
		wantNoWait error
	}{
		"connection after 150": {say: "150 ok\r\n", connect: true, data: true, prelim: -1},
		"refusal":              {say: "550 none\r\n", final: 550},
		"refusal after 150":    {say: "150 ok\r\n425 no\r\n", final: 425, prelim: 1},
		"both":                 {say: "150 ok\r\n226 done\r\n", connect: true, data: true, prelim: -1, final: -1},
		"silence":              {wantNoWait: fakeclient.ErrTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, k, p, conn := pair(t)
			l, err := c.Listen(netip.AddrPortFrom(loopback, 0))
			if err != nil {
				t.Fatal(err)
			}
			if tc.connect {
				dc, err := host.OS{}.Dial(t.Context(), netip.AddrPort{}, l.Endpoint)
				if err != nil {
					t.Fatal(err)
				}
				defer dc.Close()
			}
			if tc.say != "" {
				p.write(conn, tc.say)
			}
			wait := bound
			if tc.wantNoWait != nil {
				wait = short
			}
			d, final, prelim, err := l.Await(k, wait)
			if !errors.Is(err, tc.wantNoWait) || (d != nil) != tc.data {
				t.Fatalf("data %v, error %v", d, err)
			}
			if tc.final > 0 && (final == nil || final.Code != tc.final) {
				t.Errorf("final %v, want %d", final, tc.final)
			}
			if tc.prelim >= 0 && len(prelim) != tc.prelim {
				t.Errorf("%d preliminary replies, want %d", len(prelim), tc.prelim)
			}
		})
	}
}

// TestExpire shows that every wait ends when somebody watches the clock.
func TestExpire(t *testing.T) {
	t.Parallel()
	c, k, _, _ := pair(t)
	go c.Expire()
	if _, err := k.Reply(bound); err == nil || errors.Is(err, fakeclient.ErrTimeout) {
		t.Errorf("the wait ended with %v", err)
	}
	if !c.Expired() {
		t.Error("the client does not know that it expired")
	}
}
