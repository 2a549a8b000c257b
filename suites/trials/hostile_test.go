package trials_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/suites"
)

// A hostile server may spoil its own results, and nothing else: the run ends
// in time, with an error of the right kind or with one result for each check,
// and leaves no goroutine behind.

// hostileScale makes the bounds of a run short: a reply within 0.4 s.
const hostileScale = 0.04

// hostileLimit is how long a run against any of these servers may take.
const hostileLimit = 60 * time.Second

// hostileChecks are those that a hostile server is asked.
var hostileChecks = []string{"port-works", "port-malformed", "port-refused-425", "pasv-implemented", "pasv-reply-grammar", "pasv-address"}

type on = map[string]func(*hostileSession, string) bool

// hostileCase is a server and how a run against it has to end: with an error
// of a stage that says something, or with verdicts.
type hostileCase struct {
	name   string
	server hostile
	// scale replaces hostileScale.
	scale float64
	// stage and says describe the error; without a stage there is a report.
	stage suites.Stage
	says  string
	// want are verdicts that checks must have; the others may have any but
	// error.
	want map[string][]suites.Verdict
}

func hostileCases() []*hostileCase {
	fails := []suites.Verdict{suites.Fail}
	none := []suites.Verdict{suites.Inconclusive, suites.Fail}
	var sessions atomic.Int32
	return []*hostileCase{
		{name: "without malice", want: map[string][]suites.Verdict{"port-works": {suites.Pass}, "pasv-implemented": {suites.Pass}, "pasv-reply-grammar": {suites.Pass}}},
		{name: "hangs in the greeting", stage: suites.StageReach, says: "no greeting", server: hostile{greet: (*hostileSession).hang}},
		{name: "greets with garbage", stage: suites.StageReach, says: "is it an FTP server without TLS", server: hostile{greet: func(s *hostileSession) bool {
			io.WriteString(s, "\x00\x01\xff\xfe\x1b[2J\r\nSSH-2.0-x\r\n\x80\x80\r\n")
			return s.hang()
		}}},
		{name: "greets with an endless line", stage: suites.StageReach, says: "no greeting", server: hostile{greet: func(s *hostileSession) bool { return s.forever(s, "220 never ends ") }}},
		{name: "greets with an endless multi-line reply", stage: suites.StageReach, says: "no greeting", server: hostile{greet: func(s *hostileSession) bool { return s.forever(s, "220-never ends\r\n") }}},
		{name: "greets with 421", stage: suites.StageReach, says: "421 too many; it is there", server: hostile{greet: func(s *hostileSession) bool { s.reply("421 too many"); return false }}},
		{name: "is delayed for ever", scale: 0.01, stage: suites.StageReach, says: "no greeting", server: hostile{greet: func(s *hostileSession) bool { return s.forever120() }}},
		{name: "closes before the greeting", stage: suites.StageReach, says: "closed", server: hostile{greet: func(*hostileSession) bool { return false }}},
		{name: "resets before the greeting", stage: suites.StageReach, server: hostile{greet: func(s *hostileSession) bool { s.Conn.(*net.TCPConn).SetLinger(0); return false }}},
		{name: "closes after the greeting", stage: suites.StageLogin, server: hostile{greet: func(s *hostileSession) bool { s.reply("220 bye"); return false }}},
		{name: "closes after USER", stage: suites.StageLogin, says: "closed", server: hostile{on: on{"USER": func(*hostileSession, string) bool { return false }}}},
		{name: "lets nobody in, and repeats the password", stage: suites.StageLogin, says: "530", server: hostile{on: on{"PASS": func(s *hostileSession, arg string) bool { s.reply("530 %s is wrong", arg); return true }}}},
		{name: "hangs after PASS", stage: suites.StageLogin, says: "no reply to PASS", server: hostile{on: on{"PASS": func(s *hostileSession, _ string) bool { return s.hang() }}}},
		{name: "has no such directory", stage: suites.StagePrepare, says: "--write-dir", server: hostile{on: on{"CWD": func(s *hostileSession, _ string) bool { s.reply("550 no"); return true }, "STOR": func(s *hostileSession, _ string) bool { s.reply("553 read-only"); return true }}}},
		{name: "has a full disk", stage: suites.StagePrepare, says: "552", server: hostile{on: on{"STOR": func(s *hostileSession, _ string) bool {
			s.reply("150 go")
			if c := s.data(); c != nil {
				s.drop(c)
			}
			s.reply("552 disk full")
			return true
		}}}},
		{name: "closes in every transfer", want: map[string][]suites.Verdict{"port-works": none}, server: hostile{on: on{"LIST": closesInTransfer, "RETR": closesInTransfer, "STOR": closesInTransfer}}},
		{name: "answers with codes that nobody knows", stage: suites.StageLogin, server: hostile{on: on{"*": func(s *hostileSession, _ string) bool { s.reply("999 what"); return true }}}},
		{name: "answers PASV with wrong codes", want: map[string][]suites.Verdict{"pasv-implemented": fails}, server: hostile{on: on{"PASV": func(s *hostileSession, _ string) bool { s.reply("200 fine"); return true }}}},
		{name: "announces nonsense", want: map[string][]suites.Verdict{"pasv-reply-grammar": fails}, server: hostile{on: on{"PASV": func(s *hostileSession, _ string) bool {
			s.reply("227 Entering Passive Mode (999,-1,1e9,,0x7f,1)")
			return true
		}}}},
		{name: "announces a closed port", server: hostile{on: on{"PASV": func(s *hostileSession, _ string) bool {
			s.reply("227 Entering Passive Mode (127,0,0,1,0,9)")
			return true
		}}}},
		{name: "answers SYST with 10 MiB", scale: 0.5, server: hostile{on: on{"SYST": func(s *hostileSession, _ string) bool {
			s.reply("215-%s\r\n215 end", strings.Repeat(strings.Repeat("x", 1022)+"\r\n", 10<<10))
			return true
		}}}},
		{name: "answers NOOP with endless replies", server: hostile{on: on{"NOOP": func(s *hostileSession, _ string) bool { return s.forever(s, "200 ok\r\n") }}}},
		{name: "sends preliminary replies without end", server: hostile{on: on{"LIST": func(s *hostileSession, _ string) bool { return s.forever(s, "150 soon\r\n") }}}},
		{name: "sends preliminary replies slowly, without end", scale: 0.02, server: hostile{on: on{"LIST": func(s *hostileSession, _ string) bool {
			return s.drip(strings.Repeat("150 soon\r\n", 10_000), 10, 100*time.Millisecond)
		}}}},
		{name: "drips one octet at a time", server: hostile{say: func(s *hostileSession, text string) { s.drip(text, 1, 2*time.Millisecond) }}},
		{name: "drips too slowly", stage: suites.StageReach, server: hostile{say: func(s *hostileSession, text string) { s.drip(text, 1, 200*time.Millisecond) }}},
		{name: "sends data without end", server: hostile{on: on{"LIST": endlessData, "RETR": endlessData}}},
		{name: "never takes data", server: hostile{on: on{"STOR": func(s *hostileSession, _ string) bool {
			s.reply("150 go")
			s.data()
			return s.hang()
		}}}},
		{name: "dies after the fifth session", server: hostile{greet: func(s *hostileSession) bool {
			if sessions.Add(1) > 5 {
				return false
			}
			s.reply("220 for now")
			return true
		}}},
		{name: "fills everything with escape sequences", server: hostile{say: func(s *hostileSession, text string) {
			io.WriteString(s, strings.Replace(text, " ", " \x1b]0;owned\x07\x1b[2J\x00\xff ", 1))
		}}},
	}
}

