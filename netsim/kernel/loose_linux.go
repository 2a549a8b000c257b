package kernel

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ftpconform/ftpconform/netsim/namespace"
)

// looseParameter is the parameter of the helper that lets it take addresses of
// others. It is one for the whole machine.
const looseParameter = "/sys/module/nf_conntrack_ftp/parameters/loose"

// looseness keeps the parameter as it has to be, and puts it back. nil does
// nothing.
type looseness struct {
	file   *os.File // locked, so that others wait who want it otherwise
	before string   // empty where nothing was changed
}

// setLoose sees to it that the parameter is as wanted. A gateway that wants it
// as it is shares it with others like that.
func setLoose(want bool) (*looseness, error) {
	f, err := os.OpenFile(looseParameter, os.O_RDWR, 0)
	if err != nil {
		if want {
			return nil, &namespace.MissingError{What: "the kernel's helper cannot be made loose", Err: err,
				Hint: "run as root, with nf_conntrack_ftp loaded (modprobe nf_conntrack_ftp)"}
		}
		return nil, nil //nolint:nilnil // without rights to look it is as it is, and not loose by default
	}
	l := &looseness{file: f}
	if err := l.set(want); err != nil {
		l.restore()
		return nil, fmt.Errorf("set %s: %w", looseParameter, err)
	}
	return l, nil
}

func (l *looseness) set(want bool) error {
	fd := int(l.file.Fd())
	for {
		if err := ignoringEINTR(func() error { return unix.Flock(fd, unix.LOCK_SH) }); err != nil {
			return err
		}
		now, err := l.read()
		if err != nil || now == want {
			return err
		}
		// Whoever changes it waits until nobody needs it as it is.
		if err := ignoringEINTR(func() error { return unix.Flock(fd, unix.LOCK_EX) }); err != nil {
			return err
		}
		if now, err = l.read(); err != nil {
			return err
		}
		if now != want {
			l.before = letter(now)
			_, err = l.file.WriteAt([]byte(letter(want)), 0)
			return err
		}
	}
}

func (l *looseness) read() (bool, error) {
	b := make([]byte, 8)
	n, err := l.file.ReadAt(b, 0)
	if n == 0 {
		return false, errors.Join(errors.New("it cannot be read"), err)
	}
	return strings.TrimSpace(string(b[:n])) == letter(true), nil
}

func letter(on bool) string {
	if on {
		return "Y"
	}
	return "N"
}

func ignoringEINTR(f func() error) error {
	for {
		if err := f(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// restore puts the parameter back and lets others have it.
func (l *looseness) restore() {
	if l == nil || l.file == nil {
		return
	}
	if l.before != "" {
		_, _ = l.file.WriteAt([]byte(l.before), 0) // it could be written before
	}
	_ = l.file.Close() // which gives the lock up
	l.file = nil
}
