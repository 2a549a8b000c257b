package ftp_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ftpconform/ftpconform/ftp"
)

// codec is one of the two modes with an end of file of its own.
type codec struct {
	writer func(io.Writer) io.WriteCloser
	reader func(io.Reader, func(string) error) io.Reader
}

func codecs() map[string]codec {
	return map[string]codec{
		"block": {
			writer: func(w io.Writer) io.WriteCloser { return ftp.NewBlockWriter(w) },
			reader: func(r io.Reader, mark func(string) error) io.Reader {
				b := ftp.NewBlockReader(r)
				b.OnMarker = mark
				return b
			},
		},
		"compressed, text": compressed(ftp.FillerText),
		"compressed":       compressed(ftp.FillerImage),
	}
}

func compressed(filler byte) codec {
	return codec{
		writer: func(w io.Writer) io.WriteCloser { return ftp.NewCompressedWriter(w, filler) },
		reader: func(r io.Reader, mark func(string) error) io.Reader {
			c := ftp.NewCompressedReader(r, filler)
			c.OnMarker = mark
			return c
		},
	}
}

// TestModeRoundTrip: any data, written and read in any pieces, comes back, and
// the reader stops exactly behind the end of the file.
func TestModeRoundTrip(t *testing.T) {
	t.Parallel()
	octets := rapid.SliceOf(rapid.OneOf(rapid.Just(byte(0)), rapid.Just(byte(' ')), rapid.Byte()))
	pieces := rapid.SliceOf(rapid.OneOf(octets, rapid.Map(rapid.IntRange(0, 70_000), func(n int) []byte { return make([]byte, n) })))
	for name, c := range codecs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				var wire, want bytes.Buffer
				w := c.writer(&wire)
				for _, p := range pieces.Draw(t, "pieces") {
					n, err := w.Write(p)
					if n != len(p) || err != nil {
						t.Fatalf("Write: %d, %v", n, err)
					}
					want.Write(p)
				}
				if err := errors.Join(w.Close(), w.Close()); err != nil {
					t.Fatal(err)
				}
				if _, err := w.Write([]byte("x")); !errors.Is(err, ftp.ErrAfterEOF) {
					t.Fatalf("Write after Close: %v", err)
				}
				wire.WriteString("next file")
				var r io.Reader = &wire
				if rapid.Bool().Draw(t, "slow") {
					r = iotest.OneByteReader(r)
				}
				got, err := io.ReadAll(c.reader(r, nil))
				if err != nil || !bytes.Equal(got, want.Bytes()) {
					t.Fatalf("got %d octets of %d, %v", len(got), want.Len(), err)
				}
				if wire.String() != "next file" {
					t.Fatalf("left on the connection: %.40q", wire.String())
				}
			})
		})
	}
}

