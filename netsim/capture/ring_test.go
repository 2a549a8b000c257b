package capture_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/capture"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

var (
	client = netip.MustParseAddrPort("192.168.1.2:50001")
	server = netip.MustParseAddrPort("198.51.100.7:21")
)

// numbered is a SYN that can be told from others.
func numbered(n int) *packet.Packet {
	return packet.TCP(packet.Segment{Src: client, Dst: server, Seq: uint32(n), Flags: packet.SYN})
}

func TestRingKeepsTheLast(t *testing.T) {
	for _, tc := range []struct{ size, packets, kept int }{{3, 0, 0}, {3, 2, 2}, {3, 3, 3}, {3, 4, 3}, {3, 8, 3}, {0, 2, 1}} {
		t.Run(fmt.Sprintf("%d of %d", tc.packets, tc.size), func(t *testing.T) {
			r := capture.NewRing(tc.size, start)
			id, err := r.Interface("wire", "")
			must(t, err)
			for i := range tc.packets {
				must(t, r.Packet(id, start.Add(time.Duration(i)), numbered(i), capture.MACOf("a"), capture.MACOf("b"), fmt.Sprint(i)))
			}
			records := r.Records()
			if len(records) != tc.kept {
				t.Fatalf("%d records, want %d", len(records), tc.kept)
			}
			for i, got := range records {
				n := tc.packets - tc.kept + i
				if !got.At.Equal(start.Add(time.Duration(n))) || got.Comment != fmt.Sprint(n) || got.Name != "wire" ||
					got.From != capture.MACOf("a") || got.To != capture.MACOf("b") || !bytes.Equal(got.Data, numbered(n).Data) {
					t.Errorf("record %d: %+v", i, got)
				}
			}
		})
	}
}

// TestRingRecordsAreCopies: neither the packet nor a later one may change them.
func TestRingRecordsAreCopies(t *testing.T) {
	r := capture.NewRing(1, start)
	id, err := r.Interface("wire", "")
	must(t, err)
	p := numbered(1)
	must(t, r.Packet(id, start, p, capture.MAC{}, capture.MAC{}, ""))
	p.Data[20] ^= 0xff
	records := r.Records()
	must(t, r.Packet(id, start, numbered(2), capture.MAC{}, capture.MAC{}, ""))
	if !bytes.Equal(records[0].Data, numbered(1).Data) {
		t.Error("the record has changed")
	}
}

func TestRingString(t *testing.T) {
	r := capture.NewRing(2, start)
	for i, name := range []string{"client", "server"} {
		id, err := r.Interface(name, "")
		if err != nil || id != i {
			t.Fatalf("interface %d, %v", id, err)
		}
	}
	for i, comment := range []string{"", "", "lost"} {
		must(t, r.Packet(i%2, start.Add(time.Duration(i)*1500*time.Microsecond), numbered(i), capture.MAC{}, capture.MAC{}, comment))
	}
	want := `1 packets before
    0.001500 server: 192.168.1.2:50001 > 198.51.100.7:21 SYN seq 1
    0.003000 client: 192.168.1.2:50001 > 198.51.100.7:21 SYN seq 2 (lost)
`
	if got := r.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if err := r.Packet(2, start, numbered(3), capture.MAC{}, capture.MAC{}, ""); err == nil {
		t.Error("a packet of an interface that is not declared")
	}
}

func TestRingDump(t *testing.T) {
	r := capture.NewRing(2, start)
	for _, name := range []string{"client", "server"} {
		_, err := r.Interface(name, "end of the "+name)
		must(t, err)
	}
	for i := range 3 {
		must(t, r.Packet(i%2, start.Add(time.Duration(i)), numbered(i), capture.MACOf("client"), capture.MACOf("server"), "note"))
	}
	var file bytes.Buffer
	must(t, r.Dump(&file, capture.Options{Comment: "the end"}))
	blocks := readBlocks(t, file.Bytes())
	if len(blocks) != 5 || blocks[0].get(t, 1) != "the end" || blocks[2].get(t, 3) != "end of the server" {
		t.Fatalf("%d blocks, %v", len(blocks), blocks)
	}
	to, from := capture.MACOf("server"), capture.MACOf("client")
	frame := append(append(append([]byte{}, to[:]...), from[:]...), 8, 0)
	checkPacket(t, blocks[3], 1, start.Add(1), append(bytes.Clone(frame), numbered(1).Data...), 54)
	checkPacket(t, blocks[4], 0, start.Add(2), append(bytes.Clone(frame), numbered(2).Data...), 54)
	if err := r.Dump(&failing{}, capture.Options{}); err == nil {
		t.Error("no error of the output")
	}
}
