package reference_test

import (
	"io"
	"strings"
	"testing"

	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/reference"
)

func TestModes(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"B", "C"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			c := started(t, reference.Options{})
			c.cmd(200, "TYPE I")
			c.cmd(200, "MODE "+mode)
			c.cmd(550, "SIZE text")
			d := c.data()
			for i, size := range []int{0, 1, 65535, 65536, 100_000} {
				data := strings.Repeat("ab\x00\x00\x00cccccc\xff", size/12+1)[:size]
				code := 125
				if i == 0 {
					code = 150
				}
				c.cmd(code, "STOR up")
				w := encoder(mode, d)
				io.WriteString(w, data)
				w.Close()
				c.want(250)
				c.cmd(125, "RETR up")
				got, err := io.ReadAll(decoder(mode, d))
				if err != nil || string(got) != data {
					t.Fatalf("%d octets: got %d, %v", size, len(got), err)
				}
				c.want(250)
			}
			d.Close()
			eventually(t, "the server noticed", func() bool { return c.cmd(0, "RETR up").Code == 425 })
			d = c.data()
			c.cmd(150, "STOR up")
			d.Close()
			c.want(426) // no end of file
			d = c.data()
			c.cmd(150, "NLST void")
			io.ReadAll(decoder(mode, d))
			c.want(250)
			c.cmd(200, "MODE S")
			if rest := slurp(t, d); rest != "" {
				t.Errorf("after MODE S: %q", rest)
			}
			c.inStep()
		})
	}
}

func encoder(mode string, w io.Writer) io.WriteCloser {
	if mode == "B" {
		return ftp.NewBlockWriter(w)
	}
	return ftp.NewCompressedWriter(w, ftp.FillerImage)
}

func decoder(mode string, r io.Reader) io.Reader {
	if mode == "B" {
		return ftp.NewBlockReader(r)
	}
	return ftp.NewCompressedReader(r, ftp.FillerImage)
}

func TestRestartMarkers(t *testing.T) {
	t.Parallel()
	c := started(t, reference.Options{})
	c.cmd(200, "TYPE I")
	c.cmd(200, "MODE B")
	d := c.data()
	c.cmd(150, "STOR up")
	w := ftp.NewBlockWriter(d)
	io.WriteString(w, "0123456789")
	w.Marker("M1")
	if got := c.want(110).Text(); got != "MARK M1 = 10" {
		t.Errorf("110: %q", got)
	}
	io.WriteString(w, "lost")
	w.Close()
	c.want(250)
	c.cmd(350, "REST 10")
	c.cmd(125, "STOR up")
	w = ftp.NewBlockWriter(d)
	io.WriteString(w, "found")
	w.Close()
	c.want(250)
	c.cmd(125, "RETR up")
	if got, _ := io.ReadAll(ftp.NewBlockReader(d)); string(got) != "0123456789found" {
		t.Errorf("got %q", got)
	}
	c.want(250)
}
