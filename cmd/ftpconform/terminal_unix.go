//go:build !windows

package main

import "os"

// obeysEscapes reports whether a terminal obeys escape sequences.
func obeysEscapes(*os.File) bool {
	t := os.Getenv("TERM")
	return t != "" && t != "dumb"
}
