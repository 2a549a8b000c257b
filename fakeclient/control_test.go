package fakeclient_test

import (
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
	"github.com/ftpconform/ftpconform/internal/host"
)

func TestRepliesInOrder(t *testing.T) {
	t.Parallel()
	_, k, p, conn := pair(t)
	p.write(conn, "220-hello\r\n220 world\r\n150 ok\r\n226 done\r\n")
	r, err := k.Reply(bound)
	if err != nil || r.Code != 220 || len(r.Lines) != 2 {
		t.Fatalf("greeting %v, %v", r, err)
	}
	final, prelim, err := k.Final(bound)
	if err != nil || final.Code != 226 || len(prelim) != 1 || prelim[0].Code != 150 {
		t.Fatalf("final %v after %v, %v", final, prelim, err)
	}
	if final.At < r.At {
		t.Errorf("226 at %v, before the greeting at %v", final.At, r.At)
	}
	if got := k.Lines(); len(got) != 4 || got[3] != "226 done\r\n" {
		t.Errorf("raw lines %q", got)
	}
}

// TestSegments shows that octets travel in the segments that were asked for:
// the other end reads each of them by itself.
func TestSegments(t *testing.T) {
	t.Parallel()
	_, k, p, conn := pair(t)
	line := "PORT 127,0,0,1,4,5\r\n"
	done := make(chan error, 1)
	go func() { done <- k.SendSplit([]byte(line), 100*time.Millisecond, 1, 5, len(line)-1) }()
	var got []string
	for strings.Join(got, "") != line {
		got = append(got, p.read(conn))
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if want := []string{"P", "ORT ", "127,0,0,1,4,5\r", "\n"}; strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("segments %q, want %q", got, want)
	}
	if err := k.SendSplit([]byte("NOOP\r\n"), 0, 9); err == nil {
		t.Error("a split outside of the octets was accepted")
	}
}

func TestExactOctets(t *testing.T) {
	t.Parallel()
	for name, octets := range map[string]string{
		"without CRLF": "NOOP",
		"pipelined":    "TYPE I\r\nPASV\r\nRETR x\r\n",
		"telnet":       "\xff\xf4\xff\xf2ABOR\r\n",
		"NUL and 8bit": "STOR a\x00\xe9\r\n",
		"64 KiB line":  "NOOP " + strings.Repeat("x", 64<<10) + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, k, p, conn := pair(t)
			if err := k.SendOctets([]byte(octets)); err != nil {
				t.Fatal(err)
			}
			got := ""
			for len(got) < len(octets) {
				got += p.read(conn)
			}
			if got != octets {
				t.Errorf("got %.60q, want %.60q", got, octets)
			}
			for _, e := range c.Trace().Events() {
				if strings.ContainsFunc(e.Text, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x80 }) {
					t.Errorf("unprintable octets in the trace: %q", e.Text)
				}
			}
		})
	}
}

