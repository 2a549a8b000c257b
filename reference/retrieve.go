package reference

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/ftpconform/ftpconform/ftp"
)

// resolve turns a name in a command into one of FileSystem (RFC 3659 section
// 6, TVFS). Every octet of the argument belongs to the name.
func (s *session) resolve(name string) string {
	if !strings.HasPrefix(name, "/") {
		name = s.cwd + "/" + name
	}
	return path.Clean(name)
}

// cmdRETR is RFC 959 section 4.1.3.
func (s *session) cmdRETR(cmd ftp.Command) {
	if s.preempted() {
		return
	}
	name := s.resolve(cmd.Arg)
	offset, restart := s.takeRestart()
	j := &job{verb: "RETR", text: "Opening data connection for " + name + "."}
	info, err := s.o.Files.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && s.o.Faults.MissingFileOpensData:
		j.missing = true
		s.begin(j)
		return
	case err != nil:
		s.failTransfer(550, "No such file.")
		return
	case !info.Mode().IsRegular():
		s.failTransfer(550, "Not a plain file.")
		return
	}
	file, err := s.o.Files.OpenFile(name, os.O_RDONLY)
	if err != nil {
		s.failTransfer(550, "Cannot open the file.")
		return
	}
	j.file, j.source, j.empty = file, file, info.Size() == 0
	if s.mode == 'S' && s.transferASCII() {
		j.source = newASCIIReader(file)
	}
	if restart {
		err = s.skip(j, file, info.Size(), offset)
	}
	if err != nil {
		j.release(false)
		s.failTransfer(554, "Nothing at this restart position.")
		return
	}
	if s.mode != 'S' && s.transferASCII() {
		j.source = newASCIIReader(file)
	}
	s.begin(j)
}

// skip starts the transfer at an offset: in stream mode counted in octets of
// the transfer, which in type A are not those of the file.
func (s *session) skip(j *job, file File, size, offset int64) error {
	if j.source == io.Reader(file) {
		if offset > size {
			return errInsideLineEnd
		}
		_, err := file.Seek(offset, io.SeekStart)
		return err
	}
	if n, err := io.CopyN(io.Discard, j.source, offset); err != nil {
		return fmt.Errorf("skip %d of %d octets: %w", n, offset, err)
	}
	return nil
}
