//go:build unix

package reference

import (
	"fmt"
	"syscall"
)

// inode names a file of the host by device and number.
func inode(sys any) (string, bool) {
	st, ok := sys.(*syscall.Stat_t)
	if !ok {
		return "", false
	}
	return fmt.Sprintf("i%xg%x", st.Dev, st.Ino), true
}
