package reference

import (
	"context"
	"errors"
	"time"

	"github.com/ftpconform/ftpconform/ftp"
)

// run is the goroutine of a transfer. It always delivers a result.
func (t *transfer) run() {
	r := result{t: t, panicked: true}
	defer func() {
		if v := recover(); v != nil {
			t.s.o.Logger.Error("panic", "in", "transfer", "client", t.s.remote, "value", v)
		}
		t.stopTimeout()
		t.cancel(nil)
		t.s.results <- r
	}()
	done := t.carryOut()
	done.t = t
	r = done
}

// carryOut announces, connects, moves and closes, in this order unless the
// options say otherwise.
func (t *transfer) carryOut() result {
	s := t.s
	started := false
	defer func() { t.job.release(started) }()
	switch {
	case t.route.hang:
		t.announce(false)
		<-t.ctx.Done()
		return result{reply: failure(t.ctx, nil)}
	case t.route.void:
		t.announce(false)
		return result{reply: t.success()}
	case s.o.Faults.PASVImpatient && t.route.passive != nil && !t.alreadyConnected():
		t.route.passive.Close()
		return result{reply: t.unreachable(errDataTimeout)}
	}
	first := t.route.passive != nil && s.o.Tolerances.PassiveDialFirst ||
		t.route.remote.IsValid() && s.o.Tolerances.ActiveDialFirst
	if !first {
		t.announce(t.route.reuse != nil)
	}
	d, err := t.connect()
	if err != nil {
		return result{reply: t.unreachable(err)}
	}
	t.connected.Store(true)
	t.stopTimeout()
	if first {
		t.announce(true)
	}
	if t.job.missing {
		return result{reply: reply(550, "No such file."), leak: d}
	}
	started = true
	return t.exchange(d)
}

// announce sends the preliminary reply: 125 over a connection that exists from
// an earlier transfer, else 150 (RFC 959 section 4.2.2).
func (t *transfer) announce(exists bool) {
	f := &t.s.o.Faults
	waiting := exists || t.route.passive != nil && t.route.passive.connected()
	code := 150
	if t.route.reuse != nil || waiting && t.s.o.Tolerances.Answers125 || f.Answers125First && t.route.remote.IsValid() {
		code = 125
	}
	if f.NoPreliminary {
		return
	}
	t.s.reply(code, t.job.text)
	if f.TwoPreliminaries {
		t.s.reply(125, "Data connection open.")
	}
}

// connect returns the data connection. A passive listener is closed with it:
// it has served its transfer.
func (t *transfer) connect() (*dataConn, error) {
	s := t.s
	switch p := t.route.passive; {
	case t.route.reuse != nil:
		return t.route.reuse, nil
	case p != nil:
		defer p.Close()
		if s.o.Faults.PASVListensLate {
			if err := p.openLate(); err != nil {
				return nil, err
			}
		}
		conn, err := p.take(t.connecting)
		if err != nil {
			return nil, err
		}
		d := newDataConn(conn, s.o, true)
		d.more = p.others()
		return d, nil
	}
	if s.o.Faults.ActiveDialsTwice && !t.route.byDefault {
		s.knock(t.connecting)
	}
	conn, err := s.dialFromDataPort(t.connecting, t.route.remote)
	if err != nil {
		return nil, err
	}
	return newDataConn(conn, s.o, false), nil
}

// alreadyConnected gives a connection that was made before the command a
// moment to get through to this goroutine.
func (t *transfer) alreadyConnected() bool {
	for range 10 {
		if t.route.passive.connected() {
			return true
		}
		if t.s.o.Clock.Sleep(t.ctx, 2*time.Millisecond) != nil {
			return false
		}
	}
	return false
}

// exchange moves the data and closes the connection.
func (t *transfer) exchange(d *dataConn) result {
	s, f := t.s, &t.s.o.Faults
	unhook := context.AfterFunc(t.ctx, func() { d.Close() })
	defer unhook()
	early := f.EarlyFinal
	if early {
		s.sendReply(t.success())
	}
	err := t.move(d)
	r := result{reply: t.success()}
	if err != nil {
		r.reply = failure(t.ctx, err)
		t.lie(&r, err)
	}
	if t.mode != 'S' && err == nil && unhook() {
		r.keep = d
		r.reply = s.stretch(reply(250, "Transfer complete, data connection stays open."))
	} else {
		t.close(d, err)
	}
	if early {
		r.reply = ftp.Reply{}
	}
	if f.ABORRaceOneReply { // widen the moment in which an ABOR gets lost
		_ = s.o.Clock.Sleep(t.ctx, 100*time.Millisecond)
	}
	return r
}

// close ends the data connection, and returns when that has happened: the
// final reply must come after it (RFC 959 section 5.2).
func (t *transfer) close(d *dataConn, err error) {
	f, after := &t.s.o.Faults, time.Duration(0)
	switch {
	case err == nil && f.LateClose:
		after = 3 * time.Second / 2
	case err == nil && f.STORKeepsDataOpen && t.job.store != nil:
		after = time.Minute
	}
	if f.DataReset && t.job.store == nil {
		d.reset()
	}
	if errors.Is(err, ErrNoSpace) {
		// Input that nobody reads would make the close an RST; let the
		// client come to its end if it is about to.
		t.drain(d, time.Second)
	}
	late := after > 0 && t.s.srv.spawn(func() {
		_ = t.s.o.Clock.Sleep(t.s.srv.ctx, after)
		d.Close()
	})
	if !late {
		d.Close()
	}
}

// success is the final reply of a transfer whose data connection is closed.
func (t *transfer) success() ftp.Reply {
	code := 226
	if t.s.o.Tolerances.Completes250 {
		code = 250
	}
	return t.s.stretch(reply(code, "Transfer complete."))
}

// unreachable is the final reply when there is no data connection.
func (t *transfer) unreachable(err error) ftp.Reply {
	t.s.o.Logger.Info("no data connection", "client", t.s.remote, "err", err)
	switch f := &t.s.o.Faults; {
	case t.ctx.Err() != nil:
		return failure(t.ctx, err)
	case f.RefusedDataSilent:
		return ftp.Reply{}
	case f.RefusedDataAnswers550:
		return reply(550, "Cannot open data connection.")
	}
	return reply(425, "Cannot open data connection.")
}

// lie is what faults make of a failure.
func (t *transfer) lie(r *result, err error) {
	f := &t.s.o.Faults
	var ours fileError
	full := errors.Is(err, ErrNoSpace)
	lost := !full && !errors.As(err, &ours)
	if t.ctx.Err() == nil && (f.FullAnswers226 && full || f.FailedTransferAnswers226 && lost) {
		r.reply = t.success()
	}
}

// fileError marks an error of the file, as opposed to one of the connection.
type fileError struct{ error }

// Unwrap lets errors.Is look inside.
func (e fileError) Unwrap() error { return e.error }

// failure is the final reply to a transfer that err has ended.
func failure(ctx context.Context, err error) ftp.Reply {
	var ours fileError
	switch {
	case ctx.Err() != nil:
		return reply(426, "Transfer aborted.")
	case errors.Is(err, ErrNoSpace):
		return reply(452, "No space left.")
	case errors.As(err, &ours):
		return reply(451, "Local error while accessing the file.")
	}
	return reply(426, "Data connection lost.")
}

func reply(code int, text string) ftp.Reply { return ftp.Reply{Code: code, Lines: []string{text}} }
