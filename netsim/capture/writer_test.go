package capture_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/capture"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// must fails the test for an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWriterFile(t *testing.T) {
	var file bytes.Buffer
	w, err := capture.NewWriter(&file, capture.Options{Hardware: "none", Comment: "five"})
	must(t, err)
	client, server := capture.MACOf("client"), capture.MACOf("server")
	first, err := w.Interface("client", "at the client's end")
	must(t, err)
	data := []byte{0x45, 1, 2, 3, 4}
	must(t, w.Packet(first, start.Add(123456789), packet.Of(data), client, server, ""))
	second, err := w.Interface("server", "")
	must(t, err)
	for i, comment := range []string{"a", "ab", "abc", "abcd", "Übergang"} {
		must(t, w.Packet(second, start.Add(time.Duration(i)), packet.Of([]byte{0x60, 0, 0, 0}[:i%5]), server, client, comment))
	}
	must(t, w.Close())

	blocks := readBlocks(t, file.Bytes())
	if len(blocks) != 9 || first != 0 || second != 1 {
		t.Fatalf("%d blocks, interfaces %d and %d", len(blocks), first, second)
	}
	section := blocks[0]
	if le32(section.body) != 0x1a2b3c4d || le32(section.body[4:]) != 1 || binary.LittleEndian.Uint64(section.body[8:]) != 1<<64-1 {
		t.Errorf("section % x", section.body)
	}
	if section.get(t, 1) != "five" || section.get(t, 2) != "none" || section.get(t, 4) != "ftpconform" || len(section.options) != 3 {
		t.Errorf("section has %v", section.options)
	}
	for i, want := range map[int]string{1: "client", 3: "server"} {
		b := blocks[i]
		if b.kind != 1 || le32(b.body) != 1 || le32(b.body[4:]) != 0 || b.get(t, 2) != want || b.get(t, 9) != "\x09" {
			t.Errorf("interface % x %v", b.body, b.options)
		}
	}
	if blocks[1].get(t, 3) != "at the client's end" || len(blocks[3].options) != 2 {
		t.Errorf("descriptions %v, %v", blocks[1].options, blocks[3].options)
	}
	ethernet := append(append(append([]byte{}, server[:]...), client[:]...), 8, 0)
	checkPacket(t, blocks[2], 0, start.Add(123456789), append(ethernet, data...), 19)
	if blocks[2].options != nil {
		t.Errorf("options %v without a comment", blocks[2].options)
	}
	ethernet = append(append(append([]byte{}, client[:]...), server[:]...), 0x86, 0xdd)
	checkPacket(t, blocks[8], 1, start.Add(4), append(ethernet, 0x60, 0, 0, 0), 18)
	if blocks[8].get(t, 1) != "Übergang" {
		t.Errorf("comment %v", blocks[8].options)
	}
}

func checkPacket(t *testing.T, b block, id uint32, at time.Time, frame []byte, whole uint32) {
	t.Helper()
	when := uint64(le32(b.body[4:]))<<32 | uint64(le32(b.body[8:]))
	if b.kind != 6 || le32(b.body) != id || when != uint64(at.UnixNano()) || le32(b.body[16:]) != whole {
		t.Errorf("block %d of interface %d at %d, %d octets on the wire", b.kind, le32(b.body), when, le32(b.body[16:]))
	}
	if got := b.body[20 : 20+le32(b.body[12:])]; !bytes.Equal(got, frame) {
		t.Errorf("frame % x\nwant  % x", got, frame)
	}
}

func TestWriterSnap(t *testing.T) {
	for _, snap := range []int{1, 14, 15, 18, 34, 35} {
		var file bytes.Buffer
		w, err := capture.NewWriter(&file, capture.Options{Snap: snap, Application: "test"})
		must(t, err)
		id, err := w.Interface("wire", "")
		must(t, err)
		data := append([]byte{0x45}, "0123456789012345678"...)
		must(t, w.Packet(id, start, packet.Of(data), capture.MAC{}, capture.MAC{}, "cut"))
		must(t, w.Close())
		blocks := readBlocks(t, file.Bytes())
		frame := append(append(make([]byte, 12), 8, 0), data...)
		checkPacket(t, blocks[2], 0, start, frame[:min(snap, 34)], 34)
		if le32(blocks[1].body[4:]) != uint32(snap) || blocks[0].get(t, 4) != "test" || blocks[2].get(t, 1) != "cut" {
			t.Errorf("snap %d: interface % x, %v", snap, blocks[1].body, blocks[2].options)
		}
	}
	if _, err := capture.NewWriter(io.Discard, capture.Options{Snap: -1}); err == nil {
		t.Error("a negative snap is taken")
	}
}

// TestWriterDamagedPackets has what a wire that damages packets can bring.
func TestWriterDamagedPackets(t *testing.T) {
	var file bytes.Buffer
	w, err := capture.NewWriter(&file, capture.Options{})
	must(t, err)
	id, err := w.Interface("wire", "")
	must(t, err)
	for _, data := range [][]byte{nil, {0x55}, make([]byte, 200_000)} {
		must(t, w.Packet(id, start, packet.Of(data), capture.MAC{}, capture.MAC{}, ""))
	}
	must(t, w.Close())
	for i, b := range readBlocks(t, file.Bytes())[2:] {
		if kind := binary.BigEndian.Uint16(b.body[20+12:]); kind != 0x88b5 {
			t.Errorf("packet %d: ethertype %#x", i, kind)
		}
	}
}

