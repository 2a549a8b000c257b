package main

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/netsim/packet"
)

// The ports that are announced, and where servers connect from.
const (
	activePort = 1025
	otherPort  = 1026
	pasvPort   = 50001
	dataPort   = 20
)

// port is PORT with the client's own address in a net.
func (n *net) port(number uint16) string {
	return "PORT " + ftp.FormatHostPort(netip.AddrPortFrom(n.four(), number)) + "\r\n"
}

// four is the client's address, or one that is nobody's where it has none of
// IPv4.
func (n *net) four() netip.Addr {
	if n.client.Is4() {
		return n.client
	}
	return netip.MustParseAddr("192.168.1.2")
}

func (n *net) eprt(number uint16) string {
	return "EPRT " + ftp.FormatExtended(netip.AddrPortFrom(n.client, number)) + "\r\n"
}

func (n *net) r227(number uint16) string {
	a := n.server.Addr()
	if !a.Is4() {
		a = netip.MustParseAddr("218.63.1.100")
	}
	return "227 Entering Passive Mode (" + ftp.FormatHostPort(netip.AddrPortFrom(a, number)) + ").\r\n"
}

func r229(number uint16) string {
	return fmt.Sprintf("229 Entering Extended Passive Mode (|||%d|)\r\n", number)
}

// opened is where a server connects that was told of a port in active mode, and
// listens is where a client does in passive mode.
func (n *net) opened(number uint16) netip.AddrPort {
	if n.clientInside {
		return netip.AddrPortFrom(n.seen, number)
	}
	return netip.AddrPortFrom(n.client, number)
}

func (n *net) listens(number uint16) netip.AddrPort {
	return netip.AddrPortFrom(n.dial.Addr(), number)
}

// cases are the scripts that need no chance, for all nets.
func cases(all []net) []script {
	var out []script
	for i := range all {
		n := &all[i]
		out = append(out, n.choreographies()...)
		out = append(out, n.grammar()...)
	}
	classic, swapped, six := find(all, "classic"), find(all, "swapped"), find(all, "nat66")
	out = append(out, classic.splits(client, classic.port(activePort))...)
	out = append(out, classic.splits(client, classic.eprt(activePort))...)
	out = append(out, classic.splits(server, classic.r227(pasvPort))...)
	out = append(out, swapped.splits(server, swapped.r227(pasvPort))...)
	out = append(out, swapped.splits(server, r229(pasvPort))...)
	out = append(out, six.splits(client, six.eprt(activePort))...)
	return out
}

// splits are a line that is cut at every place; then the first piece is sent
// again, and the whole.
func (n *net) splits(from who, line string) []script {
	var out []script
	at := map[who]int{client: loginLen, server: welcomeLen}[from]
	for i := 1; i < len(line); i++ {
		name := fmt.Sprintf("%s cut after %d", strings.TrimRight(line, "\r\n"), i)
		out = append(out, loggedIn(name, n.name, say(from, line[:i]), say(from, line[i:]), again(from, at, line[:i]), again(from, at, line), say(from, "NOOP\r\n")))
	}
	return out
}

