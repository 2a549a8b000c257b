package suites

import "time"

// Bounds are the limits of every wait of a run. Each is named after its entry
// in the catalogue, which says what it is for.
type Bounds struct {
	Quiet    time.Duration // nothing must happen for so long
	Close    time.Duration // a close must be visible
	Reply    time.Duration // final reply to a command without transfer
	Abort    time.Duration // both replies of an abort
	Greet    time.Duration // greeting
	Dial     time.Duration // data connection set-up
	Login    time.Duration // login with deliberate delays
	Transfer time.Duration // small transfers
	Stall    time.Duration // a data connection that never comes
	Idle     time.Duration // idle timeout
}

// DefaultBounds are the bounds of the catalogue, for a server about which
// nothing is known.
func DefaultBounds() Bounds {
	of := func(name string) time.Duration {
		return time.Duration(LoadCatalogue().Bounds[name].Seconds) * time.Second
	}
	return Bounds{Quiet: of("quiet"), Close: of("close"), Reply: of("reply"), Abort: of("abort"), Greet: of("greet"),
		Dial: of("dial"), Login: of("login"), Transfer: of("transfer"), Stall: of("stall"), Idle: of("idle")}
}

// embeddedBounds fit the reference server in the same process: it reacts
// within milliseconds, so silence shows soon. The other bounds are reached
// only when something is wrong.
func embeddedBounds() Bounds {
	return Bounds{Quiet: 400 * time.Millisecond, Close: 2 * time.Second, Reply: 5 * time.Second, Abort: 5 * time.Second,
		Greet: 5 * time.Second, Dial: 5 * time.Second, Login: 10 * time.Second, Transfer: 15 * time.Second,
		Stall: 10 * time.Second, Idle: 30 * time.Second}
}

// Scale multiplies all bounds, for slow links and busy machines.
func (b Bounds) Scale(f float64) Bounds {
	if f == 0 || f == 1 {
		return b
	}
	s := func(d time.Duration) time.Duration { return time.Duration(float64(d) * f) }
	return Bounds{Quiet: s(b.Quiet), Close: s(b.Close), Reply: s(b.Reply), Abort: s(b.Abort), Greet: s(b.Greet),
		Dial: s(b.Dial), Login: s(b.Login), Transfer: s(b.Transfer), Stall: s(b.Stall), Idle: s(b.Idle)}
}
