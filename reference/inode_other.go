//go:build !unix

package reference

// inode has no portable source on this system.
func inode(any) (string, bool) { return "", false }
