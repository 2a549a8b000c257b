package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// reading is what a vector does not tell and a replay has to know. The vectors
// have neither sequence numbers nor times: which of two equal segments is a
// repetition, what was lost beside the gateway, when an entry of it expired. A
// vector agrees when there is a reading under which the profile does what was
// recorded, and the simplest ones are tried first.
type reading struct {
	// Places are the positions of the client's segments in its stream; -1 is the
	// next one.
	places []int
	// Lost are segments that do not get to the gateway, and deaf those that the
	// server does not take although they have come to its wire.
	lost, deaf map[int]bool
	// Pause lets the entries of idle connections expire before a segment, or
	// before a reply that comes late; forget makes the gateway forget. -1 is
	// never; numbers from 1000 on are replies.
	pause, forget int
	// Cut is where the reply that the vector is about is cut, 0 for nowhere.
	cut int
	// Slow is a server that takes its time for a transfer.
	slow bool
	// InTurn says that sessions follow each other; otherwise they are open side
	// by side and take turns.
	inTurn bool
	// Otherwise says that the rule of the helper has the other effect than its
	// words seem to say: when it was made and where it stands decides.
	otherwise bool
}

// maxReadings bounds the readings that are tried.
const maxReadings = 600

// readings lists those of a vector that its words allow, the simplest first.
func (v *vector) readings() []reading {
	plain := reading{pause: -1, forget: -1, cut: v.cutAt()}
	out := []reading{plain}
	vary := func(f func(reading) []reading) {
		for _, r := range slices.Clone(out) {
			if len(out) < maxReadings {
				out = append(out, f(r)...)
			}
		}
	}
	segments := unescapeAll(v.ClientSegments)
	places := v.places(segments)
	out[0].places = places[0]
	vary(func(r reading) (more []reading) {
		for _, p := range places[1:] {
			r.places = p
			more = append(more, r)
		}
		return more
	})
	if v.sessions() > 1 {
		vary(func(r reading) []reading {
			r.inTurn = true
			return []reading{r}
		})
	}
	if v.has("timeout_established") {
		vary(func(r reading) (more []reading) {
			r.slow = v.has("slow", "10 s", "transfer") || strings.Contains(strings.Join(segments, ""), "slow")
			for i := range segments {
				r.pause = i
				more = append(more, r)
			}
			r.pause = -1
			if r.slow {
				more = append(more, r)
			}
			return more
		})
	}
	if v.has("flush", "conntrack -", "deleted", "entry lost", "forgets", "restart") {
		vary(func(r reading) (more []reading) {
			for i := range segments {
				r.forget = i
				more = append(more, r)
			}
			for i := range replies(unescape(v.RepliesSent)) {
				r.forget = 1000 + i
				more = append(more, r)
			}
			return more
		})
	}
	if v.has("lost", "loss", "drop", "overtakes", "reorder", "desync", "coalesced", "uplink") || strings.Contains(strings.ToLower(v.Notes), "lost") {
		for _, r := range out[:min(len(out), maxLossy)] {
			out = append(out, losses(r, len(segments))...)
		}
	}
	if !plainRule.MatchString(v.Helper) || v.has("late", "remov", "rule", "module") {
		for _, r := range out[:min(len(out), maxLossy)] {
			r.otherwise = true
			out = append(out, r)
		}
	}
	return out
}

// plainRule is what most vectors say of the rule.
var plainRule = regexp.MustCompile(`^(none|nft ct helper object.*|both.*|.* NAT only|CGN only.*)$`)

// maxLossy is how many readings are varied by losses: there are many.
const maxLossy = 12

// losses lists readings in which some segments in a row get lost on either side.
func losses(r reading, n int) (more []reading) {
	for first := 2; first < n; first++ {
		for last := first; last < min(first+5, n); last++ {
			set := map[int]bool{}
			for i := first; i <= last; i++ {
				set[i] = true
			}
			a, b := r, r
			a.lost, b.deaf = set, set
			more = append(more, a, b)
		}
	}
	return more
}

var (
	splitAfter = regexp.MustCompile(`repl.*split after (\d+)`)
	pieces     = regexp.MustCompile(`pieces \[b?['"](.*?)['"],`)
	firstPiece = regexp.MustCompile(`segment 1 = (.*)`)
)

