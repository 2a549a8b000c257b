package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// obeysEscapes reports whether a console obeys escape sequences, and asks it
// to: older ones do not unless they are told.
func obeysEscapes(f *os.File) bool {
	if os.Getenv("TERM") == "dumb" {
		return false
	}
	h := windows.Handle(f.Fd())
	var mode uint32
	if windows.GetConsoleMode(h, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