func (s *hostileSession) forever120() bool {
	return s.drip(strings.Repeat("120 soon\r\n", 10_000), 10, 100*time.Millisecond)
}

func closesInTransfer(s *hostileSession, _ string) bool {
	s.reply("150 go")
	if c := s.data(); c != nil {
		io.WriteString(c, "half of")
		s.drop(c)
	}
	return false
}

func endlessData(s *hostileSession, _ string) bool {
	s.reply("150 go")
	if c := s.data(); c != nil {
		s.forever(c, "more ")
		s.drop(c)
	}
	s.reply("226 at last")
	return true
}

// TestHostileServers does not run beside other tests: it counts goroutines.
func TestHostileServers(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Run("all", func(t *testing.T) {
		for _, c := range hostileCases() {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				c.run(t)
			})
		}
	})
	goleak.VerifyNone(t, before)
}

func (c *hostileCase) run(t *testing.T) {
	t.Helper()
	var told sync.Map
	if c.scale == 0 {
		c.scale = hostileScale
	}
	cfg := suites.Config{Target: c.server.start(t), Only: hostileChecks, TimeoutScale: c.scale, Jobs: 2,
		DataTimeout: 2 * time.Second, Progress: func(_, _ int, r suites.Result) { told.Store(r.Check, r.Verdict) }}
	ctx, cancel := context.WithTimeout(t.Context(), hostileLimit)
	defer cancel()
	began := time.Now()
	rep, err := suites.Verify(ctx, cfg)
	if took := time.Since(began); ctx.Err() != nil {
		t.Fatalf("the run did not end by itself within %v", took)
	}
	if err != nil {
		c.judgeError(t, err)
		return
	}
	if c.stage != "" {
		t.Fatalf("the run went through; an error in stage %q was expected", c.stage)
	}
	if len(rep.Results) != len(suites.Checks()) || rep.Summary.Total != len(rep.Results) || rep.Interrupted {
		t.Errorf("%d results of %d checks, interrupted: %v", len(rep.Results), len(suites.Checks()), rep.Interrupted)
	}
	for i, r := range rep.Results {
		if r.Check != suites.Checks()[i].ID {
			t.Errorf("result %d is of %q, not of %s", i, r.Check, suites.Checks()[i].ID)
		}
		v, ok := told.Load(r.Check)
		if !ok || v != r.Verdict {
			t.Errorf("%s: the progress was told %v, the report says %v", r.Check, v, r.Verdict)
		}
		wanted := c.want[r.Check]
		switch {
		case r.Verdict == suites.HarnessError:
			t.Errorf("%s blames the harness: %s", r.Check, r.Message)
		case !slices.Contains(hostileChecks, r.Check):
			if r.Verdict != suites.NotRun {
				t.Errorf("%s was deselected and is %s", r.Check, r.Verdict)
			}
		case r.Verdict == suites.NotRun:
			t.Errorf("%s did not run: %s", r.Check, r.Message)
		case wanted != nil && !slices.Contains(wanted, r.Verdict):
			t.Errorf("%s is %s (%s), want one of %v", r.Check, r.Verdict, r.Message, wanted)
		}
		if size := len(fmt.Sprint(r)); size > 1<<20 {
			t.Errorf("the result of %s takes %d octets", r.Check, size)
		}
	}
}

