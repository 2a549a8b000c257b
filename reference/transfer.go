package reference

import (
	"context"
	"io"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/ftpconform/ftpconform/ftp"
)

// job is what a transfer command wants to have moved. It is prepared before
// anything happens on the data connection, so that every error that can be
// known is a final reply without a preliminary one (RFC 959 section 5.4).
type job struct {
	verb    string
	text    string    // of the preliminary reply
	source  io.Reader // what to send, as it goes over the wire in stream mode
	store   *store    // where to put what is received; nil when sending
	file    io.Closer // nil for a listing
	listing bool
	empty   bool // there is nothing to send
	missing bool // for Faults.MissingFileOpensData
}

// route is how the data connection of a transfer comes about; exactly one of
// the first four is set, unless a fault is at work.
type route struct {
	reuse     *dataConn      // it is open already
	passive   *passive       // the client connects
	remote    netip.AddrPort // the server connects
	byDefault bool           // to the default data port, without a set-up
	hang      bool           // for Faults.UsedSetupHangs
	void      bool           // for Faults.ForeignPORTLost
}

// transfer is one running transfer command. Fields without a word about it
// are not changed after the start.
type transfer struct {
	s     *session
	job   *job
	route route
	mode  byte
	ascii bool

	ctx         context.Context
	cancel      context.CancelCauseFunc // any goroutine
	connecting  context.Context         // ends with ctx, or after DataTimeout
	stopTimeout func() bool
	connected   atomic.Bool
	moved       atomic.Int64 // octets over the data connection

	aborted bool // by ABOR; belongs to the session's goroutine
	swapped bool // for Faults.STATEndsTransfer; likewise
}

// result is how a transfer ended.
type result struct {
	t        *transfer
	reply    ftp.Reply // the final reply; code 0 means that none is sent
	keep     *dataConn // stays open for the next transfer
	leak     io.Closer // stays open by fault
	panicked bool
}

// release closes what nobody needs any more.
func (r result) release() {
	if r.keep != nil {
		r.keep.Close()
	}
	if r.leak != nil {
		r.leak.Close()
	}
}

// preempted answers, or leaves unanswered, a transfer command that a fault
// keeps from being looked at.
func (s *session) preempted() bool {
	f := &s.o.Faults
	switch {
	case f.FailedTransferHangsNext && s.failed:
		s.failed = false
	case f.NoSetupHangs && s.setup.kind == setupNone && !s.setup.ever:
	case f.ABORSpoilsNext && s.spoilt:
		s.spoilt = false
		s.reply(426, "Connection closed, transfer aborted.")
	default:
		return false
	}
	s.takeRestart()
	return true
}

// failTransfer answers a transfer command that fails before the data phase.
// The set-up stays as it is (FTP-DATA-010).
func (s *session) failTransfer(code int, text string) {
	s.failed = true
	s.reply(code, text)
}

// begin starts a transfer.
func (s *session) begin(j *job) {
	f := &s.o.Faults
	s.transfers++
	if j.empty && (f.EmptyFileNoData && j.verb == "RETR" || f.EmptyListNoData && j.listing) {
		j.release(false)
		s.reply(150, j.text)
		s.reply(226, "Transfer complete.")
		return
	}
	r, ok := s.findRoute()
	if !ok || f.TransferLimit && s.transfers > 30 {
		if r.passive != nil {
			r.passive.Close()
		}
		j.release(false)
		s.failTransfer(425, "Cannot open data connection: send PASV, EPSV, PORT or EPRT first.")
		return
	}
	t := &transfer{s: s, job: j, route: r, mode: s.mode, ascii: s.transferASCII()}
	parent := s.lost
	if f.DataOutlivesControl {
		parent = s.ctx
	}
	t.ctx, t.cancel = context.WithCancelCause(parent)
	connecting, expire := context.WithCancelCause(t.ctx)
	t.connecting = connecting
	t.stopTimeout = s.o.Clock.AfterFunc(s.o.DataTimeout, func() { expire(errDataTimeout) })
	if f.DialsForever && r.remote.IsValid() {
		t.stopTimeout()
	}
	s.running = append(s.running, t)
	s.wg.Go(t.run)
	s.lookAhead()
}

// transferASCII is the representation of the transfer that begins now.
func (s *session) transferASCII() bool {
	if s.o.Faults.TypeAtSetup && s.setup.ever {
		return s.setup.ascii
	}
	return s.ascii()
}

// findRoute decides where the data connection comes from, and uses the
// passive set-up up. False means that there is no way.
func (s *session) findRoute() (route, bool) {
	f, st := &s.o.Faults, &s.setup
	if d := st.idle; d != nil {
		st.idle = nil
		if d.resume() {
			return route{reuse: d}, true
		}
		d.Close()
	}
	switch {
	case f.PASVKeepsPort && st.older.IsValid() && st.kind == setupPassive:
		return route{remote: st.older}, true
	case st.kind == setupVoid:
		return route{void: true}, true
	case st.kind == setupActive:
		if f.PORTForgets {
			st.kind = setupSpent
		}
		return route{remote: st.remote}, true
	case st.kind == setupPassive:
		p := st.passive
		st.passive, st.kind, st.used = nil, setupSpent, true
		return route{passive: p}, true
	case st.kind == setupSpent && f.UsedSetupHangs && st.used && !s.epsvAll:
		return route{hang: true}, true
	case s.epsvAll && f.EPSVAllDialsDefault,
		st.kind == setupNone && !s.epsvAll && !f.DefaultPortRefused:
		return route{remote: s.remote, byDefault: true}, true
	}
	return route{}, false
}

// finish answers a transfer that has ended.
func (s *session) finish(r result) {
	f, t := &s.o.Faults, r.t
	s.running = slices.DeleteFunc(s.running, func(x *transfer) bool { return x == t })
	if r.panicked {
		s.over = true
		s.reply(421, "Internal error, closing control connection.")
		return
	}
	if r.leak != nil {
		s.leaked = append(s.leaked, r.leak)
	}
	if r.keep != nil {
		s.setup.closeIdle()
		s.setup.idle = r.keep
		s.closesLate = f.BlockClosesLate && t.mode == 'B'
		r.keep.watch(s.srv.spawn)
	}
	s.failed = r.reply.Code == 0 || r.reply.Negative()
	s.spoilt = t.aborted
	oneReply := f.ABOROneReply || f.ABORSTOROneReply && (t.job.store != nil || t.job.listing)
	switch {
	case r.reply.Code == 0, t.aborted && oneReply:
	case t.swapped:
		s.reply(211, "No transfer in progress.")
	default:
		s.sendReply(r.reply)
	}
	if f.ABORRaceOneReply && t.aborted && r.reply.Positive() {
		s.pending = slices.DeleteFunc(s.pending, func(l line) bool { return l.acted })
	}
}

// abort acts on an ABOR. The reply to the transfer comes from finish, that to
// the ABOR from the queue, so that there are two whoever wins the race.
func (t *transfer) abort() {
	t.aborted = true
	switch {
	case t.s.o.Tolerances.DefersABOR:
	case t.s.o.Faults.ABORHangsOnConnect && !t.connected.Load():
		t.stopTimeout()
	default:
		t.cancel(errAborted)
	}
}

// release gives the file back. A file that was made for a transfer which did
// not come about is removed.
func (j *job) release(started bool) {
	if j.file != nil {
		j.file.Close()
	}
	if j.store != nil && j.store.created && !started {
		_ = j.store.files.Remove(j.store.name)
	}
}
