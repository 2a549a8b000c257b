package lab_test

import (
	"strings"
	"testing"

	"github.com/ftpconform/ftpconform/internal/lab"
	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/alg"
)

// clientBehind is a network with a client behind a NAT: what its NAT is like,
// and more at the end.
func clientBehind(nat, more string) string {
	return `
networks:
  home:     {prefix: 192.168.1.0/24, via: gw}
  internet: {prefix: 218.63.1.0/24, silent: true}
hosts:
  client: {network: home, addresses: [192.168.1.2]}
  server: {network: internet, addresses: [218.63.1.100]}
gateways:
  gw:
    inside:  {network: home, addresses: [192.168.1.1]}
    outside: {network: internet, addresses: [218.63.1.5]}
    nat: {` + nat + `}
passive-ports: 50000-50059
` + more
}

// serverBehind has the server behind the NAT, of which the client uses the
// outside address.
func serverBehind(client, nat, more string) string {
	return `
networks:
  home:     {prefix: 192.168.1.0/24, via: gw}
  internet: {prefix: 218.63.1.0/24, silent: true}
hosts:
  client: {` + client + `}
  server: {network: home, addresses: [192.168.1.100]}
  web:    {network: home, addresses: [192.168.1.80]}
gateways:
  gw:
    inside:  {network: home, addresses: [192.168.1.1]}
    outside: {network: internet, addresses: [218.63.1.5]}
    nat: {` + nat + `}
dial: 218.63.1.5
advertise: 218.63.1.5
passive-ports: 50010-50019
` + more
}

// inText plays one transfer in a network that is written down.
func inText(t *testing.T, text string, m lab.Mode, p alg.Profile) *lab.ActStory {
	t.Helper()
	spec, err := netsim.Read("network.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return &play(t, spec, lab.Choice{Modes: []lab.Mode{m}, Server: lab.Trusting, ALG: p, Seed: 1}).Acts[0]
}

// TestReasonsOfNoAnswer has networks in which the SYN gets there and the answer
// does not, or something else stands in the way than it seems.
func TestReasonsOfNoAnswer(t *testing.T) {
	t.Parallel()
	const outside, inside = "network: internet, addresses: [218.63.1.9]", "network: home, addresses: [192.168.1.2]"
	const forwards = "forwards: [{ports: 21, to: 192.168.1.100}, {ports: 50010-50019, to: 192.168.1.100}]"
	const there = "The client cannot reach the server: the client sends 5 SYNs to 218.63.1."
	for name, c := range map[string]struct {
		text string
		mode lab.Mode
		alg  alg.Profile
		want string
	}{
		"the server answers directly": {serverBehind(inside, "hairpin: internal-source, "+forwards, ""), lab.PASV, "",
			there + "5:21, but the server answers from 192.168.1.100:21, and the client knows of no such connection."},
		"the way back loses": {clientBehind("", "wires: {gw/outside: {in: {loss: 100%}}}"), lab.PASV, "",
			there + "100:21, but the SYN ACK of the server is lost on the wire: by chance."},
		"the way back damages": {clientBehind("", "wires: {gw/outside: {in: {corrupt: 1}}}"), lab.PASV, "",
			there + "100:21, but the SYN ACK of the server is damaged on the wire."},
		"the way back is cut": {clientBehind("", "wires: {gw/outside: {in: {cuts: {at: 0s}}}}"), lab.PASV, "",
			there + "100:21, but the SYN ACK of the server is lost on the wire: it is cut."},
		"no way back": {strings.Replace(serverBehind(outside, forwards, ""), ", via: gw", "", 1), lab.PASV, "",
			there + "5:21, and the server answers with SYN ACK, but nobody on the network home has this address."},
		"cut at the login": {clientBehind("", "wires: {gw/outside: {in: {cuts: {at: 10ms}}}}"), lab.PASV, "",
			`The client cannot log in: no reply comes in 1m0s; what comes last, "331 Password please.", is lost on the wire: it is cut.`},
		"cut at the data connection": {clientBehind("", "wires: {client: {in: {cuts: {at: 20ms}}}}"), lab.PASV, "",
			"The client sends 5 SYNs to 218.63.1.100:50023, but the SYN ACK of the server is lost on the wire: it is cut."},
		"small packets": {clientBehind("", "wires: {gw/outside: {mtu: 68}}"), lab.PASV, "",
			`The client cannot log in: no reply comes in 1m0s; what comes last, "220 FTP reference server ready.", is lost on the wire: 85 octets, and its MTU is 68.`},
		"forgetful": {clientBehind("timeouts: {transitory: 1ms, established: 1ms, close: 1ms}", ""), lab.PASV, "",
			there + "100:21, and the server answers with SYN ACK, but gw drops it: nothing in its table leads inside from there."},
		"ten hours":               {clientBehind("", "wires: {server: {delay: 10h}}"), lab.PASV, "", there + "100:21, but what is sent is still on the wire at the end."},
		"ten hours to the client": {clientBehind("", "wires: {client: {in: {delay: 10h}}}"), lab.PASV, "", there + "100:21, but the SYN ACK of the server is still on the wire at the end."},
		"three hours":             {clientBehind("", "wires: {client: {delay: 3h}}"), lab.PASV, "", there + "100:21, but what is sent is still on the wire at the end."},
		"one bit":                 {clientBehind("", "wires: {server: {rate: 1bit}}"), lab.PASV, "", there + "100:21, but what is sent is still on the wire at the end."},
		"too late":                {clientBehind("", "wires: {server: {delay: 15500ms}}"), lab.PASV, "", there + "100:21, but the SYN ACK of the server comes 31s after the first one, too late."},
		"first one lost otherwise": {clientBehind("", "wires: {server: {queue: 1}}"), lab.PORT, "",
			"The server sends 5 SYNs to 192.168.1.2:50000, but nobody on the Internet has this private address."},
		"no room for the answer": {clientBehind("", "wires: {client: {out: {queue: 1, rate: 8kbit}}}"), lab.PORT, alg.Linux,
			"The server sends 5 SYNs to 218.63.1.5:50000, but the SYN ACK of the client is lost on the wire: its queue is full."},
		"forward to another": {serverBehind(outside, "forwards: [{ports: 21, to: 192.168.1.80}]", ""), lab.PASV, "",
			"The client cannot reach the server: the client sends one SYN to 218.63.1.5:21, but the way leads to web, at 192.168.1.80:21, which answers with RST."},
		"data forward to another": {serverBehind(outside, "forwards: [{ports: 21, to: 192.168.1.100}, {ports: 50010-50019, to: 192.168.1.80}]", ""), lab.PASV, "",
			"The client sends one SYN to 218.63.1.5:50013, but the way leads to web, at 192.168.1.80:50013, which answers with RST."},
		"forward to another port": {serverBehind(outside, "forwards: [{ports: 21, to: 192.168.1.100, port: 2121}]", ""), lab.PASV, "",
			"The client cannot reach the server: the client sends one SYN to 218.63.1.5:21, but the server answers with RST."},
	} {
		if got := inText(t, c.text, c.mode, c.alg).Reason; got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}