// choreographies are dialogues about what is remembered, and for how long.
func (n *net) choreographies() []script {
	p, q := n.port(activePort), n.port(otherPort)
	if !n.client.Is4() {
		p, q = n.eprt(activePort), n.eprt(otherPort)
	}
	noop, retr := "NOOP\r\n", "RETR f\r\n"
	pasv := n.r227(pasvPort)
	if !n.client.Is4() {
		pasv = r229(pasvPort)
	}
	comes := connects(server, dataPort, n.opened(activePort))
	goes := connects(client, 42001, n.listens(pasvPort))
	list := []script{
		loggedIn("PORT", n.name, say(client, p), say(server, "200 ok\r\n"), say(client, retr), comes, say(server, "226 done\r\n"), say(client, noop)),
		loggedIn("EPRT", n.name, say(client, n.eprt(activePort)), comes, say(client, noop)),
		loggedIn("PORT with IPv4", n.name, say(client, n.port(activePort)), comes, say(client, noop)),
		loggedIn("227", n.name, say(client, "PASV\r\n"), say(server, n.r227(pasvPort)), goes, say(client, noop), say(server, "200 ok\r\n")),
		loggedIn("229", n.name, say(client, "EPSV\r\n"), say(server, r229(pasvPort)), goes, say(client, noop), say(server, "200 ok\r\n")),
		{name: "PORT as the first line", net: n.name, steps: []step{say(server, greeting), say(client, p), comes, say(client, noop)}},
		{name: "PORT before the greeting", net: n.name, steps: []step{say(client, p), comes, say(client, noop), say(client, q), connects(server, dataPort, n.opened(otherPort))}},
		{name: "PORT as the second line", net: n.name, steps: []step{say(server, greeting), say(client, noop), say(client, p), comes}},
		{name: "227 as the first line", net: n.name, steps: []step{say(server, pasv), goes, say(server, pasv), goes}},
		loggedIn("two ports", n.name, say(client, p), say(client, q), comes, connects(server, dataPort, n.opened(otherPort))),
		loggedIn("one port twice", n.name, say(client, p), say(client, p), comes, connects(server, dataPort+1, n.opened(activePort))),
		loggedIn("used once", n.name, say(client, p), comes, connects(server, 40_001, n.opened(activePort))),
		loggedIn("again after use", n.name, say(client, p), comes, say(client, p), connects(server, 40_001, n.opened(activePort))),
		loggedIn("a stranger first", n.name, say(client, p), connects(stranger, dataPort, n.opened(activePort)), comes),
		loggedIn("any source port", n.name, say(client, p), connects(server, 45678, n.opened(activePort))),
		loggedIn("passive drives active out", n.name, say(client, p), say(server, pasv), comes, goes),
		loggedIn("active drives passive out", n.name, say(server, pasv), say(client, p), goes, comes),
		loggedIn("two in one segment", n.name, say(client, p+q), comes, connects(server, dataPort, n.opened(otherPort)), say(client, noop)),
		loggedIn("NOOP before it in one segment", n.name, say(client, noop+p), comes, say(client, noop)),
		loggedIn("RETR behind it in one segment", n.name, say(client, p+retr), comes, say(client, noop)),
		loggedIn("half a command behind it", n.name, say(client, p+"NO"), say(client, "OP\r\n"), comes, say(client, q)),
		loggedIn("an unfinished line before it", n.name, say(client, "NOOP"), say(client, p), comes),
		loggedIn("an empty line before it", n.name, say(client, "\r\n"), say(client, p), comes),
		loggedIn("Telnet before it", n.name, say(client, "\xff\xf4\xff\xf2"), say(client, p), comes),
		loggedIn("sent again", n.name, say(client, p), again(client, loginLen, p), say(client, noop), comes),
		loggedIn("sent again after the next line", n.name, say(client, p), say(client, noop), again(client, loginLen, p), say(client, noop), comes),
		loggedIn("sent again after two lines", n.name, say(client, p), say(client, noop), say(client, noop), again(client, loginLen, p), say(client, noop), comes),
		loggedIn("sent again together with RETR", n.name, say(client, p), again(client, loginLen, p+retr), say(client, noop), comes),
		loggedIn("sent again with NOOP before it", n.name, say(client, noop), say(client, p), again(client, loginLen, noop+p), say(client, noop), say(server, "200 ok\r\n")),
		loggedIn("its tail again", n.name, say(client, p), again(client, loginLen+11, p[11:]), say(client, noop), comes),
		loggedIn("it overtakes NOOP", n.name, again(client, loginLen+len(noop), p), again(client, loginLen, noop), again(client, loginLen+len(noop), p), comes),
		loggedIn("acknowledged too early", n.name, say(client, p), step{from: server, at: -1, text: "200 ok\r\n", ack: 1}, say(server, "200 ok\r\n")),
		loggedIn("acknowledged far too early", n.name, say(client, noop), step{from: server, at: -1, text: "200 ok\r\n", ack: 1000}, say(client, noop)),
		loggedIn("acknowledged in part", n.name, say(client, p), say(client, noop), step{from: server, at: -1, text: "200 ok\r\n", ack: -6}, say(client, noop)),
		loggedIn("selectively acknowledged", n.name, say(client, p), say(client, noop), step{from: server, at: -1, ack: -6, sacks: []int{loginLen + len(p) - 1, loginLen + len(p) + 5}}, say(client, noop)),
		loggedIn("beyond the window", n.name, again(client, loginLen+100_000, p), say(client, noop)),
		loggedIn("FIN behind it", n.name, step{from: client, at: -1, text: p, flags: packet.FIN}, comes, say(server, "221 bye\r\n")),
		loggedIn("RST after it", n.name, say(client, p), step{from: client, at: -1, flags: packet.RST}, comes),
		loggedIn("many", n.name, n.many(8)...),
		loggedIn("replies behind changed commands", n.name, say(client, p), say(server, "200 ok\r\n"), say(client, q), say(server, "200 ok\r\n"), say(server, pasv), goes, say(client, noop)),
	}
	if !n.clientInside {
		list = append(list, loggedIn("a stranger at the passive port", n.name, say(server, pasv), connects(stranger, 40_001, n.listens(pasvPort)), goes))
	}
	return list
}

