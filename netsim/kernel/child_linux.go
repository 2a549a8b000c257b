package kernel

import (
	"errors"
	"io"

	"github.com/ti-mo/conntrack"

	"github.com/ftpconform/ftpconform/netsim/gateway"
	"github.com/ftpconform/ftpconform/netsim/namespace"
)

// role is that of a child that is a gateway.
const role = "gateway"

func init() { namespace.Serve(role, serve) }

// What the child is asked and says.
type (
	built    struct{ Error string }
	question struct{ Table, Forget bool }
	answer   struct {
		Table gateway.Table
		Error string
	}
)

// serve makes the rules, and then answers questions until the Space is closed.
func serve(c *namespace.Child) error {
	var o config
	if err := c.Config(&o); err != nil {
		return err
	}
	f, err := newFollower()
	if err == nil {
		err = o.apply()
	}
	if err != nil {
		return c.Send(built{Error: err.Error()})
	}
	if err := c.Send(built{}); err != nil {
		return err
	}
	for {
		var q question
		switch err := c.Receive(&q, 0); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		var a answer
		var err error
		if q.Forget {
			err = forget()
		} else {
			a.Table, err = f.table()
		}
		if err != nil {
			a.Error = err.Error()
		}
		if err := c.Send(a); err != nil {
			return err
		}
	}
}

// forget empties the kernel's table.
func forget() error {
	c, err := conntrack.Dial(nil)
	if err != nil {
		return err
	}
	return errors.Join(c.Flush(), c.Close())
}
