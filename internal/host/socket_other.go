//go:build !unix

package host

import (
	"errors"
	"net"
	"syscall"
)

// reuseAddress does nothing here: Windows gives SO_REUSEADDR another meaning.
func reuseAddress(_, _ string, _ syscall.RawConn) error { return nil }

// InlineUrgent is not supported on this system.
func InlineUrgent(net.Conn) error { return errors.ErrUnsupported }

// SendUrgent is not supported on this system.
func SendUrgent(net.Conn, []byte) error { return errors.ErrUnsupported }