// many are ports, one after the other, each with its connection.
func (n *net) many(count int) []step {
	var out []step
	for i := range uint16(count) {
		line := n.port(2000 + 37*i)
		if !n.client.Is4() {
			line = n.eprt(2000 + 37*i)
		}
		out = append(out, say(client, line), say(server, "200 ok\r\n"), connects(server, dataPort, n.opened(2000+37*i)))
	}
	return append(out, say(client, "NOOP\r\n"))
}

// grammar are lines of all kinds, right and wrong.
func (n *net) grammar() []script {
	var out []script
	for _, line := range n.commands() {
		out = append(out, loggedIn(strings.TrimRight(line, "\r\n"), n.name, say(client, line), say(client, "NOOP\r\n"), connects(server, dataPort, n.opened(activePort))))
	}
	for _, line := range n.answers() {
		out = append(out, loggedIn(strings.TrimRight(line, "\r\n"), n.name, say(server, line), say(server, "200 ok\r\n"), connects(client, 42001, n.listens(pasvPort))))
	}
	return out
}

// commands are what a client may say.
func (n *net) commands() []string {
	own := strings.ReplaceAll(n.four().String(), ".", ",")
	public := strings.ReplaceAll(n.seen.String(), ".", ",")
	plain := n.client.String()
	family := "1"
	if !n.client.Is4() {
		family, public = "2", "218,63,1,5"
	}
	var out []string
	for _, argument := range []string{own + ",4,1", own + ",04,001", own + ",4", own + ",4,1,9", own + ",,1025", own + ",4,", own + ",260,1", own + ",0,1025", own + ",0,0",
		own + ",4,-1", own + ",0x4,1", own + ",4,1 ", own + ",4,1\t", " " + own + ",4,1", "(" + own + ",4,1)", own + ",0,80", own + ",255,255", own + ",256,0", own + ",65535,65535",
		own + ",4,0000000000000000000001", "8,8,8,8,4,1", public + ",4,1", "0,0,0,0,4,1", "8,8,8,8,0,0", "127,0,0,1,4,1", own + ",4,1\r", own + ";4;1", strings.ReplaceAll(own, ",", ".") + ",4,1"} {
		out = append(out, "PORT "+argument+"\r\n")
	}
	for _, argument := range []string{"|1|" + n.four().String() + "|1025|", "|2|" + plain + "|1025|", "|3|" + plain + "|1025|", "|" + family + "|" + plain + "|1025", "|" + family + "|" + plain + "|0|",
		"|" + family + "|" + plain + "|66561|", "|" + family + "|" + plain + "|01025|", "!" + family + "!" + plain + "!1025!", "~" + family + "~" + plain + "~1025~", "5" + family + "5" + plain + "51025",
		"|" + family + "|" + plain + "|1025|xyz", "|" + family + "| " + plain + "|1025|", "|" + family + "|" + plain + "|10 25|", "|" + family + "|8.8.8.8|1025|", "|2|2001:db8:63::200|1025|",
		"|2|::ffff:192.168.1.2|1025|", "|" + family + "|" + strings.ToUpper(plain) + "|1025|", "|" + family + "|" + plain + "%eth0|1025|", "|" + family + "|" + plain + ":1025|", "||" + plain + "|1025|", "|" + family + "||1025|", "|"} {
		out = append(out, "EPRT "+argument+"\r\n")
	}
	return append(out, "PORT\r\n", "EPRT\r\n", "PORT \r\n", "EPRT \r\n", "PORTX "+own+",4,1\r\n", "PORTAL\r\n", "EPRTX "+"|"+family+"|"+plain+"|1025|\r\n", "port "+own+",4,1\r\n", "PoRt "+own+",4,1\r\n",
		"eprt |"+family+"|"+plain+"|1025|\r\n", "PORT\t"+own+",4,1\r\n", "PORT  "+own+",4,1\r\n", " PORT "+own+",4,1\r\n", "XPORT "+own+",4,1\r\n", "PORT "+own+",4,1\n", "PORT "+own+",4,1\r", "PORT "+own+",4,1",
		"NOOP PORT "+own+",4,1\r\n", "EPSV\r\n", "EPSV ALL\r\n", "PASV\r\n", "P\r\n", "PO\r\n", "E\r\n", "\xff\xf4\xff\xf2ABOR\r\n", "\xff\xf1PORT "+own+",4,1\r\n")
}