// cutAt is where the last reply is cut, by the words of the vector.
func (v *vector) cutAt() int {
	if m := splitAfter.FindStringSubmatch(v.Title); m != nil {
		n, _ := strconv.Atoi(m[1]) // digits
		return n
	}
	if m := pieces.FindStringSubmatch(v.Title); m != nil {
		return len(unescape(m[1]))
	}
	if m := firstPiece.FindStringSubmatch(v.Notes); m != nil && strings.Contains(v.Title, "repl") {
		return len(unescape(strings.TrimRight(m[1], " ")))
	}
	return 0
}

// sessions counts the control connections: each begins with the same word.
func (v *vector) sessions() int {
	n := 0
	for _, s := range v.ClientSegments {
		if strings.HasPrefix(s, "USER ") {
			n++
		}
	}
	return max(n, 1)
}

// places lists what the positions of the segments can be: a segment that could
// be a repetition of what was sent before may be one, or not.
func (v *vector) places(segments []string) [][]int {
	all := slices.Repeat([]int{-1}, len(segments)) // nothing is a repetition
	if v.sessions() > 1 {
		return [][]int{all}
	}
	out := []sending{{}}
	for i, s := range segments {
		var more []sending
		next := ""
		if i+1 < len(segments) && v.has("overtakes", "reorder") {
			next = segments[i+1]
		}
		for _, o := range out {
			for _, at := range o.mayStand(s, next) {
				more = append(more, o.with(at, s))
			}
		}
		out = more[:min(len(more), maxReadings)]
	}
	var places [][]int
	for _, o := range out {
		places = append(places, o.places)
	}
	v.order(places)
	return append([][]int{all}, places...)
}

// sending is the places of the first segments of a client, and what it has sent
// with them: octets that are still to come are 0.
type sending struct {
	places []int
	starts []int // of the segments
	stream string
}

// mayStand lists where a segment can stand: where the same octets were sent
// before, from which it may go on, at the end, or behind one that it overtakes.
// The start of an earlier segment is the place for a repetition, of the first one
// or of the last one; a long text may be the tail of one.
func (o *sending) mayStand(s, next string) []int {
	var again []int
	for at := range o.stream {
		if n := min(len(s), len(o.stream)-at); (slices.Contains(o.starts, at) || len(s) >= 4 && n > 1) && fits(o.stream[at:at+n], s[:n]) {
			again = append(again, at)
		}
	}
	if n := len(again); n > 2 {
		again = []int{again[0], again[n-1]}
	}
	out := append(again, -1)
	if next != "" {
		out = append(out, len(o.stream)+len(next))
	}
	return out
}

// fits reports whether octets can be others, of which some may be unknown.
func fits(known, s string) bool {
	for i := range len(s) {
		if known[i] != 0 && known[i] != s[i] {
			return false
		}
	}
	return true
}

// with is one segment more.
func (o *sending) with(place int, s string) sending {
	at := place
	if at < 0 {
		at = len(o.stream)
	}
	b := []byte(o.stream + strings.Repeat("\x00", max(0, at+len(s)-len(o.stream))))
	copy(b[at:], s)
	starts := o.starts
	if !login(s) {
		starts = append(slices.Clone(starts), at)
	}
	return sending{append(slices.Clone(o.places), place), starts, string(b)}
}

// login reports whether a segment is of the login, which is never repeated.
func login(s string) bool { return strings.HasPrefix(s, "USER ") || strings.HasPrefix(s, "PASS ") }

// order puts those first that repeat most: what a client has said twice it has
// mostly sent twice. But where the stimulus says it twice, it is meant twice.
func (v *vector) order(places [][]int) {
	stimulus := len(strings.Join(unescapeAll(v.Stimulus), ""))
	segments := unescapeAll(v.ClientSegments)
	total := func(p []int) int {
		n := 0
		for i, at := range p {
			if at < 0 {
				n += len(segments[i])
			}
		}
		return n
	}
	for _, s := range segments {
		if login(s) {
			stimulus += len(s)
		}
	}
	off := func(p []int) int {
		d := total(p) - stimulus
		return max(d, -d)
	}
	slices.SortStableFunc(places, func(a, b []int) int { return off(a) - off(b) })
}
