package capture_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/ftpconform/ftpconform/netsim/capture"
)

func TestMACOf(t *testing.T) {
	if got := capture.MACOf("client").String(); got != "02:00:8f:92:9c:1e" {
		t.Errorf("client has %s", got)
	}
	if capture.MACOf("client") == capture.MACOf("server") {
		t.Error("two nodes have one address")
	}
}

func TestTap(t *testing.T) {
	var file bytes.Buffer
	w, err := capture.NewWriter(&file, capture.Options{})
	must(t, err)
	_, err = w.Interface("another", "")
	must(t, err)
	r := capture.NewRing(10, start)
	tap, err := capture.NewTap("wire", "client to router", [2]string{"client", "router"}, w, r)
	must(t, err)
	for i, tc := range []struct{ note, comment, want string }{
		{"", "", ""}, {"translated", "", "translated"}, {"", "lost", "lost"}, {"translated", "lost", "translated; lost"},
	} {
		p := numbered(i)
		p.Note = tc.note
		tap.See(i%2, start, p, tc.comment)
		got := r.Records()[i]
		from, to := capture.MACOf("client"), capture.MACOf("router")
		if i%2 == 1 {
			from, to = to, from
		}
		if got.Comment != tc.want || got.From != from || got.To != to || got.Interface != 0 {
			t.Errorf("%q and %q: %+v", tc.note, tc.comment, got)
		}
	}
	must(t, w.Close())
	blocks := readBlocks(t, file.Bytes())
	if len(blocks) != 7 || le32(blocks[6].body) != 1 || blocks[6].get(t, 1) != "translated; lost" {
		t.Errorf("%d blocks, the last %v", len(blocks), blocks[len(blocks)-1].options)
	}
}

func TestTapErrors(t *testing.T) {
	w, err := capture.NewWriter(io.Discard, capture.Options{})
	must(t, err)
	tap, err := capture.NewTap("wire", "", [2]string{"a", "b"}, w)
	must(t, err)
	must(t, w.Close())
	tap.See(0, start, numbered(1), "") // too late, and no harm
	if _, err := capture.NewTap("wire", "", [2]string{"a", "b"}, w); err == nil {
		t.Error("a tap at a closed writer")
	}
}