// TestModeWire pins what goes over the wire.
func TestModeWire(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ab", 100)
	tests := map[string]struct{ codec, in, want string }{
		"empty block file":      {"block", "", "\x40\x00\x00"},
		"block":                 {"block", "abc", "\x00\x00\x03abc\x40\x00\x00"},
		"full block":            {"block", strings.Repeat("a", 65536), "\x00\xff\xff" + strings.Repeat("a", 65535) + "\x00\x00\x01a\x40\x00\x00"},
		"empty compressed file": {"compressed", "", "\x00\x40"},
		"literal":               {"compressed", "abc", "\x03abc\x00\x40"},
		"long literal":          {"compressed", long, "\x7f" + long[:127] + "\x49" + long[127:] + "\x00\x40"},
		"run":                   {"compressed", "xaaaay", "\x01x\x84a\x01y\x00\x40"},
		"long run":              {"compressed", strings.Repeat("a", 64), "\xbfa\x01a\x00\x40"},
		"zero filler":           {"compressed", "a\x00\x00b", "\x01a\xc2\x01b\x00\x40"},
		"one zero":              {"compressed", "a\x00b", "\x03a\x00b\x00\x40"},
		"space filler":          {"compressed, text", "a   b", "\x01a\xc3\x01b\x00\x40"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var wire strings.Builder
			w := codecs()[tt.codec].writer(&wire)
			if _, err := io.WriteString(w, tt.in); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, wire.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestModeRead reads what other senders may produce.
func TestModeRead(t *testing.T) {
	t.Parallel()
	refuse := errors.New("refused")
	tests := map[string]struct {
		codec, wire, want, marks string
		err                      error
	}{
		"EOF on the last block":    {"block", "\x40\x00\x03abc", "abc", "", nil},
		"EOR and suspect":          {"block", "\x80\x00\x01a\x20\x00\x01b\xc0\x00\x00", "ab", "", nil},
		"marker":                   {"block", "\x00\x00\x01a\x10\x00\x02M1\x40\x00\x01b", "ab", "M1", nil},
		"marker refused":           {"block", "\x00\x00\x01a\x10\x00\x02no\x40\x00\x01b", "a", "", refuse},
		"no EOF":                   {"block", "\x00\x00\x01a", "a", "", io.ErrUnexpectedEOF},
		"cut in a block":           {"block", "\x00\x00\x02a", "a", "", io.ErrUnexpectedEOF},
		"cut in a header":          {"block", "\x00\x00", "", "", io.ErrUnexpectedEOF},
		"cut in a marker":          {"block", "\x10\x00\x02M", "", "", io.ErrUnexpectedEOF},
		"nothing":                  {"block", "", "", "", io.ErrUnexpectedEOF},
		"unknown descriptor":       {"block", "\x01\x00\x00", "", "", ftp.ErrSyntax},
		"compressed marker":        {"compressed", "\x01a\x00\x10\x02M1\x01b\x00\x40", "ab", "M1", nil},
		"marker as a run":          {"compressed", "\x00\x10\x83M\x00\x40", "", "MMM", nil},
		"run of none":              {"compressed", "\x80a\xc0\x01b\x00\x40", "b", "", nil},
		"compressed, EOR":          {"compressed", "\x01a\x00\x80\x01b\x00\xc0", "ab", "", nil},
		"compressed, no EOF":       {"compressed", "\x01a", "a", "", io.ErrUnexpectedEOF},
		"compressed, cut":          {"compressed", "\x02a", "a", "", io.ErrUnexpectedEOF},
		"compressed, cut run":      {"compressed", "\x82", "", "", io.ErrUnexpectedEOF},
		"compressed, cut escape":   {"compressed", "\x00", "", "", io.ErrUnexpectedEOF},
		"compressed, cut marker":   {"compressed", "\x00\x10\x02M", "", "", io.ErrUnexpectedEOF},
		"compressed, descriptor 1": {"compressed", "\x00\x01", "", "", ftp.ErrSyntax},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			marks := ""
			got, err := io.ReadAll(codecs()[tt.codec].reader(strings.NewReader(tt.wire), func(m string) error {
				if m == "no" {
					return refuse
				}
				marks += m
				return nil
			}))
			if !errors.Is(err, tt.err) || string(got) != tt.want || marks != tt.marks {
				t.Errorf("got %q, markers %q, %v", got, marks, err)
			}
		})
	}
}

// TestModeErrors passes the errors of the connection on.
func TestModeErrors(t *testing.T) {
	t.Parallel()
	for name, c := range codecs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := io.ReadAll(c.reader(iotest.ErrReader(io.ErrClosedPipe), nil)); !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("Read: %v", err)
			}
			r, w := io.Pipe()
			r.Close()
			if _, err := c.writer(w).Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("Write: %v", err)
			}
			if err := c.writer(w).Close(); !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("Close: %v", err)
			}
		})
	}
	if err := ftp.NewBlockWriter(io.Discard).WriteBlock(0, make([]byte, 65536)); err == nil {
		t.Error("a block of 65536 octets was written")
	}
	w := ftp.NewBlockWriter(io.Discard)
	if err := errors.Join(w.Marker("M1"), w.WriteBlock(ftp.BlockEOF|ftp.BlockEOR, []byte("end"))); err != nil {
		t.Error(err)
	}
	if err := w.Marker("M2"); !errors.Is(err, ftp.ErrAfterEOF) {
		t.Errorf("marker after the end: %v", err)
	}
}

// FuzzModes reads anything without a panic, and never more than was sent.
func FuzzModes(f *testing.F) {
	f.Add([]byte("\x00\x00\x03abc\x40\x00\x00"))
	f.Add([]byte("\x01a\x00\x10\x02M1\x84a\xc2\x00\x40"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		for name, c := range codecs() {
			got, err := io.ReadAll(c.reader(bytes.NewReader(wire), nil))
			if len(got) > 63*len(wire) {
				t.Errorf("%s: %d octets from %d", name, len(got), len(wire))
			}
			if err == nil && len(wire) < 2 {
				t.Errorf("%s: a file of %q", name, wire)
			}
		}
	})
}
