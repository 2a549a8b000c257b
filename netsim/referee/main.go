// Command referee holds the simulated gateway with the helper "linux" against
// Linux itself. It replays the dialogues that were recorded through the kernel
// (docs/referee.md), and, where the kernel is at hand, feeds the same dialogues
// and the same segments, made up by rule and by chance, to both and compares
// what comes out: every octet and number, what is dropped, what is expected, and
// who gets through.
//
// With -vectors it replays another file of the form of
// testdata/kernel-vectors.json and nothing else.
package main

import (
	"context"
	_ "embed" // the recordings
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"

	"github.com/ftpconform/ftpconform/netsim/alg"
	"github.com/ftpconform/ftpconform/netsim/kernel"
	"github.com/ftpconform/ftpconform/netsim/namespace"
)

//go:embed testdata/kernel-vectors.json
var recorded []byte

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, errDiffer):
		os.Exit(1) //nolint:forbidigo // this is main
	case err != nil:
		fmt.Fprintln(os.Stderr, "referee:", err)
		os.Exit(2) //nolint:forbidigo // this is main
	}
}

// errDiffer says that something differs; what it is has been told.
var errDiffer = errors.New("the profile linux and Linux differ")

func run(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("referee", flag.ContinueOnError)
	vectors := f.String("vectors", "", "replay this `FILE` of recorded dialogues, and nothing else")
	count := f.Int("cases", 5000, "make `N` scripts by chance, besides those by rule")
	seed := f.Uint64("seed", 0, "`N` decides about the scripts; 0 chooses one")
	if err := f.Parse(args); err != nil {
		return err
	}
	switch {
	case f.NArg() > 0:
		return fmt.Errorf("there is %q after the flags; the name of a file goes behind -vectors", f.Arg(0))
	case *count < 0:
		return fmt.Errorf("-cases is %d; it must be 0 or more", *count)
	}
	if *vectors != "" {
		text, err := os.ReadFile(*vectors)
		if err != nil {
			return fmt.Errorf("read the vectors: %w", err)
		}
		return replayAll(ctx, *vectors, text, out)
	}
	if *seed == 0 {
		*seed = rand.Uint64N(1 << 32)
	}
	return errors.Join(replayAll(ctx, "the recorded dialogues", recorded, out), fightAll(ctx, *seed, *count, out))
}

// replayAll replays a file of vectors.
func replayAll(ctx context.Context, name string, text []byte, out io.Writer) error {
	all, err := readVectors(name, text)
	if err != nil {
		return err
	}
	agree, err := judgeAll(ctx, all, alg.Faults{}, out)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d of %d agree\n", agree, len(all))
	if agree < len(all) {
		return errDiffer
	}
	return nil
}

// judgeAll judges vectors with a helper that may be at fault, and tells what
// differs. It returns how many agree.
func judgeAll(ctx context.Context, all []vector, f alg.Faults, out io.Writer) (agree int, err error) {
	for i := range all {
		v := &all[i]
		j := v.judge(ctx, f)
		if ctx.Err() != nil {
			return agree, context.Cause(ctx)
		}
		if len(j.differences) == 0 {
			agree++
			continue
		}
		fmt.Fprintf(out, "%s: %s, read in %d ways\n", v.ID, v.Title, j.readings)
		for _, d := range j.differences {
			fmt.Fprintf(out, "   %s\n", d)
		}
	}
	return agree, nil
}

// fightAll compares scripts on both gateways.
func fightAll(ctx context.Context, seed uint64, count int, out io.Writer) error {
	var missing *namespace.MissingError
	if err := kernel.Available(ctx); errors.As(err, &missing) {
		fmt.Fprintf(out, "the kernel is not at hand, so the recordings have to do: %v\n", err)
		return nil
	} else if err != nil {
		return err
	}
	d, err := newDuel(alg.Faults{})
	if err != nil {
		return err
	}
	defer d.close() // nothing can be done about it any more
	all := cases(d.nets)
	byRule := len(all)
	for i := range count {
		all = append(all, generate(d.nets, seed, i))
	}
	agree, err := d.compareAll(ctx, all, out)
	if err != nil {
		return err
	}
	text, err := d.clashes(ctx, find(d.nets, "classic"))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s%d of %d scripts agree with Linux %s, %d by rule and %d by chance (-seed %d)\n", text, agree, len(all), kernel.Version(), byRule, count, seed)
	if agree < len(all) || text != "" {
		return errDiffer
	}
	return nil
}
