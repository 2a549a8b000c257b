package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ftpconform/ftpconform/netsim/alg"
)

// duel is both kinds of gateways of all nets.
type duel struct {
	nets   []net
	ours   map[string]arbiter
	theirs map[string]arbiter
	ports  uint16
}

// newDuel makes our gateways, whose helper may be at fault; those of the kernel
// are made when they are needed.
func newDuel(f alg.Faults) (*duel, error) {
	d := &duel{nets: nets(), ours: map[string]arbiter{}, theirs: map[string]arbiter{}}
	for i := range d.nets {
		n := &d.nets[i]
		a, err := newSimulated(n, f)
		if err != nil {
			return nil, errors.Join(err, d.close())
		}
		d.ours[n.name] = a
	}
	return d, nil
}

// kernel makes the kernel's gateway of a net when it is needed: of those whose
// helper is loose there is none beside others.
func (d *duel) kernel(ctx context.Context, n *net) (arbiter, error) {
	if a := d.theirs[n.name]; a != nil {
		return a, nil
	}
	for name, a := range d.theirs {
		if find(d.nets, name).loose != n.loose {
			if err := a.close(); err != nil {
				return nil, err
			}
			delete(d.theirs, name)
		}
	}
	a, err := newLinux(ctx, n)
	if err != nil {
		return nil, err
	}
	d.theirs[n.name] = a
	return a, nil
}

func (d *duel) close() error {
	var errs []error
	for _, a := range d.theirs {
		errs = append(errs, a.close())
	}
	return errors.Join(errs...)
}

// fight plays a script on both, and returns the steps that differ, each with
// what came before.
func (d *duel) fight(ctx context.Context, s script) (difference string, err error) {
	n := find(d.nets, s.net)
	theirs, err := d.kernel(ctx, n)
	if err != nil {
		return "", err
	}
	d.ports = (d.ports + 1) % 10_000
	port := 30_000 + d.ports
	want, err := play(n, theirs, s, port)
	if err != nil {
		return "", err
	}
	got, err := play(n, d.ours[n.name], s, port)
	if err != nil {
		return "", err
	}
	for i := range s.steps {
		if slices.Equal(got[i].out, want[i].out) && slices.Equal(got[i].expected, want[i].expected) {
			continue
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%s in %s differs at step %d:\n", s.name, s.net, i+1)
		for k := range i + 1 {
			fmt.Fprintf(&b, "   %d %v\n", k+1, s.steps[k])
		}
		fmt.Fprintf(&b, "      here   %q, expected %q\n      kernel %q, expected %q\n", got[i].out, got[i].expected, want[i].out, want[i].expected)
		return b.String(), nil
	}
	return "", nil
}

// compareAll plays scripts on both, in the order of the nets, and tells what
// differs. It returns how many agree.
func (d *duel) compareAll(ctx context.Context, all []script, out io.Writer) (agree int, err error) {
	order := func(s script) int {
		return slices.IndexFunc(d.nets, func(n net) bool { return n.name == s.net })
	}
	slices.SortStableFunc(all, func(a, b script) int { return order(a) - order(b) })
	for _, s := range all {
		if ctx.Err() != nil {
			return agree, context.Cause(ctx)
		}
		text, err := d.fight(ctx, s)
		switch {
		case err != nil:
			return agree, err
		case text == "":
			agree++
		default:
			fmt.Fprint(out, text)
		}
	}
	return agree, nil
}