func (c *hostileCase) judgeError(t *testing.T, err error) {
	t.Helper()
	var p *suites.PreflightError
	switch {
	case !errors.As(err, &p):
		t.Errorf("the error is no preflight error: %v", err)
	case p.Stage != c.stage:
		t.Errorf("the error is of stage %q, want %q: %v", p.Stage, c.stage, err)
	case !strings.Contains(err.Error(), c.says):
		t.Errorf("the error does not say %q: %v", c.says, err)
	case strings.Contains(err.Error(), "correct-horse"):
		t.Errorf("the error holds the password: %v", err)
	case len(err.Error()) > 4096:
		t.Errorf("the error is %d octets long", len(err.Error()))
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	l.Close()
	_, err = suites.Verify(t.Context(), suites.Config{Target: "ftp://user:correct-horse@" + at + "/", TimeoutScale: hostileScale})
	c := &hostileCase{stage: suites.StageReach, says: "is the server running"}
	c.judgeError(t, err)
}

// elsewhere refuses, and records, connections that leave the loopback.
type elsewhere struct {
	host.OS
	mu   sync.Mutex
	went []netip.AddrPort
}

func (e *elsewhere) Dial(ctx context.Context, local, remote netip.AddrPort) (net.Conn, error) {
	if !remote.Addr().IsLoopback() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.went = append(e.went, remote)
		return nil, errors.New("this test does not leave the machine")
	}
	return e.OS.Dial(ctx, local, remote)
}

// TestServerCannotSendTheClientElsewhere: a server chooses the address in 227;
// it must not choose whom the harness connects to.
func TestServerCannotSendTheClientElsewhere(t *testing.T) {
	t.Parallel()
	h := hostile{on: on{"PASV": func(s *hostileSession, _ string) bool {
		s.reply("227 Entering Passive Mode (192,0,2,1,4,210)")
		return true
	}}}
	network := &elsewhere{}
	rep, err := suites.Verify(t.Context(), suites.Config{Target: h.start(t), Only: []string{"pasv"}, TimeoutScale: hostileScale, DataTimeout: time.Second, Network: network})
	if err != nil {
		t.Fatal(err)
	}
	if len(network.went) > 0 {
		t.Errorf("the client tried to connect to %v", network.went)
	}
	for _, r := range rep.Results {
		if r.Check == "pasv-address" && r.Verdict != suites.Fail {
			t.Errorf("%s is %s: %s", r.Check, r.Verdict, r.Message)
		}
	}
}

// TestPasswordIsNowhere: a server that repeats the password everywhere finds
// no way to get it into the record.
func TestPasswordIsNowhere(t *testing.T) {
	t.Parallel()
	const secret = "correct-horse"
	h := hostile{say: func(s *hostileSession, text string) {
		io.WriteString(s, strings.Replace(text, " ", " "+secret+" ", 1))
	}}
	h.on = on{"PASV": func(s *hostileSession, _ string) bool { s.reply("200 (%s)", secret); return true }}
	rep, err := suites.Verify(t.Context(), suites.Config{Target: h.start(t), Only: hostileChecks, TimeoutScale: hostileScale, DataTimeout: time.Second})
	if err != nil {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error holds the password: %v", err)
		}
		return
	}
	if strings.Contains(fmt.Sprintf("%+v", rep), secret) {
		t.Error("the record holds the password")
	}
}