func TestWriterTexts(t *testing.T) {
	var file bytes.Buffer
	w, err := capture.NewWriter(&file, capture.Options{Comment: "a\xffb"})
	must(t, err)
	id, err := w.Interface(strings.Repeat("n", 70_000), "\xc3")
	must(t, err)
	long := strings.Repeat("x", 65531) + "ü" // would be cut in the middle
	must(t, w.Packet(id, start, packet.Of(nil), capture.MAC{}, capture.MAC{}, long))
	must(t, w.Packet(id, start, packet.Of(nil), capture.MAC{}, capture.MAC{}, strings.Repeat("\x80", 70_000)))
	must(t, w.Close())
	blocks := readBlocks(t, file.Bytes())
	if got := blocks[0].get(t, 1); got != "a?b" {
		t.Errorf("comment %q", got)
	}
	if name := blocks[1].get(t, 2); len(name) != 65532 || blocks[1].get(t, 3) != "?" {
		t.Errorf("name of %d octets, description %q", len(name), blocks[1].get(t, 3))
	}
	if got := blocks[2].get(t, 1); got != long[:65531] {
		t.Errorf("comment of %d octets", len(got))
	}
	if got := blocks[3].get(t, 1); got != "?" {
		t.Errorf("comment of %d octets", len(got))
	}
}

// failing takes so many writes.
type failing struct{ left int }

var errFull = errors.New("no space left")

func (f *failing) Write(b []byte) (int, error) {
	if f.left--; f.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriterErrorsStay(t *testing.T) {
	if _, err := capture.NewWriter(&failing{}, capture.Options{}); !errors.Is(err, errFull) {
		t.Errorf("NewWriter: %v", err)
	}
	out := &failing{left: 1}
	w, err := capture.NewWriter(out, capture.Options{})
	must(t, err)
	id, err := w.Interface("wire", "")
	must(t, err)
	var first int
	for i := range 200 {
		if err := w.Packet(id, start, packet.New(1000), capture.MAC{}, capture.MAC{}, ""); err != nil && first == 0 {
			first = i
		} else if (err != nil) != (first > 0) {
			t.Fatalf("packet %d: %v", i, err)
		}
	}
	if first == 0 || out.left != -1 {
		t.Errorf("the error showed at packet %d, after %d writes too many", first, -out.left)
	}
	if _, err := w.Interface("later", ""); !errors.Is(err, errFull) {
		t.Errorf("Interface: %v", err)
	}
	if err := w.Close(); !errors.Is(err, errFull) {
		t.Errorf("Close: %v", err)
	}
	last, err := capture.NewWriter(&failing{left: 1}, capture.Options{})
	must(t, err)
	_, err = last.Interface("wire", "")
	must(t, err)
	if err := last.Close(); !errors.Is(err, errFull) {
		t.Errorf("Close: %v", err)
	}
}

func TestWriterRefuses(t *testing.T) {
	for name, call := range map[string]func(w *capture.Writer) error{
		"an interface that is not declared": func(w *capture.Writer) error {
			return w.Packet(1, start, packet.New(20), capture.MAC{}, capture.MAC{}, "")
		},
		"a negative interface": func(w *capture.Writer) error {
			return w.Packet(-1, start, packet.New(20), capture.MAC{}, capture.MAC{}, "")
		},
		"a time before 1970": func(w *capture.Writer) error {
			return w.Packet(0, time.Unix(-1, 0), packet.New(20), capture.MAC{}, capture.MAC{}, "")
		},
		"the zero time": func(w *capture.Writer) error {
			return w.Packet(0, time.Time{}, packet.New(20), capture.MAC{}, capture.MAC{}, "")
		},
		"a time after 2262": func(w *capture.Writer) error {
			return w.Packet(0, time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC), packet.New(20), capture.MAC{}, capture.MAC{}, "")
		},
	} {
		w, err := capture.NewWriter(io.Discard, capture.Options{})
		must(t, err)
		_, err = w.Interface("wire", "")
		must(t, err)
		refused := call(w)
		if closed := w.Close(); refused == nil || !errors.Is(closed, refused) {
			t.Errorf("%s: %v, and Close %v", name, refused, closed)
		}
	}
}

func TestWriterIsClosedOnce(t *testing.T) {
	w, err := capture.NewWriter(io.Discard, capture.Options{})
	must(t, err)
	must(t, w.Close())
	if err := w.Close(); !errors.Is(err, capture.ErrClosed) {
		t.Errorf("Close: %v", err)
	}
	if err := w.Packet(0, start, packet.New(20), capture.MAC{}, capture.MAC{}, ""); !errors.Is(err, capture.ErrClosed) {
		t.Errorf("Packet: %v", err)
	}
}

func TestWriterFromManyGoroutines(t *testing.T) {
	var file bytes.Buffer
	w, err := capture.NewWriter(&file, capture.Options{})
	must(t, err)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			id, err := w.Interface("wire", "")
			if err != nil {
				t.Error(err)
			}
			for range 200 {
				if err := w.Packet(id, start, packet.New(300), capture.MAC{}, capture.MAC{}, "note"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	must(t, w.Close())
	if blocks := readBlocks(t, file.Bytes()); len(blocks) != 1+4+800 {
		t.Errorf("%d blocks", len(blocks))
	}
}

func BenchmarkPacket(b *testing.B) {
	for name, comment := range map[string]string{"plain": "", "comment": "source 192.168.1.2:50001 became 203.0.113.5:40000"} {
		b.Run(name, func(b *testing.B) {
			w, err := capture.NewWriter(io.Discard, capture.Options{})
			if err != nil {
				b.Fatal(err)
			}
			id, err := w.Interface("wire", "")
			if err != nil {
				b.Fatal(err)
			}
			p := packet.New(1500)
			p.Data[0] = 0x45
			from, to := capture.MACOf("client"), capture.MACOf("server")
			b.ReportAllocs()
			for b.Loop() {
				if err := w.Packet(id, start, p, from, to, comment); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
