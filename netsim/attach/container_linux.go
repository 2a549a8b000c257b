package attach

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// lookAfter notices the end of a container's first process, of which it gets a
// descriptor.
func (s *Server) lookAfter(pidfd int) {
	f := os.NewFile(uintptr(pidfd), "container")
	raw, err := f.SyscallConn()
	if err != nil {
		_ = f.Close()
		s.gone("cannot be looked after: " + err.Error())
		return
	}
	var closing sync.Once
	s.watch = func() { closing.Do(func() { _ = f.Close() }) }
	go func() {
		// A descriptor of a process can be read from when it has ended.
		err := raw.Read(func(fd uintptr) bool {
			fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			n, err := unix.Poll(fds, 0)
			return err != nil || n > 0
		})
		s.watch()
		if err != nil {
			s.gone("is not attached any more")
			return
		}
		s.gone("ended, and its container with it")
	}()
}
