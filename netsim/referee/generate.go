package main

import (
	"fmt"
	"math/rand/v2"
)

// generate makes a script by chance: what real clients and servers send, and
// what nobody should, cut, repeated and out of order.
func generate(all []net, seed uint64, number int) script {
	r := rand.New(rand.NewPCG(seed, uint64(number)))
	n := &all[r.IntN(len(all))]
	g := &generator{Rand: r, net: n}
	s := script{name: fmt.Sprintf("seed %d, number %d", seed, number), net: n.name}
	if r.IntN(10) > 0 {
		s = loggedIn(s.name, n.name)
		g.sent = [2]int{loginLen, welcomeLen}
	}
	for range 2 + r.IntN(8) {
		s.steps = append(s.steps, g.step())
	}
	return s
}

// generator makes the steps of a script.
type generator struct {
	*rand.Rand
	net  *net
	sent [2]int // octets of client and server
	said [2][]step
}

func pick[T any](r *rand.Rand, all []T) T { return all[r.IntN(len(all))] }

// step makes one step.
func (g *generator) step() step {
	switch k := g.IntN(100); {
	case k < 12:
		return g.connect()
	case k < 24:
		return g.repeat()
	case k < 60:
		return g.new(client, g.command())
	default:
		return g.new(server, g.answer())
	}
}

// connect is a connection to what may have been announced.
func (g *generator) connect() step {
	if g.IntN(2) == 0 {
		return connects(pick(g.Rand, []who{server, server, stranger}), pick(g.Rand, []uint16{20, 1024, 40_001}), g.net.opened(pick(g.Rand, []uint16{activePort, otherPort, 80})))
	}
	from := []who{client, client, stranger}
	if g.net.clientInside { // the stranger needs no gateway to get there
		from = from[:2]
	}
	return connects(pick(g.Rand, from), pick(g.Rand, []uint16{42_001, 42_002}), g.net.listens(pick(g.Rand, []uint16{pasvPort, 50_002})))
}

// command is what the client says: mostly something about data connections,
// sometimes more than that in one segment, sometimes less.
func (g *generator) command() string {
	one := func() string {
		switch g.IntN(8) {
		case 0:
			return pick(g.Rand, g.net.commands())
		case 1:
			return g.mangle(g.net.port(pick(g.Rand, []uint16{activePort, otherPort, 80})))
		case 2:
			return g.mangle(g.net.eprt(activePort))
		case 3, 4:
			return g.net.port(pick(g.Rand, []uint16{activePort, otherPort}))
		case 5:
			return g.net.eprt(pick(g.Rand, []uint16{activePort, otherPort}))
		default:
			return pick(g.Rand, []string{"NOOP\r\n", "RETR f\r\n", "PWD\r\n", "PASV\r\n", "EPSV\r\n", "\r\n", "LIST\r\n"})
		}
	}
	return g.shape(one)
}

func (g *generator) answer() string {
	one := func() string {
		switch g.IntN(8) {
		case 0:
			return pick(g.Rand, g.net.answers())
		case 1:
			return g.mangle(g.net.r227(pasvPort))
		case 2:
			return g.mangle(r229(pasvPort))
		case 3:
			return g.net.r227(pick(g.Rand, []uint16{pasvPort, 50_002}))
		case 4:
			return r229(pick(g.Rand, []uint16{pasvPort, 50_002}))
		default:
			return pick(g.Rand, []string{"200 ok\r\n", "150 opening\r\n", "226 done\r\n", "500 what?\r\n"})
		}
	}
	return g.shape(one)
}

// shape puts texts together, or leaves some of one out.
func (g *generator) shape(one func() string) string {
	text := one()
	switch g.IntN(8) {
	case 0:
		text += one()
	case 1:
		if len(text) > 1 {
			text = text[:1+g.IntN(len(text)-1)]
		}
	}
	return text
}

// mangle changes one octet of a line.
func (g *generator) mangle(line string) string {
	b := []byte(line)
	i := g.IntN(len(b))
	switch g.IntN(4) {
	case 0:
		return string(append(b[:i], b[i+1:]...))
	case 1:
		return string(b[:i]) + string(pick(g.Rand, []byte(" ,|0123456789\tx()\r\n."))) + string(b[i:])
	default:
		b[i] = pick(g.Rand, []byte(" ,|0123456789\txX()\r\n.:\xff"))
		return string(b)
	}
}

// new is a segment with new text, at its place or a little ahead of it.
func (g *generator) new(from who, text string) step {
	st := say(from, text)
	switch g.IntN(20) {
	case 0:
		st.ack = pick(g.Rand, []int{-3, -1, 1, 2})
	case 1:
		st.at = g.sent[from] + 1 + g.IntN(8) // something before it is late
	}
	if st.at >= 0 {
		g.said[from] = append(g.said[from], st)
		g.sent[from] = st.at + len(text)
		return st
	}
	g.said[from] = append(g.said[from], again(from, g.sent[from], text))
	g.sent[from] += len(text)
	return st
}

// repeat is a segment that was sent before, alone or with what came next.
func (g *generator) repeat() step {
	from := pick(g.Rand, []who{client, server})
	if len(g.said[from]) == 0 {
		return g.new(from, "NOOP\r\n")
	}
	i := g.IntN(len(g.said[from]))
	st := g.said[from][i]
	if i+1 < len(g.said[from]) && g.IntN(3) == 0 {
		if next := g.said[from][i+1]; next.at == st.at+len(st.text) {
			st.text += next.text
		}
	}
	if len(st.text) > 1 && g.IntN(4) == 0 {
		cut := 1 + g.IntN(len(st.text)-1)
		st.at, st.text = st.at+cut, st.text[cut:]
	}
	return st
}
