//go:build unix

package main

import (
	"math"
	"syscall"
)

// cpuTime is the CPU time of the process in seconds, that of the kernel for it
// included; NaN if it cannot be told.
func cpuTime() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return math.NaN()
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
