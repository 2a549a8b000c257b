package reference

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/ftpconform/ftpconform/ftp"
)

// store is where a transfer puts what it receives. What has come in before a
// transfer fails is kept, so that the client can go on with REST. A file that
// exists loses its contents only when the data connection is up.
type store struct {
	files   FileSystem
	name    string
	file    File
	created bool // the file did not exist before
	ascii   bool

	replace bool  // cut the file at its start
	end     bool  // begin at its end
	offset  int64 // in the file, of the next octet

	withhold int    // octets at the end that a fault drops
	tail     []byte // the last octets, not yet written because of that
	text     asciiWriter
}

// start makes the file ready.
func (st *store) start() error {
	var err error
	switch {
	case st.end:
		st.offset, err = st.file.Seek(0, io.SeekEnd)
	case st.replace:
		err = st.file.Truncate(0)
	default:
		_, err = st.file.Seek(st.offset, io.SeekStart)
	}
	st.text.w = storeFile{st}
	return err
}

// storeFile counts what reaches the file.
type storeFile struct{ st *store }

func (f storeFile) Write(p []byte) (int, error) {
	n, err := f.st.file.Write(p)
	f.st.offset += int64(n)
	return n, err
}

// write takes octets of the transfer.
func (st *store) write(p []byte) error {
	if st.withhold > 0 {
		st.tail = append(st.tail, p...)
		n := max(len(st.tail)-st.withhold, 0)
		p, st.tail = st.tail[:n], append([]byte(nil), st.tail[n:]...)
	}
	if st.ascii {
		_, err := st.text.Write(p)
		return err
	}
	_, err := storeFile{st}.Write(p)
	return err
}

// finish ends the file.
func (st *store) finish() error {
	if err := st.text.flush(); err != nil {
		return err
	}
	return st.file.Close()
}

// cmdSTOR replaces a file; after REST it writes from that offset on.
func (s *session) cmdSTOR(cmd ftp.Command) {
	s.storeAs("STOR", s.resolve(cmd.Arg), os.O_CREATE, &store{replace: true, end: s.o.Faults.STORAppends})
}

// cmdAPPE adds to a file; after REST it is STOR (RFC 3659 section 5.4).
func (s *session) cmdAPPE(cmd ftp.Command) {
	s.storeAs("APPE", s.resolve(cmd.Arg), os.O_CREATE, &store{end: true})
}

// stouTries bounds the search for a name that is free.
const stouTries = 10000

// cmdSTOU stores under a new name, made from the argument if there is one.
func (s *session) cmdSTOU(cmd ftp.Command) {
	stem := "unique"
	if cmd.Arg != "" {
		stem = cmd.Arg
	}
	name := s.resolve(stem)
	for i := 1; i < stouTries; i++ {
		if _, err := s.o.Files.Stat(name); errors.Is(err, fs.ErrNotExist) {
			break
		}
		name = fmt.Sprintf("%s.%d", s.resolve(stem), i)
	}
	s.storeAs("STOU", name, os.O_CREATE|os.O_EXCL, &store{})
}

// storeAs begins a transfer into name.
func (s *session) storeAs(verb, name string, flag int, st *store) {
	if s.preempted() {
		return
	}
	offset, restart := s.takeRestart()
	info, err := s.o.Files.Stat(name)
	switch {
	case err == nil && !info.Mode().IsRegular():
		s.failTransfer(553, "Not a plain file.")
		return
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		s.failTransfer(553, "File name not allowed.")
		return
	}
	st.files, st.name, st.created, st.ascii = s.o.Files, name, err != nil, s.transferASCII()
	if restart && verb != "STOU" {
		st.replace, st.end = false, false
		if st.offset, err = s.storeOffset(name, info, offset); err != nil {
			s.failTransfer(554, "Nothing at this restart position.")
			return
		}
	}
	st.file, err = s.o.Files.OpenFile(name, os.O_WRONLY|flag)
	switch {
	case errors.Is(err, ErrNoSpace):
		s.failTransfer(452, "No space left.")
		return
	case err != nil:
		s.failTransfer(553, "Cannot open the file.")
		return
	}
	text := "Opening data connection for " + name + "."
	if verb == "STOU" && !s.o.Faults.STOUUnnamed {
		text = ftp.FormatSTOUName(s.relative(name))
	}
	s.begin(&job{verb: verb, text: text, store: st, file: st.file})
}

// relative is the name in the form in which the client is shown it: without
// the directory when that is the current one.
func (s *session) relative(name string) string {
	if path.Dir(name) == s.cwd {
		return path.Base(name)
	}
	return name
}

// storeOffset maps the offset of REST to one in the file, which has to reach
// that far (RFC 3659 section 5.4).
func (s *session) storeOffset(name string, info fs.FileInfo, offset int64) (int64, error) {
	switch {
	case info == nil:
		return 0, fs.ErrNotExist
	case s.mode != 'S' || !s.transferASCII():
		if offset > info.Size() {
			return 0, errInsideLineEnd
		}
		return offset, nil
	}
	file, err := s.o.Files.OpenFile(name, os.O_RDONLY)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	return nativeOffset(file, offset)
}
