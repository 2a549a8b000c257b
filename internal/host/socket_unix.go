//go:build unix

package host

import (
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

func reuseAddress(_, _ string, c syscall.RawConn) error {
	return control(c, func(fd int) error {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	})
}

// InlineUrgent keeps urgent data of a TCP connection in its place in the
// stream, so that the octets of a Telnet Synch are read in order.
func InlineUrgent(conn net.Conn) error {
	if _, ok := conn.(urgent); ok {
		return nil
	}
	return controlConn(conn, func(fd int) error {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_OOBINLINE, 1)
	})
}

// SendUrgent sends p as TCP urgent data; the urgent pointer is at its last
// octet.
func SendUrgent(conn net.Conn, p []byte) error {
	if u, ok := conn.(urgent); ok {
		return u.WriteUrgent(p)
	}
	return controlConn(conn, func(fd int) error { return unix.Sendto(fd, p, unix.MSG_OOB, nil) })
}

func controlConn(conn net.Conn, f func(fd int) error) error {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return errors.ErrUnsupported
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return err
	}
	return control(rc, f)
}

func control(c syscall.RawConn, f func(fd int) error) error {
	var err error
	if cerr := c.Control(func(fd uintptr) { err = f(int(fd)) }); cerr != nil {
		return cerr
	}
	return err
}
