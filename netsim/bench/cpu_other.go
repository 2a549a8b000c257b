//go:build !unix

package main

import "math"

// cpuTime cannot be told here.
func cpuTime() float64 { return math.NaN() }
