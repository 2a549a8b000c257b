package capture

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// Record is a packet in a Ring.
type Record struct {
	Interface int
	Name      string // of the interface
	At        time.Time
	Data      []byte // from the IP header on
	From, To  MAC
	Comment   string
}

// Ring keeps the last packets that it has seen.
type Ring struct {
	start time.Time

	mu         sync.Mutex
	interfaces [][2]string // name and description
	records    []Record    // records[next] is the oldest when the ring is full
	next       int
	seen       int
}

// NewRing makes a ring for n packets, at least one. Its text counts times from
// start on.
func NewRing(n int, start time.Time) *Ring {
	return &Ring{start: start, records: make([]Record, 0, max(n, 1))}
}

// Interface implements Recorder; it never fails.
func (r *Ring) Interface(name, description string) (id int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.interfaces = append(r.interfaces, [2]string{name, description})
	return len(r.interfaces) - 1, nil
}

// Packet implements Recorder; it fails for an interface that is not declared.
func (r *Ring) Packet(id int, at time.Time, p *packet.Packet, from, to MAC, comment string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id < 0 || id >= len(r.interfaces) {
		return fmt.Errorf("capture: packet of interface %d, and %d are declared", id, len(r.interfaces))
	}
	if r.next == len(r.records) {
		r.records = append(r.records, Record{})
	}
	slot := &r.records[r.next]
	*slot = Record{Interface: id, Name: r.interfaces[id][0], At: at, Data: append(slot.Data[:0], p.Data...),
		From: from, To: to, Comment: comment}
	r.next = (r.next + 1) % cap(r.records)
	r.seen++
	return nil
}

// Records returns copies of the packets, the oldest first.
func (r *Ring) Records() []Record {
	records, _ := r.copied()
	return records
}

// copied returns also how many packets there were before the oldest.
func (r *Ring) copied() (records []Record, before int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	records = append(records, r.records[r.next:]...)
	records = append(records, r.records[:r.next]...)
	for i := range records {
		records[i].Data = bytes.Clone(records[i].Data)
	}
	return records, r.seen - len(records)
}

// String prints a line for every packet, the oldest first: the seconds since
// the start, the interface, the packet and the comment.
func (r *Ring) String() string {
	records, before := r.copied()
	var b strings.Builder
	if before > 0 {
		fmt.Fprintf(&b, "%d packets before\n", before)
	}
	for _, record := range records {
		p := packet.Packet{Data: record.Data}
		fmt.Fprintf(&b, "%12.6f %s: %v", record.At.Sub(r.start).Seconds(), record.Name, &p)
		if record.Comment != "" {
			fmt.Fprintf(&b, " (%s)", record.Comment)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Dump writes the packets as a capture file.
func (r *Ring) Dump(out io.Writer, o Options) error {
	w, err := NewWriter(out, o)
	if err != nil {
		return err
	}
	r.mu.Lock()
	interfaces := r.interfaces[:len(r.interfaces):len(r.interfaces)]
	r.mu.Unlock()
	for _, i := range interfaces {
		_, _ = w.Interface(i[0], i[1]) // Close tells errors
	}
	for _, record := range r.Records() {
		_ = w.Packet(record.Interface, record.At, &packet.Packet{Data: record.Data}, record.From, record.To, record.Comment)
	}
	return w.Close()
}
