package host

import (
	"net"
	"net/netip"
	"os"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// errnos are the operating system's names for what the stack says.
var errnos = map[string]syscall.Errno{
	(&tcpip.ErrConnectionRefused{}).String():         syscall.ECONNREFUSED,
	(&tcpip.ErrConnectionReset{}).String():           syscall.ECONNRESET,
	(&tcpip.ErrConnectionAborted{}).String():         syscall.ECONNABORTED,
	(&tcpip.ErrHostUnreachable{}).String():           syscall.EHOSTUNREACH,
	(&tcpip.ErrHostDown{}).String():                  syscall.EHOSTUNREACH,
	(&tcpip.ErrNetworkUnreachable{}).String():        syscall.ENETUNREACH,
	(&tcpip.ErrTimeout{}).String():                   syscall.ETIMEDOUT,
	(&tcpip.ErrPortInUse{}).String():                 syscall.EADDRINUSE,
	(&tcpip.ErrBadLocalAddress{}).String():           syscall.EADDRNOTAVAIL,
	(&tcpip.ErrNoPortAvailable{}).String():           syscall.EADDRNOTAVAIL,
	(&tcpip.ErrClosedForSend{}).String():             syscall.EPIPE,
	(&tcpip.ErrNotConnected{}).String():              syscall.ENOTCONN,
	(&tcpip.ErrAddressFamilyNotSupported{}).String(): syscall.EAFNOSUPPORT,
	(&tcpip.ErrNoBufferSpace{}).String():             syscall.ENOBUFS,
}

// opError is the *net.OpError of an operation that the stack refused. call is
// the system call that would have failed.
func opError(op, call string, source, addr netip.AddrPort, err tcpip.Error) error {
	e := &net.OpError{Op: op, Net: "tcp", Source: tcpAddr(source), Addr: tcpAddr(addr)}
	if errno, ok := errnos[err.String()]; ok {
		e.Err = os.NewSyscallError(call, errno)
		return e
	}
	e.Err = os.NewSyscallError(call, stackError(err.String()))
	return e
}

// stackError is an error of the stack that has no name elsewhere.
type stackError string

func (e stackError) Error() string { return string(e) }

// tcpAddr returns nil, and not a nil pointer, for the zero value.
func tcpAddr(ap netip.AddrPort) net.Addr {
	if !ap.IsValid() {
		return nil
	}
	return net.TCPAddrFromAddrPort(ap)
}
