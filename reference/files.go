package reference

import (
	"fmt"
	"os"
	"path"

	"github.com/ftpconform/ftpconform/ftp"
)

// cmdCWD changes the directory in which names begin.
func (s *session) cmdCWD(cmd ftp.Command) { s.chdir(s.resolve(cmd.Arg)) }

// cmdCDUP answers like CWD (RFC 959 section 4.1.1); at the root it stays.
func (s *session) cmdCDUP(ftp.Command) { s.chdir(path.Dir(s.cwd)) }

func (s *session) chdir(name string) {
	info, err := s.o.Files.Stat(name)
	if err != nil || !info.IsDir() {
		s.reply(550, "No such directory.")
		return
	}
	s.cwd = name
	s.reply(250, "Directory changed.")
}

// cmdPWD is RFC 959 section 4.1.3 and its appendix II.
func (s *session) cmdPWD(ftp.Command) {
	code := 257
	if s.o.Faults.OddCodes {
		code = 258
	}
	s.courteous(code, ftp.QuoteName(s.cwd)+" is the current directory.")
}

// cmdMKD reports the absolute name (RFC 959 appendix II).
func (s *session) cmdMKD(cmd ftp.Command) {
	name := s.resolve(cmd.Arg)
	if err := s.o.Files.Mkdir(name); err != nil {
		s.reply(550, "Cannot make the directory.")
		return
	}
	s.reply(257, ftp.QuoteName(name)+" created.")
}

// cmdRMD removes an empty directory.
func (s *session) cmdRMD(cmd ftp.Command) { s.remove(s.resolve(cmd.Arg), true) }

// cmdDELE removes a file.
func (s *session) cmdDELE(cmd ftp.Command) { s.remove(s.resolve(cmd.Arg), false) }

func (s *session) remove(name string, dir bool) {
	info, err := s.o.Files.Stat(name)
	if err != nil || info.IsDir() != dir {
		s.reply(550, "No such object of this kind.")
		return
	}
	if err := s.o.Files.Remove(name); err != nil {
		s.reply(550, "Cannot remove it.")
		return
	}
	s.reply(250, "Removed.")
}

// cmdRNFR is the first half of a rename; RNTO has to follow directly.
func (s *session) cmdRNFR(cmd ftp.Command) {
	name := s.resolve(cmd.Arg)
	if _, err := s.o.Files.Stat(name); err != nil {
		s.reply(550, "No such file or directory.")
		return
	}
	s.renameFrom = name
	s.reply(350, "Send RNTO with the new name.")
}

// cmdRNTO is the second half of a rename.
func (s *session) cmdRNTO(cmd ftp.Command) {
	from := s.renameFrom
	s.renameFrom = ""
	if from == "" {
		s.reply(503, "RNFR comes first.")
		return
	}
	if err := s.o.Files.Rename(from, s.resolve(cmd.Arg)); err != nil {
		s.reply(553, "Cannot rename to this name.")
		return
	}
	s.reply(250, "Renamed.")
}

// cmdSIZE tells how many octets RETR would send with the TYPE and MODE in
// force, or 550 where that is not known (RFC 3659 section 4).
func (s *session) cmdSIZE(cmd ftp.Command) {
	name := s.resolve(cmd.Arg)
	info, err := s.o.Files.Stat(name)
	switch {
	case err != nil || !info.Mode().IsRegular():
		s.reply(550, "Not a plain file.")
		return
	case s.mode != 'S':
		s.reply(550, "SIZE is for stream mode.")
		return
	case !s.ascii():
		s.reply(213, fmt.Sprint(info.Size()))
		return
	case info.Size() > maxASCIISize:
		s.reply(550, "File too large for SIZE in TYPE A.")
		return
	}
	file, err := s.o.Files.OpenFile(name, os.O_RDONLY)
	if err != nil {
		s.reply(550, "Cannot open the file.")
		return
	}
	defer file.Close()
	size, err := asciiSize(file)
	if err != nil {
		s.reply(451, "Cannot read the file.")
		return
	}
	s.reply(213, fmt.Sprint(size))
}

// cmdMDTM tells when a file was changed (RFC 3659 section 3). The whole of
// the argument is a name, even where it begins like a time.
func (s *session) cmdMDTM(cmd ftp.Command) {
	info, err := s.o.Files.Stat(s.resolve(cmd.Arg))
	if err != nil || !info.Mode().IsRegular() {
		s.reply(550, "Not a plain file.")
		return
	}
	s.reply(213, ftp.FormatTime(info.ModTime()))
}
