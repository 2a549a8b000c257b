package host_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/netsim/host"
	"github.com/ftpconform/ftpconform/netsim/packet"
	"github.com/ftpconform/ftpconform/netsim/wire"
)

func TestUrgentData(t *testing.T) {
	p := newPair(t)
	var marked bool
	p.wire.Tap(func(m wire.Moment, from int, _ time.Time, q *packet.Packet) {
		if v, err := q.Parse(); err == nil && m == wire.Sent && from == 0 && v.Flags.Has(packet.URG) {
			marked = true
			if v.Urgent != 4 || v.Len() != 4 || !q.ChecksumOK(&v) {
				t.Errorf("urgent pointer %d in a segment of %d octets", v.Urgent, v.Len())
			}
		}
	})
	p.run(func() {
		done := make(chan struct{})
		p.accept(21, func(c net.Conn) {
			defer close(done)
			k, b := c.(*host.Conn), make([]byte, 64)
			if n, err := io.ReadFull(c, b[:6]); err != nil || string(b[:n]) != "NOOP\r\n" || k.UrgentAhead() != 0 && k.UrgentAhead() != 4 {
				t.Errorf("%q, %v, urgent in %d octets", b[:n], err, k.UrgentAhead())
			}
			n, err := io.ReadFull(c, b[:3])
			if err != nil || k.UrgentAhead() != 1 {
				t.Errorf("%q, %v, urgent in %d octets", b[:n], err, k.UrgentAhead())
			}
			n, err = io.ReadAtLeast(c, b, 7)
			if err != nil || string(b[:n]) != "\xf2ABOR\r\n" || k.UrgentAhead() != 0 {
				t.Errorf("%q, %v, urgent in %d octets", b[:n], err, k.UrgentAhead())
			}
		})
		c, err := p.client.Dial(t.Context(), anywhere, at(serverAddr, 21))
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = c.Write([]byte("NOOP\r\n"))
		if err := c.(*host.Conn).WriteUrgent([]byte("\xff\xf4\xff\xf2")); err != nil {
			t.Error(err)
		}
		_, _ = c.Write([]byte("ABOR\r\n"))
		<-done
		_ = c.Close()
	})
	if !marked {
		t.Error("no segment on the wire is marked urgent")
	}
}
