package lab

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/alg"
)

// Scenario is what Play plays.
type Scenario struct {
	Name, Title string
	Acts        []Act
	// Stage is what they are played on.
	Stage Stage
}

// NATPort is the name of the scenario that tells the whole story.
const NATPort = "nat-port"

const natPortTitle = "Why PORT fails behind a NAT, why PASV does not, and what an FTP helper changes."

// Listed is a scenario of those that are part of the program.
type Listed struct {
	Name  string `json:"name"`
	Title string `json:"title"`
}

// Builtins lists the scenarios that need no file, the story first.
func Builtins() []Listed {
	out := []Listed{{NATPort, natPortTitle}}
	for _, name := range netsim.Builtins() {
		title := ""
		if t, err := netsim.Builtin(name); err == nil {
			title = t.Title
		}
		out = append(out, Listed{name, title})
	}
	return out
}

// Choice is what may be chosen for the transfers in a topology.
type Choice struct {
	// Modes default to PORT and PASV.
	Modes  []Mode
	Server ServerKind
	ALG    alg.Profile
	Seed   uint64
}

// InTopology is the scenario of a topology: an act for each mode.
func InTopology(t netsim.Topology, c Choice) Scenario {
	if len(c.Modes) == 0 {
		c.Modes = []Mode{PORT, PASV}
	}
	s := Scenario{Name: t.Name, Title: t.Title}
	if s.Title == "" {
		s.Title = "Transfers in " + t.Name + "."
	}
	for _, m := range c.Modes {
		a := Act{Title: fmt.Sprintf("%s in %s", m, t.Name), Topology: t, Mode: m, Server: c.Server, ALG: c.ALG, Seed: c.Seed}
		s.Acts = append(s.Acts, a)
	}
	return s
}

// NATPortStory is the scenario NATPort: a client at 192.168.1.2 behind a gateway that
// is 192.168.1.1 inside and 218.63.1.5 outside, and a server at 218.63.1.100;
// then the server behind the same kind of gateway.
func NATPortStory(seed uint64) (Scenario, error) {
	client, err := netsim.Builtin("client-nat")
	if err != nil {
		return Scenario{}, err
	}
	server, err := netsim.Builtin("server-nat-alg")
	if err != nil {
		return Scenario{}, err
	}
	alone(&client)
	alone(&server)
	const atClient, atServer = "client behind NAT", "server behind NAT"
	acts := []Act{
		{Title: "PORT through a NAT, to a server that trusts what it is told", Network: atClient, Topology: client, Mode: PORT, Server: Trusting, ALG: alg.Off,
			Text: "The client says where the server is to connect to. It knows no other address than its own, 192.168.1.2. " +
				"Servers used to believe that, and to try."},
		{Title: "PORT through a NAT" + ofToday, Network: atClient, Topology: client, Mode: PORT, Server: Today, ALG: alg.Off,
			Text: "A server of today does not even try: if clients could choose the address, they could make it attack others (RFC 2577)."},
		{Title: "PASV through a NAT", Network: atClient, Topology: client, Mode: PASV, Server: Today, ALG: alg.Off,
			Text: "Now the server says where it listens, and the client connects. For the gateway that is one more connection from inside."},
		{Title: "PORT with an FTP helper in the gateway", Network: atClient + " + helper", Topology: client, Mode: PORT, Server: Today, ALG: alg.Linux,
			Text: "Linux has ip_conntrack_ftp and ip_nat_ftp, now called nf_conntrack_ftp and nf_nat_ftp. They read the control connection, " +
				"write the outside address into PORT, and let the announced connection in."},
		{Title: "The same to a server that trusts what it is told", Network: atClient + " + helper", Topology: client, Mode: PORT, Server: Trusting, ALG: alg.Linux, Brief: true},
		{Title: "PASV to a server behind the NAT", Network: atServer, Topology: server, Mode: PASV, Server: Today, ALG: alg.Off,
			Text: "Now the server is inside, at 192.168.1.100, and the gateway leads its port 21 there. The server names its own address, " +
				"which is of no use outside."},
		{Title: "PASV to a server behind the NAT, with a helper", Network: atServer + " + helper", Topology: server, Mode: PASV, Server: Today, ALG: alg.Linux,
			Text: "The helper reads replies as well: it writes the outside address into 227 and lets the client in."},
	}
	for i := range acts {
		acts[i].Seed = seed
	}
	return Scenario{Name: NATPort, Title: natPortTitle, Acts: acts}, nil
}

// With is the scenario on another stage. A real server is what it is: where the
// two kinds of the reference server are played one after the other, one act is
// enough, and it is about that server.
func (s Scenario) With(stage Stage) Scenario {
	s.Stage = stage
	if stage.Server == nil {
		return s
	}
	var acts []Act
	for _, a := range s.Acts {
		if a.Server == Trusting {
			continue
		}
		if title, ok := strings.CutSuffix(a.Title, ofToday); ok {
			a.Title, a.Text = title, s.Acts[0].Text
		}
		acts = append(acts, a)
	}
	s.Acts = acts
	return s
}

// ofToday ends the title of an act about the kind of a server.
const ofToday = ", to a server of today"

// alone leaves only client and server of a built-in topology, with one address
// each.
func alone(t *netsim.Topology) {
	t.Hosts = slices.DeleteFunc(t.Hosts, func(h netsim.Host) bool { return h.Name == "stranger" })
	for i := range t.Hosts {
		t.Hosts[i].Addrs = t.Hosts[i].Addrs[:1]
	}
}
