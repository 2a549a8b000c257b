package reference

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/ftpconform/ftpconform/ftp"
)

// read is the goroutine that assembles replies. It refuses Telnet options
// and ends with the control connection.
func (c *Client) read() {
	defer close(c.replies)
	defer func() {
		if v := recover(); v != nil {
			c.readErr = fmt.Errorf("panic in the reply reader: %v", v)
		}
	}()
	var replies ftp.ReplyReader
	lines := bufio.NewReaderSize(&telnetReader{c: c}, ftp.MaxReplyLine+2)
	for {
		text, err := lines.ReadSlice('\n')
		if err != nil {
			c.readErr = fmt.Errorf("control connection: %w", err)
			return
		}
		r, done, err := replies.Add(strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r"))
		switch {
		case err != nil:
			c.readErr = err
			c.conn.Close()
			return
		case !done:
			continue
		}
		select {
		case c.replies <- r:
		case <-c.stop:
			c.readErr = io.ErrClosedPipe
			return
		}
	}
}

// telnetReader is the control connection without its Telnet commands.
type telnetReader struct {
	c      *Client
	telnet ftp.Telnet
	left   []byte
}

// Read implements io.Reader.
func (t *telnetReader) Read(p []byte) (int, error) {
	for len(t.left) == 0 {
		buf := make([]byte, 4<<10)
		n, err := t.c.conn.Read(buf)
		text, answer := t.telnet.Decode(buf[:n])
		if len(answer) > 0 {
			if _, werr := t.c.conn.Write(answer); werr != nil {
				return 0, werr
			}
		}
		t.left = text
		if err != nil && len(text) == 0 {
			return 0, err
		}
	}
	n := copy(p, t.left)
	t.left = t.left[n:]
	return n, nil
}
