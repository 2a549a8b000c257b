package suites

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
	"github.com/ftpconform/ftpconform/ftp"
)

// The checks of PASV: RFC 959 sections 3.2, 3.3, 4.1.2 and 4.2.1, RFC 1123
// section 4.1.2.6.
var pasvChecks = []Check{
	{
		ID: "pasv-implemented", Requirements: []string{"FTP-PASV-001"}, In: whereServed, Varies: true,
		Title:    "PASV is answered 227",
		Why:      "Behind a NAT or a firewall passive mode is the one that works; RFC 1123 made it mandatory for that reason (conflict C-01).",
		Conforms: []string{"227 (RFC 1123 section 4.1.2.6)"},
		Noted:    []string{"425, 421 or 451 for want of ports, at the first try only (RFC 959 section 4.2.1)"},
		Fails:    []string{"any other answer, 502 above all (RFC 1123 section 4.1.2.6)"},
		Run: func(s *Session) {
			s.onlyIPv4(PASV)
			c := s.Login()
			r := c.Cmd("PASV")
			if r.In(425, 421, 451) {
				s.Note("PASV was answered %s; tried again", r)
				r = s.Login().Cmd("PASV")
			}
			if r.Code != 227 {
				s.Fail("PASV was answered %s; 227 is mandatory", r)
			}
		},
	},
	{
		ID: "pasv-reply-grammar", Requirements: []string{"FTP-PASV-002"},
		Title:    "The 227 reply carries six numbers from 0 to 255 that a client can find",
		Why:      "The text of 227 is the only place where the endpoint stands; every client scans it for the first digit.",
		Conforms: []string{"from the first digit on, six octets separated by commas, and a port above zero, each time (RFC 1123 section 4.1.2.6)"},
		Noted:    []string{"they stand in a later line of a reply of several (RFC 959 section 4.2)"},
		Fails:    []string{"fewer numbers, numbers above 255, port 0, or digits before the address (RFC 959 section 4.2.1, RFC 1123 section 4.1.2.6)"},
		Run: func(s *Session) {
			noted := false
			for _, r := range s.passiveReplies(20) {
				text, line := passiveText(r.Reply)
				if _, _, err := ftp.ScanPASVReply(text); err != nil {
					s.Fail("no endpoint can be read from %q: %v", text, err)
					return
				}
				if line > 1 && !noted {
					noted = true
					s.Note("the numbers stand in line %d of %s; a client that reads the first line only does not find them", line, r)
				}
			}
		},
	},
	{
		ID: "pasv-parentheses", Requirements: []string{"FTP-PASV-003"},
		Title:    "The six numbers of 227 stand in parentheses",
		Why:      "Older NAT helpers look for the parenthesis; without it they do not rewrite the address.",
		Conforms: []string{"(h1,h2,h3,h4,p1,p2) (RFC 959 section 4.2.1)"},
		Noted:    []string{"bare numbers, which RFC 959 figure 3 and RFC 1123 section 4.1.2.6 allow (conflict C-04); they fail in the strict profile"},
		Fails:    []string{"in the strict profile: no parentheses (RFC 959 section 4.2.1)"},
		Run: func(s *Session) {
			r := s.passiveReplies(1)[0]
			text, _ := passiveText(r.Reply)
			_, odd, err := ftp.ScanPASVReply(text)
			switch {
			case err != nil:
				s.Inconclusive("the reply cannot be read: %v", err)
			case ftp.LegalityOf(odd, err) == ftp.Odd:
				s.Strict("%s in %q", odd, text)
			}
		},
	},
	{
		ID: "pasv-first-digit", Requirements: []string{"FTP-PASV-004"},
		Title:    "No digit stands before the address in 227",
		Why:      "Clients, and the Linux NAT helper, take the first digit for the beginning of the address; the helper drops a packet that it cannot read.",
		Conforms: []string{"the first digit after the code begins the address (RFC 1123 section 4.1.2.6)"},
		Fails:    []string{"a digit in the words before it, as in \"Entering IPv4 passive mode\" (RFC 1123 section 4.1.2.6)"},
		Run: func(s *Session) {
			r := s.passiveReplies(1)[0]
			text, _ := passiveText(r.Reply)
			tuple := sixNumbers.FindStringIndex(text)
			if tuple == nil {
				s.Inconclusive("there are no six numbers in %q", text)
			}
			if strings.ContainsAny(text[:tuple[0]], "0123456789") {
				s.Fail("digits stand before the address in %q", text)
			}
		},
	},
	{
		ID: "pasv-address", Requirements: []string{"FTP-PASV-005"}, In: whereServed, Varies: true,
		Title:    "227 names the address that the client has reached",
		Why:      "A client that trusts 227 goes where it points: a loopback or inner address, or another card of the host, cannot be reached.",
		Conforms: []string{"the address equals the server's end of the control connection, for each of its addresses (RFC 1123 section 4.1.2.6, conflict C-24)"},
		Fails:    []string{"it is another address (RFC 1123 section 4.1.2.6)"},
		Run: func(s *Session) {
			s.onlyIPv4(PASV)
			for _, addr := range append([]netip.Addr{s.Target.Address.Addr()}, s.Target.Others...) {
				c := s.LoginFrom(s.Config.LocalAddr, netip.AddrPortFrom(addr, s.Target.Address.Port()))
				r := c.Must("PASV")
				ep, err := passiveEndpoint(r.Reply)
				if err != nil {
					s.Inconclusive("the reply cannot be read: %v", err)
				}
				if ep.Addr() != addr {
					s.Fail("the control connection goes to %s, 227 names %s", addr, ep.Addr())
				}
			}
		},
	},
	{
		ID: "pasv-not-default-port", Requirements: []string{"FTP-PASV-006"},
		Title:    "The passive port is neither the control port nor the default data port",
		Why:      "Both have a meaning of their own; packet filters treat them so.",
		Conforms: []string{"never L or L-1 in 50 replies (RFC 959 section 4.1.2: a port that is not its default data port)"},
		Fails:    []string{"L or L-1 once (RFC 959 section 4.1.2)"},
		Run: func(s *Session) {
			l := s.Target.Address.Port()
			for _, r := range s.passiveReplies(50) {
				ep, err := passiveEndpoint(r.Reply)
				if err != nil {
					s.Inconclusive("the reply cannot be read: %v", err)
				}
				if ep.Port() == l || ep.Port() == l-1 {
					s.Fatal("227 names port %d; the control port is %d and the default data port %d", ep.Port(), l, l-1)
				}
			}
		},
	},
	{
		ID: "pasv-listens-at-once", Requirements: []string{"FTP-PASV-007"}, Needs: []Need{NeedFiles}, In: whereOpen,
		Title:    "A connection made right after 227, before any transfer command, is accepted and kept",
		Why:      "Most clients connect first and send the command then; a server that listens later refuses them.",
		Conforms: []string{"the connection is made at once, data flows only after RETR, then 1yz and 226 (RFC 959 section 4.1.2)"},
		Fails:    []string{"the connection is refused (RFC 959 section 4.1.2)", "data before the transfer command (RFC 959 section 3.2)", "the transfer fails"},
		Run: func(s *Session) {
			s.onlyIPv4(PASV)
			c := s.Login()
			p := c.SetUp(PASV)
			d, err := p.Dial()
			if err != nil {
				s.Fatal("the port of 227 does not accept a connection before the transfer command: %v", err)
			}
			d.Start()
			s.Sleep(min(2*time.Second, s.patience()))
			if _, came := d.First(); came {
				s.Fail("data came before the transfer command")
			}
			if t := c.Retrieve(p, "RETR %s", SmallFile); !t.OK() || !bytes.Equal(d.Bytes(), SmallContent) {
				s.Fail("the transfer over the early connection failed: %s", t)
			}
		},
	},
	{
		ID: "pasv-does-not-dial", Requirements: []string{"FTP-PASV-008"}, Needs: []Need{NeedActive, NeedPassive, NeedFiles},
		Title:    "After PASV the server does not connect anywhere when a transfer command arrives; it waits",
		Why:      "A server that dials an endpoint given earlier sends data where nobody expects it any more.",
		Conforms: []string{"no connection to the endpoint of an earlier PORT, nor to the default data port, in the quiet window (RFC 959 section 4.1.2)"},
		Fails:    []string{"a connection (RFC 959 section 4.1.2)"},
		Run: func(s *Session) {
			c := s.Login()
			port := s.setUpInTime(c)
			p := c.SetUp(PASV)
			fallback, err := s.Client.Listen(c.Local)
			if err != nil {
				s.Note("the default data port could not be watched: %v", err)
			}
			t := c.Start("RETR %s", SmallFile)
			if _, err := port.Listener.Accept(min(s.Bounds.Quiet, s.patience())); err == nil {
				s.Fatal("the server connected to the endpoint of the earlier PORT")
			}
			if fallback != nil {
				if _, err := fallback.Accept(0); err == nil {
					s.Fatal("the server connected to the default data port")
				}
			}
			if t.Data, t.Err = p.Dial(); t.Data != nil {
				t.Data.Start()
				t.Finish(s.Bounds.Transfer)
			}
		},
	},
	{
		ID: "pasv-late-connection", Requirements: []string{"FTP-PASV-009"}, Needs: []Need{NeedPassive, NeedFiles}, In: whereServed,
		Title:    "The transfer command may come before the client's connection",
		Why:      "Some clients send the command and connect then, and slow paths make any client late.",
		Conforms: []string{"a connection made three seconds after RETR is served; 1yz before or after it (RFC 959 section 4.1.2, RFC 4217 section 12.5, conflict C-27)"},
		Fails:    []string{"the transfer is refused before (RFC 959 section 4.1.2)"},
		Run: func(s *Session) {
			c := s.Login()
			p := c.SetUp(PASV)
			t := c.Start("RETR %s", SmallFile)
			s.Sleep(min(3*time.Second, s.patience()))
			if t.Data, t.Err = p.Dial(); t.Data == nil {
				reset := errors.Is(t.Err, syscall.ECONNRESET)
				t.Finish(s.Bounds.Reply)
				if reset { // made, and reset with what was sent on it
					s.Inconclusive("the data connection was reset before the client could read: %s", t)
				}
				s.Fatal("the port was closed before the client came: %s", t)
			}
			t.Data.Wait(s.Bounds.Transfer)
			if t.Finish(s.Bounds.Reply); !t.OK() || !bytes.Equal(t.Data.Bytes(), SmallContent) {
				s.Fail("the transfer with a late connection failed: %s", t)
			}
		},
	},
	{
		ID: "pasv-nobody-comes", Requirements: []string{"FTP-PASV-010"}, Needs: []Need{NeedPassive, NeedFiles}, In: whereServed,
		Title:    "If nobody connects, the transfer ends with 425 in bounded time and the session goes on",
		Why:      "The client's firewall may drop its own connection; without a reply the session hangs for ever.",
		Conforms: []string{"an optional 1yz, then 425 within the target's timeout; NOOP answers 200 (RFC 959 section 4.2.1)"},
		Noted:    []string{"426 or 451 in place of 425", "421 with the end of the session"},
		Fails:    []string{"no final reply (RFC 959 section 4.2)", "success or a permanent failure (RFC 959 section 4.2)"},
		Waits:    func(cfg *Config) time.Duration { return cfg.dataTimeout() },
		Run: func(s *Session) {
			c := s.Login()
			c.SetUp(PASV)
			t := c.Start("RETR %s", SmallFile).Finish(s.Config.dataTimeout())
			s.gradeNoConnection(t, "nobody connected to the passive port")
			if !c.gone {
				c.Alive("the data connection that never came")
			}
		},
	},
	{
		ID: "pasv-fresh-port", Requirements: []string{"FTP-PASV-011"}, Needs: []Need{NeedPassive, NeedFiles}, In: whereOpen,
		Title:    "Each PASV yields a fresh endpoint",
		Why:      "A repeated pair of ports can meet a connection of before in TIME_WAIT, and makes stealing the connection easier.",
		Conforms: []string{"20 transfers in one session work, and consecutive ports differ (RFC 1123 section 4.1.2.6)"},
		Noted:    []string{"one port for the whole session with a new client port each time: the pair is still new; it fails in the strict profile unless the configured range has one port"},
		Fails:    []string{"a transfer fails (RFC 1123 section 4.1.2.6)"},
		Run: func(s *Session) {
			c := s.Login()
			var last uint16
			repeats := 0
			for i := range 20 {
				p := c.SetUp(PASV)
				if t := c.Retrieve(p, "RETR %s", SmallFile); !t.OK() {
					s.Fatal("transfer %d of 20 failed: %s", i+1, t)
				}
				if p.Endpoint.Port() == last {
					repeats++
				}
				last = p.Endpoint.Port()
			}
			// A random choice may repeat itself now and then.
			if single := s.Target.PassivePorts; repeats >= 10 && (single.Min == 0 || single.Min != single.Max) {
				s.Strict("%d of 19 passive ports equalled the one before", repeats)
			}
		},
	},
	{
		ID: "pasv-replaces-listener", Requirements: []string{"FTP-PASV-012"}, Needs: []Need{NeedPassive, NeedFiles}, Exclusive: true, In: whereServed,
		Title:    "A second PASV closes the listener of the first",
		Why:      "Listeners that stay behind use up the range and stay open to strangers.",
		Conforms: []string{"the first port refuses, data arrives on the second (RFC 959 section 3.2)"},
		Fails:    []string{"the first port still accepts (RFC 959 section 3.2)", "the transfer over the second fails"},
		Run:      func(s *Session) { s.supersedesPassive(PASV, PASV, false) },
	},
	{
		ID: "pasv-replaces-connection", Requirements: []string{"FTP-PASV-013"}, Needs: []Need{NeedPassive, NeedFiles}, Exclusive: true,
		Title:    "A second PASV closes a data connection made to the first listener",
		Why:      "The rule that a change of the port specification closes the connection keeps two transfers apart.",
		Conforms: []string{"FIN or RST on the first connection within the bound (RFC 959 section 3.2)"},
		Fails:    []string{"it stays open (RFC 959 section 3.2)"},
		Run: func(s *Session) {
			c := s.Login()
			d, err := c.SetUp(PASV).Dial()
			if err != nil {
				s.Inconclusive("the passive port does not accept: %v", err)
			}
			c.SetUp(PASV)
			if d.Wait(s.Bounds.Close).Ending == fakeclient.EndNone {
				s.Fail("the connection to the first passive port was still open %v after the second PASV", s.Bounds.Close)
			}
		},
	},
	{
		ID: "pasv-serves-one-transfer", Requirements: []string{"FTP-PASV-014"}, Needs: []Need{NeedPassive, NeedFiles},
		Title:    "A further transfer without a new PASV ends in bounded time",
		Why:      "A server that waits for a connection to a port that it has closed hangs the client.",
		Conforms: []string{"425 at once (RFC 1123 section 4.1.2.6, conflict C-28)"},
		Noted:    []string{"503, another negative reply, a connection to the default data port, or the old port still being served"},
		Fails:    []string{"no final reply (RFC 959 section 4.2)"},
		Waits:    func(cfg *Config) time.Duration { return min(cfg.dataTimeout(), SlowWait) },
		Run:      pasvServesOne,
	},
	{
		ID: "pasv-argument", Requirements: []string{"FTP-PASV-015"},
		Title:    "PASV with an argument is refused",
		Why:      "An argument means that the client speaks another dialect; to ignore it hides that.",
		Conforms: []string{"501 (RFC 959 section 5.3.1)"},
		Noted:    []string{"227 with the argument ignored, or another 5yz; 227 fails in the strict profile"},
		Fails:    []string{"any other answer (RFC 959 section 5.4)"},
		Run: func(s *Session) {
			r := s.Login().Cmd("PASV 127,0,0,1")
			switch {
			case r.Code == 501:
			case r.Code == 227:
				s.Strict("PASV with an argument was answered %s", r)
			case r.Class() == 5:
				s.Note("PASV with an argument was answered %s", r)
			default:
				s.Fail("PASV with an argument was answered %s; 501 was expected", r)
			}
		},
	},
	{
		ID: "pasv-stor", Requirements: []string{"FTP-PASV-018"}, Needs: []Need{NeedPassive, NeedFiles}, In: whereServed,
		Title:    "A file stored over a passive connection is complete; the client's close ends it",
		Why:      "Uploads through firewalls depend on it.",
		Conforms: []string{"1yz, 226, and 1 MiB comes back unchanged (RFC 959 section 4.1.2)"},
		Fails:    []string{"the store fails, or what is stored differs (RFC 959 section 3.4)"},
		Run: func(s *Session) {
			c := s.Login()
			const name = "pasv-stor.bin"
			defer c.Try("DELE " + name) //nolint:errcheck // tidying up
			content := BigContent[:1<<20]
			t := c.Store(c.SetUp(PASV), content, "STOR %s", name)
			if !t.OK() {
				s.Fatal("the store failed: %s", t)
			}
			if got, ok := c.Content(name); !ok || !bytes.Equal(got, content) {
				s.Fail("%d octets were stored, %d came back, or they differ", len(content), len(got))
			}
		},
	},
	{
		ID: "pasv-range", Requirements: []string{"FTP-PASV-023"}, Needs: []Need{NeedPassive}, Exclusive: true, In: whereNamed,
		Title:    "Every passive port lies in the configured range and is usable, until the range is used up",
		Why:      "The firewall in front of the server opens exactly that range.",
		Conforms: []string{"more sessions than the range has ports get different ports inside it; those too many get 425, 421 or 451 (RFC 959 section 4.1.2)"},
		Noted:    []string{"the server stops before all ports of the range are in use"},
		Fails:    []string{"a port outside the range, or one that nobody listens on (RFC 959 section 4.1.2)", "a permanent failure for want of ports (RFC 959 section 4.2)"},
		Run:      pasvRange,
	},
}
