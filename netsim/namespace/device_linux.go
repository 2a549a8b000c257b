package namespace

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/ftpconform/ftpconform/netsim/packet"
)

// Device is a TUN device as a node of the simulated network: what is put into
// it arrives in the namespace, and what the namespace sends goes to where
// Attach says. It may be used from several goroutines.
type Device struct {
	file   *os.File
	mtu    int
	refuse bool

	mu  sync.RWMutex // held for reading while a packet is handed over
	out packet.Sink

	drops atomic.Int64
	ended chan struct{}
}

// newDevice takes a descriptor over.
func newDevice(fd int, l Link) (*Device, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("device %s: %w", l.Name, err)
	}
	d := &Device{file: os.NewFile(uintptr(fd), l.Name), mtu: l.MTU, refuse: l.Refuse, ended: make(chan struct{})}
	go d.read()
	return d, nil
}

// Attach says where the packets of the namespace go; nil lets them vanish.
// When it returns, nothing is handed to the former one any more.
func (d *Device) Attach(out packet.Sink) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.out = out
}

// Input implements packet.Sink: a packet arrives in the namespace.
func (d *Device) Input(p *packet.Packet) {
	if _, err := d.file.Write(p.Data); err != nil {
		d.drops.Add(1) // it is gone, or the kernel does not take the packet for one
	}
	p.Release()
}

// Drops counts the packets that the kernel did not take.
func (d *Device) Drops() int { return int(d.drops.Load()) }

// read hands over what the namespace sends, until the device is closed.
func (d *Device) read() {
	defer close(d.ended)
	for {
		p := packet.New(d.mtu)
		n, err := d.file.Read(p.Data)
		switch {
		case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EIO): // a packet that does not fit, a link that is down
			continue
		case err != nil:
			return
		}
		p.Data = p.Data[:n]
		if d.private(p) || d.refuse && d.refused(p) {
			continue
		}
		d.mu.RLock()
		if d.out != nil {
			d.out.Input(p)
		} else {
			p.Release()
		}
		d.mu.RUnlock()
	}
}

// private drops what the kernel says to its neighbours: the announcements by
// which IPv6 finds them, and no neighbour is looked for on a TUN device.
func (d *Device) private(p *packet.Packet) bool {
	v, err := p.Parse()
	if err == nil && !v.Dst.Addr().IsMulticast() {
		return false
	}
	p.Release()
	return true
}

// refused answers what is neither TCP nor ICMP, and reports whether the packet
// is done with.
func (d *Device) refused(p *packet.Packet) bool {
	v, err := p.Parse()
	if err != nil || v.Proto == packet.ProtoTCP || v.Proto == packet.ProtoICMP || v.Proto == packet.ProtoICMPv6 {
		return false
	}
	if e := packet.ICMPError(v.Dst.Addr(), p, &v, packet.PortUnreachable, 0); e != nil {
		d.Input(e)
	}
	p.Release()
	return true
}

// close ends the device, and waits for its goroutine.
func (d *Device) close() {
	d.Attach(nil)
	_ = d.file.Close() // the device vanishes with it
	<-d.ended
}