// TestPasswordsAreRedacted sends a password whole, in pieces of every size,
// and lets the server echo it; it must be nowhere in the trace.
func TestPasswordsAreRedacted(t *testing.T) {
	t.Parallel()
	const secret = "open sesame"
	c, k, p, conn := pair(t)
	c.Trace().Hide(secret)
	line := "pass " + secret + "\r\n"
	for i := range line {
		if err := k.SendSplit([]byte(line), 0, i); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.SendOctets([]byte("USER x\r\nPASS " + secret + "\r\nACCT " + secret + "\r\nNOOP passing\r\n")); err != nil {
		t.Fatal(err)
	}
	p.write(conn, "530 no "+secret+" here\r\n")
	if _, err := k.Reply(bound); err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, e := range c.Trace().Events() {
		all += e.String() + "\n"
	}
	for _, part := range []string{secret, "open", "sesame", "same"} {
		if strings.Contains(all, part) {
			t.Errorf("%q is in the trace:\n%s", part, all)
		}
	}
	if !strings.Contains(all, "NOOP passing") || !strings.Contains(all, "530 no **** here") {
		t.Errorf("more than the password is hidden:\n%s", all)
	}
}

func TestSynchIsUrgent(t *testing.T) {
	t.Parallel()
	c, k, p, conn := pair(t)
	if err := host.InlineUrgent(conn); err != nil {
		t.Skipf("this system cannot read urgent data in line: %v", err)
	}
	if err := k.SendUrgent([]byte{255, 244, 255, 242}); err != nil {
		t.Fatal(err)
	}
	if err := k.Send("ABOR"); err != nil {
		t.Fatal(err)
	}
	got := ""
	for !strings.HasSuffix(got, "\r\n") {
		got += p.read(conn)
	}
	if got != "\xff\xf4\xff\xf2ABOR\r\n" {
		t.Errorf("got %q", got)
	}
	if !has(c.Trace(), fakeclient.KindUrgent, `\xff\xf4\xff\xf2`) {
		t.Error("the trace does not show urgent data")
	}
}

func TestWaits(t *testing.T) {
	t.Parallel()
	_, k, p, conn := pair(t)
	if _, err := k.Reply(short); !errors.Is(err, fakeclient.ErrTimeout) {
		t.Errorf("silence gives %v", err)
	}
	if got, err := k.Quiet(short); err != nil || len(got) != 0 {
		t.Errorf("quiet gives %v, %v", got, err)
	}
	p.write(conn, "421 bye\r\n")
	if got, err := k.Quiet(bound / 10); err != nil || len(got) != 1 || got[0].Code != 421 {
		t.Errorf("an unasked reply gives %v, %v", got, err)
	}
	if k.WaitClosed(short) {
		t.Error("the connection is called closed")
	}
	_ = conn.Close()
	if !k.WaitClosed(bound) {
		t.Error("the end is not seen")
	}
	if _, err := k.Reply(bound); !errors.Is(err, fakeclient.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

// TestHostileTalk shows that endless lines and endless replies stop the
// reader, and that what came before is kept.
func TestHostileTalk(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		chunk string
		want  error
	}{
		"endless line":    {strings.Repeat("x", 1<<16), fakeclient.ErrFlood},
		"endless replies": {strings.Repeat("200 ok\r\n", 1<<12), fakeclient.ErrFlood},
		"endless reply":   {strings.Repeat(" more and more\r\n", 1<<12), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, k, p, conn := pair(t)
			p.write(conn, "220 hello\r\n")
			if _, err := k.Reply(bound); err != nil {
				t.Fatal(err)
			}
			go func() {
				if name == "endless reply" {
					_, _ = io.WriteString(conn, "211-\r\n")
				}
				for range 256 {
					if _, err := io.WriteString(conn, tc.chunk); err != nil {
						return
					}
				}
			}()
			var err error
			for err == nil {
				_, err = k.Reply(bound)
			}
			if tc.want != nil && !errors.Is(err, tc.want) || errors.Is(err, fakeclient.ErrTimeout) {
				t.Errorf("the flood ends with %v", err)
			}
			if n := len(c.Trace().Events()); n > fakeclient.MaxEvents+2 {
				t.Errorf("%d events were kept", n)
			}
			c.Close()
		})
	}
}

func TestCutInTheMiddle(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]string{"line": "220 hal", "reply": "220-hello\r\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, k, p, conn := pair(t)
			p.write(conn, tc)
			_ = conn.CloseWrite()
			if _, err := k.Reply(bound); !errors.Is(err, fakeclient.ErrClosed) || !strings.Contains(err.Error(), name) {
				t.Errorf("cut in the middle of a %s: %v", name, err)
			}
		})
	}
}

func TestDialRefused(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	_ = p.l.Close()
	c := fakeclient.New(t.Context(), fakeclient.Options{})
	defer c.Close()
	if _, err := c.Dial(netip.AddrPort{}, p.endpoint()); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("dialling a closed port: %v", err)
	}
	if events := c.Trace().Events(); len(events) != 2 || events[1].Kind != fakeclient.KindFailed {
		t.Errorf("events %v", events)
	}
}