// answers are what a server may say.
func (n *net) answers() []string {
	a := n.server.Addr()
	if !a.Is4() {
		a = netip.MustParseAddr("218.63.1.100")
	}
	own := strings.ReplaceAll(a.String(), ".", ",")
	var out []string
	for _, text := range []string{"Entering Passive Mode (" + own + ",195,81).", "Entering Passive Mode " + own + ",195,81", "=" + own + ",195,81", "(" + own + ",195,081)", "(" + own + ", 195, 81)", "ok", "",
		"4 you: (" + own + ",195,81)", "(" + own + ",195,81", "(" + own + ",195)", "(" + own + ",195,81,1)", "(8,8,4,4,195,81)", "(" + own + ",0,0)", "(" + own + ",451,81)", "ok (" + own + ",195,81). Have fun", own + ",195,81"} {
		out = append(out, "227 "+text+"\r\n")
	}
	for _, text := range []string{"Entering Extended Passive Mode (|||50001|)", "ok (|||050001|)", "ok (|||0|)", "ok |||50001|", "ok (|1|" + a.String() + "|50001|)", "ok (!!!50001!)", "ok (|||50001)", "ok (|||115537|)", "(|||50001|) (|||50002|)",
		"ok ( |||50001|)", "ok (||50001|)", "ok (|||50001|", "", "ok"} {
		out = append(out, "229 "+text+"\r\n")
	}
	return append(out, "227-Hello\r\n227 ok ("+own+",195,81)\r\n", "227-("+own+",195,81)\r\n", "227\r\n", "229\r\n", "22\r\n", "2\r\n", "227 ("+own+",195,81)\n", "227 ("+own+",195,81)",
		"2277 ("+own+",195,81)\r\n", "x227 ("+own+",195,81)\r\n", "200 ("+own+",195,81)\r\n", "228 Entering Long Passive Mode (4,4,218,63,1,100,2,195,81)\r\n", "150 227 ("+own+",195,81)\r\n")
}
