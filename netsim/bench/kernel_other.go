//go:build !linux

package main

import (
	"context"
	"errors"
	"time"
)

// kernelLab does not exist on this system.
type kernelLab struct{}

func newKernelLab(context.Context) (*kernelLab, error) {
	return nil, errors.New("it takes the network namespaces of Linux")
}

func (*kernelLab) setChecksums(context.Context, bool) error { return nil }

func (*kernelLab) flow(context.Context, int) (time.Duration, error) { return 0, nil }

func (*kernelLab) close() {}
