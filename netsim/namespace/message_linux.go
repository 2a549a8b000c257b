package namespace

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// The two sides talk in JSON, a message to a packet of a socket pair.

// maxMessage bounds a message in octets: less than what such a socket takes by
// default, and enough for a table with hundreds of entries.
const maxMessage = 160 << 10

// setup is the first message to a child.
type setup struct {
	Links   []Link            `json:"links"`
	Join    int               `json:"join"`
	TUN     string            `json:"tun"`
	Sysctls map[string]string `json:"sysctls"`
	Config  json.RawMessage   `json:"config"`
}

// ready is the answer; the descriptors of the devices come with it.
type ready struct {
	Error string `json:"error,omitempty"`
	// Lacks says that the error is about what the machine lacks; Hint says how
	// to get it.
	Lacks string `json:"lacks,omitempty"`
	Hint  string `json:"hint,omitempty"`
}

// channel is an end of the socket pair.
type channel struct{ conn *net.UnixConn }

// send sends a message, with descriptors or without.
func (c channel) send(v any, fds ...int) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(text) > maxMessage {
		return fmt.Errorf("a message of %d octets is too long", len(text))
	}
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	_, _, err = c.conn.WriteMsgUnix(text, rights, nil)
	return err
}

// maxDevices bounds the descriptors that come with a message.
const maxDevices = 8

// receive waits for a message, for ever where the bound is 0. The other side is
// gone where the error is io.EOF.
func (c channel) receive(v any, bound time.Duration) (fds []int, err error) {
	var until time.Time
	if bound > 0 {
		until = time.Now().Add(bound)
	}
	if err := c.conn.SetReadDeadline(until); err != nil {
		return nil, err
	}
	text, rights := make([]byte, maxMessage), make([]byte, unix.CmsgSpace(4*maxDevices))
	n, m, _, _, err := c.conn.ReadMsgUnix(text, rights)
	switch {
	case errors.Is(err, unix.ECONNRESET), err == nil && n == 0:
		return nil, io.EOF
	case err != nil:
		return nil, err
	}
	if m > 0 {
		if fds, err = descriptors(rights[:m]); err != nil {
			return nil, err
		}
	}
	return fds, json.Unmarshal(text[:n], v)
}

// descriptors reads those that came with a message. They are not inherited by
// programs that are started.
func descriptors(rights []byte) (fds []int, err error) {
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil {
		return nil, err
	}
	for i := range messages {
		some, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			return nil, err
		}
		fds = append(fds, some...)
	}
	for _, fd := range fds {
		unix.CloseOnExec(fd)
	}
	return fds, nil
}
