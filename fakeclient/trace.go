package fakeclient

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
)

// Side tells who caused an event.
type Side string

// The sides of an event.
const (
	ByClient  Side = "client"
	ByServer  Side = "server"
	ByHarness Side = "harness" // a remark, or a silence that was waited for
)

// Kind tells what an event is.
type Kind string

// The kinds of events.
const (
	KindDial      Kind = "dial"       // a connection attempt begins
	KindConnected Kind = "connected"  // it succeeded
	KindFailed    Kind = "failed"     // it did not, or a write did not
	KindListen    Kind = "listen"     // a port is open for the server
	KindAccept    Kind = "accept"     // somebody connected to it
	KindSend      Kind = "send"       // octets on the control connection
	KindUrgent    Kind = "urgent"     // the same as TCP urgent data
	KindReceive   Kind = "receive"    // one line on the control connection
	KindFirstByte Kind = "first-byte" // data begins to arrive
	KindData      Kind = "data"       // data sent or received, in octets
	KindFIN       Kind = "fin"        // orderly end of one direction
	KindRST       Kind = "rst"        // reset
	KindClose     Kind = "close"      // we closed a socket
	KindSilence   Kind = "silence"    // nothing came for so long
	KindNote      Kind = "note"       // a remark of the check
	KindLog       Kind = "log"        // a line that the server has written to its log
)

// Event is one fact of a trace.
type Event struct {
	// At is the time since the trace began, on the client's clock.
	At time.Duration
	// Conn names the connection: "control", "control 2", "data 1",
	// "listener 1"; empty for remarks.
	Conn string
	Side Side
	Kind Kind
	// Text is what was said, escaped to printable ASCII and without secrets,
	// or a description.
	Text string
}

// String prints the event as one line of a dialogue.
func (e Event) String() string {
	arrow := map[Side]string{ByClient: ">", ByServer: "<", ByHarness: "*"}[e.Side]
	text := e.Text
	if e.Kind != KindSend && e.Kind != KindReceive && e.Kind != KindNote {
		text = strings.TrimSpace(string(e.Kind) + " " + text)
	}
	return fmt.Sprintf("%9.3fs %-11s %s %s", e.At.Seconds(), e.Conn, arrow, text)
}

// MaxEvents bounds a trace, so that a server that never stops talking cannot
// fill the memory. What comes later is counted and not kept.
const MaxEvents = 20_000

// Trace is the record of everything a client did and saw, on one clock. It
// may be used from several goroutines.
type Trace struct {
	clock host.Clock
	start time.Time

	mu      sync.Mutex
	events  []Event
	dropped int
	secrets []string
}

// NewTrace begins a trace now. A nil clock is the operating system's.
func NewTrace(clock host.Clock) *Trace {
	if clock == nil {
		clock = host.RealTime{}
	}
	return &Trace{clock: clock, start: clock.Now()}
}

// Hide makes the trace replace a secret wherever it would appear, for servers
// that echo it; see HideSecret.
func (t *Trace) Hide(secret string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.secrets = append(t.secrets, secret)
}

// The shortest secret that is hidden, and the shortest one that is hidden
// inside of a word: "pass" must not make "****ive" out of "passive".
const (
	minSecret       = 4
	minSecretInWord = 8
)

// HideSecret replaces a secret in a text, escaped or not, by stars. Secrets of
// fewer than four octets are left alone, and those of fewer than eight inside
// of words: replacing them would garble the text.
func HideSecret(text, secret string) string {
	if len(secret) < minSecret {
		return text
	}
	for _, form := range []string{secret, escape(secret)} {
		var b strings.Builder
		for rest := text; ; {
			i := strings.Index(rest, form)
			if i < 0 {
				b.WriteString(rest)
				break
			}
			after := rest[i+len(form):]
			if before := text[:len(text)-len(rest)+i]; len(secret) < minSecretInWord && (inWord(before) || wordAt(after, 0)) {
				b.WriteString(rest[:i+len(form)])
			} else {
				b.WriteString(rest[:i] + "****")
			}
			rest = after
		}
		text = b.String()
	}
	return text
}

// inWord reports whether text ends with a letter or digit that is not part of
// an escape.
func inWord(s string) bool {
	for _, n := range []int{2, 4} { // \r and \x1b
		if len(s) >= n && s[len(s)-n] == '\\' && (n == 2 || s[len(s)-3] == 'x') {
			return false
		}
	}
	return wordAt(s, len(s)-1)
}

// wordAt reports whether a letter or digit stands at i.
func wordAt(s string, i int) bool {
	if i < 0 || i >= len(s) {
		return false
	}
	c := s[i]
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// Add records an event now and returns its time.
func (t *Trace) Add(conn string, side Side, kind Kind, text string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.clock.Now().Sub(t.start)
	if len(t.events) >= MaxEvents {
		t.dropped++
		return at
	}
	for _, s := range t.secrets {
		text = HideSecret(text, s)
	}
	t.events = append(t.events, Event{At: at, Conn: conn, Side: side, Kind: kind, Text: text})
	return at
}

// Note records a remark.
func (t *Trace) Note(format string, args ...any) {
	t.Add("", ByHarness, KindNote, fmt.Sprintf(format, args...))
}

// Now returns the time since the trace began.
func (t *Trace) Now() time.Duration { return t.clock.Now().Sub(t.start) }

// Events returns a copy of the events so far, in their order; the last one
// says how many were dropped, if any were.
func (t *Trace) Events() []Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := append([]Event(nil), t.events...)
	if t.dropped > 0 {
		out = append(out, Event{At: out[len(out)-1].At, Side: ByHarness, Kind: KindNote,
			Text: fmt.Sprintf("%d further events were not kept", t.dropped)})
	}
	return out
}

// escape prints octets as one line of printable ASCII: CR, LF and everything
// unprintable as in a Go string, text as it is.
func escape(s string) string {
	const hex = "0123456789abcdef"
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ' || c >= 0x7f:
			b.WriteString(`\x`)
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// maxText bounds the text of one event.
const maxText = 2048

// clip shortens the octets of an event to a bounded text.
func clip(s string) string {
	if len(s) <= maxText {
		return escape(s)
	}
	return fmt.Sprintf("%s… (%d octets)", escape(s[:maxText]), len(s))
}
