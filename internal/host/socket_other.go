//go:build !unix

package host

import (
	"errors"
	"net"
	"syscall"
)

// reuseAddress does nothing here: Windows gives SO_REUSEADDR another meaning.
func reuseAddress(_, _ string, _ syscall.RawConn) error { return nil }

// InlineUrgent is not supported on this system, except by simulated hosts.
func InlineUrgent(conn net.Conn) error {
	if _, ok := conn.(urgent); ok {
		return nil
	}
	return errors.ErrUnsupported
}

// SendUrgent is not supported on this system, except by simulated hosts.
func SendUrgent(conn net.Conn, p []byte) error {
	if u, ok := conn.(urgent); ok {
		return u.WriteUrgent(p)
	}
	return errors.ErrUnsupported
}
