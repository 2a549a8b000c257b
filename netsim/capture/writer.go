package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// Options of a Writer; the zero value works.
type Options struct {
	// Hardware, Application and Comment describe the file; Application is
	// "ftpconform" when empty.
	Hardware, Application, Comment string
	// Snap is how many octets of a packet are kept, its Ethernet header of 14
	// octets included; 0 means all.
	Snap int
}

// ErrClosed says that a Writer has been closed.
var ErrClosed = errors.New("capture: the writer is closed")

// Writer writes a capture file. After the first error, which every method and
// at last Close returns, it writes nothing more.
type Writer struct {
	mu         sync.Mutex
	out        io.Writer
	buf        []byte
	snap       int
	interfaces int
	err        error
}

// gathered is how many octets a Writer gathers before it writes them.
const gathered = 64 << 10

// NewWriter begins a file with its header, and writes that at once, so that an
// output which takes nothing is found out early.
func NewWriter(out io.Writer, o Options) (*Writer, error) {
	if o.Snap < 0 {
		return nil, fmt.Errorf("capture: %d octets of a packet cannot be kept", o.Snap)
	}
	if o.Application == "" {
		o.Application = "ftpconform"
	}
	b := open(make([]byte, 0, gathered+4096), blockSection)
	b = append32(b, byteOrderMagic)
	b = append16(append16(b, 1), 0)                   // version 1.0
	b = append32(append32(b, ^uint32(0)), ^uint32(0)) // a length that is not known
	b = option(b, optComment, text(o.Comment))
	b = option(b, optHardware, text(o.Hardware))
	b = option(b, optApplication, text(o.Application))
	w := &Writer{out: out, snap: o.Snap, buf: shut(end(b), 0)}
	if w.flush(); w.err != nil {
		return nil, w.err
	}
	return w, nil
}

// Interface implements Recorder. The times of its packets are in nanoseconds.
func (w *Writer) Interface(name, description string) (id int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0, w.err
	}
	at := len(w.buf)
	b := open(w.buf, blockInterface)
	b = append16(append16(b, linkEthernet), 0)
	b = append32(b, uint32(w.snap))
	b = option(b, optName, text(name))
	b = option(b, optDescription, text(description))
	b = option(b, optResolution, "\x09")
	w.buf = shut(end(b), at)
	w.interfaces++
	return w.interfaces - 1, nil
}

// Packet implements Recorder. The time must be one that counts in nanoseconds
// since 1970, up to 2262.
func (w *Writer) Packet(id int, at time.Time, p *packet.Packet, from, to MAC, comment string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	since := at.UnixNano()
	switch {
	case w.err != nil:
		return w.err
	case id < 0 || id >= w.interfaces:
		return w.fail(fmt.Errorf("capture: packet of interface %d, and %d are declared", id, w.interfaces))
	case since < 0 || !at.Equal(time.Unix(0, since)):
		return w.fail(fmt.Errorf("capture: packet of %v, which a file cannot say", at))
	}
	if comment != "" {
		comment = text(comment)
	}
	whole := ethernetLen + len(p.Data)
	kept := whole
	if w.snap > 0 {
		kept = min(whole, w.snap)
	}
	start := len(w.buf)
	b := open(w.buf, blockPacket)
	var fields [20]byte
	binary.LittleEndian.PutUint32(fields[0:], uint32(id))
	binary.LittleEndian.PutUint32(fields[4:], uint32(since>>32))
	binary.LittleEndian.PutUint32(fields[8:], uint32(since))
	binary.LittleEndian.PutUint32(fields[12:], uint32(kept))
	binary.LittleEndian.PutUint32(fields[16:], uint32(whole))
	b = append(b, fields[:]...)
	header := ethernet(p.Data, from, to)
	b = append(b, header[:min(kept, ethernetLen)]...)
	b = append(b, p.Data[:max(kept-ethernetLen, 0)]...)
	b = pad(b, kept)
	if comment != "" {
		b = end(option(b, optComment, comment))
	}
	if w.buf = shut(b, start); len(w.buf) >= gathered {
		w.flush()
	}
	return w.err
}

// Close writes what has been gathered, and returns the first error that there
// was; ErrClosed the second time. It leaves the output open.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	w.flush()
	err := w.err
	if err == nil {
		w.err = ErrClosed
	}
	return err
}

// flush writes the buffer out; the mutex is held.
func (w *Writer) flush() {
	if w.err == nil && len(w.buf) > 0 {
		if _, err := w.out.Write(w.buf); err != nil {
			w.err = fmt.Errorf("capture: write %d octets: %w", len(w.buf), err)
		}
	}
	w.buf = w.buf[:0]
}

func (w *Writer) fail(err error) error {
	w.err = err
	return err
}
