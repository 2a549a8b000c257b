package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/netsim"
)

// The ports of the client. Fixed ones are easier to follow than those that a
// host would choose.
const (
	clientControl = 40001
	clientData    = 40002 // from which it connects, in passive mode
	clientListens = 50000 // 195,80: where it is connected to, in active mode
)

// The patience of the client.
const (
	dialPatience  = 30 * time.Second // for a connection
	replyPatience = 60 * time.Second // for a reply
	quitPatience  = 5 * time.Second
)

// The same where waiting takes real time: less for a connection, and enough for
// what a real server tries before it replies.
const (
	realDialPatience  = 10 * time.Second
	realReplyPatience = 150 * time.Second
)

// dialFor and replyFor are the patience of the client on a stage.
func (s *Stage) dialFor() time.Duration {
	if s.real() {
		return realDialPatience
	}
	return dialPatience
}

func (s *Stage) replyFor() time.Duration {
	if s.Server != nil {
		return realReplyPatience
	}
	return replyPatience
}

// stage is how far the client has come.
type stage uint8

const (
	atConnect stage = iota // no control connection
	atLogin
	atSetup // PORT, PASV, EPRT or EPSV was not obeyed
	atData  // no data connection, or not what it should have been
	atEnd   // the file is there, and the server says so
)

// client fetches the file and keeps account of how it went.
type client struct {
	act    *Act
	world  *netsim.World
	record *recorder
	failed error // of ours

	stage       stage
	announced   netip.AddrPort // the data connection's far end, as the client knows it
	impossible  bool           // the mode has no word for the client's address
	err         error          // of the stage
	refusal     ftp.Reply      // the reply that ended it, code 0 if none did
	reply       string
	octets      int64
	from, until time.Duration
}

// now is the time since the start.
func (c *client) now() time.Duration { return c.world.Client().Now().Sub(c.world.Clock.Start()) }

// fetch plays the client's part; inside Run.
func (c *client) fetch(ctx context.Context) {
	host := c.world.Client()
	fc := fakeclient.New(ctx, fakeclient.Options{Network: host, Clock: host, DialBound: c.act.stage.dialFor()})
	defer fc.Close()
	dial := c.world.Topology.Dial
	k, err := fc.Dial(netip.AddrPortFrom(host.Addr(dial), clientControl), netip.AddrPortFrom(dial, controlPort))
	if err != nil {
		c.end(err)
		return
	}
	c.stage = atLogin
	if err := c.login(k); err != nil {
		c.end(err)
		return
	}
	c.stage = atSetup
	c.record.begin(Transfer)
	c.from = c.now()
	if c.act.Mode.Active() {
		err = c.active(fc, k)
	} else {
		err = c.passive(fc, k)
	}
	c.end(err)
	c.record.begin(End)
	if !errors.Is(err, fakeclient.ErrClosed) && k.Send("QUIT") == nil {
		_, _, _ = k.Final(quitPatience) // whatever it is, it is the end
	}
	_ = k.Close()
}

func (c *client) end(err error) { c.err, c.until = err, c.now() }

func (c *client) login(k *fakeclient.Control) error {
	if _, err := c.final(k, 2); err != nil {
		return err
	}
	user, password := "anonymous", "guest"
	if s := c.act.stage; s.User != "" {
		user, password = s.User, s.Password
	}
	if err := k.Send("USER " + user); err != nil {
		return err
	}
	r, _, err := k.Final(c.act.stage.replyFor())
	switch {
	case err != nil:
		return err
	case r.Code == 230:
		return c.heard(r.Reply, 2) // it wants no password
	}
	if err := c.heard(r.Reply, 3); err != nil {
		return err
	}
	_, err = c.command(k, "PASS "+password, 2)
	return err
}

// transfer is the command that makes the server send. Nothing is known of the
// files of a real server, but that they can be listed.
func (c *client) transfer() string {
	if c.act.stage.Server != nil {
		return "LIST"
	}
	return "RETR " + fileName
}

// command sends a line and wants a final reply of a class.
func (c *client) command(k *fakeclient.Control, line string, class int) (ftp.Reply, error) {
	if err := k.Send(line); err != nil {
		return ftp.Reply{}, err
	}
	return c.final(k, class)
}

func (c *client) final(k *fakeclient.Control, class int) (ftp.Reply, error) {
	r, _, err := k.Final(c.act.stage.replyFor())
	if err != nil {
		return r.Reply, err
	}
	return r.Reply, c.heard(r.Reply, class)
}

// heard takes note of a reply; it is an error if its class is another one.
func (c *client) heard(r ftp.Reply, class int) error {
	c.reply = r.String()
	if r.Class() != class {
		c.refusal = r
		return &ftp.ReplyError{Reply: r}
	}
	return nil
}

// active lets the server connect.
func (c *client) active(fc *fakeclient.Client, k *fakeclient.Control) error {
	at := netip.AddrPortFrom(k.Local.Addr(), clientListens)
	c.announced = at
	line := "EPRT " + ftp.FormatExtended(at)
	if c.act.Mode == PORT {
		if !at.Addr().Is4() {
			c.impossible, c.reply = true, ""
			return errors.New("PORT can name an IPv4 address only")
		}
		line = "PORT " + ftp.FormatHostPort(at)
	}
	l, err := fc.Listen(at)
	if err != nil {
		return err
	}
	defer l.Close()
	if _, err := c.command(k, line, 2); err != nil {
		return err
	}
	c.stage = atData
	if err := k.Send(c.transfer()); err != nil {
		return err
	}
	d, final, _, err := l.Await(k, c.act.stage.replyFor())
	if err != nil {
		return err
	}
	return c.receive(k, d, final)
}

// passive connects to where the server says.
func (c *client) passive(fc *fakeclient.Client, k *fakeclient.Control) error {
	r, err := c.command(k, string(c.act.Mode), 2)
	if err != nil {
		return err
	}
	if c.act.Mode == PASV {
		c.announced, err = ftp.ParsePASVReply(r.Text())
	} else {
		var port uint16
		port, err = ftp.ParseEPSVReply(r.Text())
		c.announced = netip.AddrPortFrom(k.Remote.Addr(), port)
	}
	if err != nil {
		return fmt.Errorf("read the reply %d: %w", r.Code, err)
	}
	c.stage = atData
	d, err := fc.DialData(netip.AddrPortFrom(k.Local.Addr(), clientData), c.announced)
	if err != nil {
		return err
	}
	if err := k.Send(c.transfer()); err != nil {
		return err
	}
	return c.receive(k, d, nil)
}

// receive takes the file, and the final reply if it has not come.
func (c *client) receive(k *fakeclient.Control, d *fakeclient.Data, final *fakeclient.Received) error {
	if d != nil {
		d.Wait(c.act.stage.replyFor())
		c.octets = d.Total()
		_ = d.Close()
	}
	if final != nil {
		if err := c.heard(final.Reply, 2); err != nil {
			return err
		}
	} else if _, err := c.final(k, 2); err != nil {
		return err
	}
	if c.octets != fileSize && c.act.stage.Server == nil {
		return fmt.Errorf("%d octets of %d have come", c.octets, fileSize)
	}
	c.stage = atEnd
	return nil
}
