package lab

import (
	"fmt"
	"net/netip"
	"reflect"

	"github.com/ftpconform/ftpconform/netsim/gateway"
)

// snapshots turns what was noted of the gateways into tables; of is the message
// of a hop. A change that shows nowhere in a table is left out.
func snapshots(r *recorder, of map[*hop]int) []Snapshot {
	out := []Snapshot{}
	before := map[string][]Entry{}
	for _, c := range r.changes {
		s := Snapshot{At: c.at.Sub(r.start), Gateway: c.gateway, Entries: entries(c.table)}
		if i, ok := of[c.after]; ok {
			s.After = i + 1
		}
		if reflect.DeepEqual(s.Entries, before[c.gateway]) {
			continue
		}
		before[c.gateway] = s.Entries
		out = append(out, s)
	}
	return out
}

// entries lists a table: connections, what is expected, mappings.
func entries(t gateway.Table) []Entry {
	out := []Entry{}
	for _, c := range t.Connections {
		e := Entry{Kind: KindConnection, Client: c.Client.Real, ClientSeen: c.Client.Seen, Server: c.Server.Real,
			ServerSeen: c.Server.Seen, Expected: c.Expected, Helped: c.Helped}
		e.Text = e.connection()
		out = append(out, e)
	}
	for _, x := range t.Expectations {
		e := Entry{Kind: KindExpectation, From: x.From, To: x.To, LeadsTo: x.Real, Uses: x.Uses, Left: x.Left}
		e.Text = e.expectation()
		out = append(out, e)
	}
	for _, m := range t.Mappings {
		e := Entry{Kind: KindMapping, Inside: m.Inside, Outside: m.Outside}
		e.Text = fmt.Sprintf("%v is %v outside", m.Inside, m.Outside)
		if m.Remote.IsValid() {
			e.Text += " for " + Endpoint(m.Remote)
		}
		out = append(out, e)
	}
	return out
}

func (e *Entry) connection() string {
	client := becomes(e.Client, e.ClientSeen, "becomes")
	server := becomes(e.ServerSeen, e.Server, "leads to")
	var text string
	switch {
	case e.Client != e.ClientSeen && e.Server != e.ServerSeen:
		text = client + ", and " + server
	case e.Server != e.ServerSeen:
		text = server + " for " + client
	case e.Client != e.ClientSeen:
		text = client + " for " + server
	default:
		text = client + " talks to " + server
	}
	return text
}

func becomes(a, b netip.AddrPort, verb string) string {
	if a == b {
		return a.String()
	}
	return fmt.Sprintf("%v %s %v", a, verb, b)
}

func (e *Entry) expectation() string {
	who := "anybody"
	if e.From.IsValid() {
		who = e.From.String()
	}
	if e.LeadsTo == e.To {
		return fmt.Sprintf("%s may come in to %v", who, e.To)
	}
	return fmt.Sprintf("%s may come in by %v, to %v", who, e.To, e.LeadsTo)
}
