// Command bench measures the simulated network: what a packet, a connection and
// a simulated hour cost, and how a TCP connection through our NAT compares with
// one through the kernel's. It is "make bench-netsim".
//
// All is measured in rounds, one after the other in each, so that a machine
// that is busy for a while slows all of it down; medians are printed. A target
// that is missed is marked and nothing more: speed is measured, not asserted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:forbidigo // this is main, and what has been made is gone by now
	}
}

// run measures and prints.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	rounds := flags.Int("rounds", 5, "how often everything is measured")
	mb := flags.Int("mb", 256, "MiB that a connection carries in real time")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *rounds < 1 || *mb < 1 {
		return errors.New("-rounds and -mb must be at least 1")
	}
	lab, missing := newKernelLab(ctx)
	if lab != nil {
		defer lab.close()
	}
	parts := []part{stepPart(), flowPart(lab, *mb<<20), virtualPart(), waitPart(), memoryPart()}
	if err := measure(ctx, parts, *rounds); err != nil {
		return err
	}
	return show(out, parts, fmt.Sprintf("%s/%s, %d CPUs, %s; medians of %d interleaved rounds, %d MiB a connection in real time",
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), *rounds, *mb), missing)
}

// measure runs all parts in rounds.
func measure(ctx context.Context, parts []part, rounds int) error {
	for range rounds {
		for i := range parts {
			runtime.GC() // nobody pays for the garbage of another
			values, err := parts[i].run(ctx)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", parts[i].name, err)
			}
			parts[i].add(values)
		}
	}
	return nil
}
