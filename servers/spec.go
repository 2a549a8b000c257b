package servers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/attach"
	"github.com/ftpconform/ftpconform/netsim/gateway"
)

// Spec describes a server: the file server.yaml in its folder.
type Spec struct {
	Name  string `yaml:"name"`
	Title string `yaml:"title"`
	// Family is the code base: servers of one family share defects.
	Family string `yaml:"family"`
	Home   string `yaml:"home"`
	// TLS is what this configuration offers: "none", "explicit" or "implicit".
	TLS            string `yaml:"tls"`
	User, Password string
	// Dir is the directory to write to, as the client names it; empty is where
	// the login leads. FullDir has room for 256 KiB and is, in the container,
	// FullPath.
	Dir      string `yaml:"dir"`
	FullDir  string `yaml:"full-dir"`
	FullPath string `yaml:"full-path"`
	// Active is false for a server without active mode.
	Active bool `yaml:"active"`
	// DataTimeout and IdleTimeout are the server's own as configured here; 0 is
	// unknown.
	DataTimeout time.Duration `yaml:"data-timeout"`
	IdleTimeout time.Duration `yaml:"idle-timeout"`
	// Jobs is how many checks it can be asked to stand at a time; 0 is the
	// driver's choice. PassivePorts is how many ports it is told on the engine's
	// bridge; 0 is as many as in the simulated networks.
	Jobs         int `yaml:"jobs"`
	PassivePorts int `yaml:"passive-ports"`
	// Capabilities are those of Linux that it needs beyond an engine's own.
	Capabilities []string `yaml:"capabilities"`
	// Command is the server, in the foreground, and Files are written before it
	// starts: the text by the name. In the words of one and the lines of the
	// others stand the placeholders of attach.Placeholders, and what has one
	// without a value is left out.
	Command []string          `yaml:"command"`
	Files   map[string]string `yaml:"files"`
	// Go is set for a server that is built from a Go module.
	Go *GoBuild `yaml:"go"`

	folder fs.FS
	dir    string // that folder on disk, empty for one inside the program
}

// GoBuild says how the program of a server is made from a Go module: it is put
// beside the Dockerfile as the file "server", with its version in "version".
type GoBuild struct {
	// Package is what "go install" takes, a package with its version, or, without
	// a version, one that is built as the module in the folder wants it, such as
	// ".".
	Package string `yaml:"package"`
	// Tags are build tags.
	Tags string `yaml:"tags"`
	// VersionOf is the module whose version is that of the server.
	VersionOf string `yaml:"version-of"`
}

// read reads the description in a folder, which is called dir.
func read(folder fs.FS, dir string) (*Spec, error) {
	text, err := fs.ReadFile(folder, specFile)
	if err != nil {
		return nil, fmt.Errorf("read the description %s: %w", path.Join(dir, specFile), cause(err))
	}
	s := &Spec{folder: folder, dir: dir, Active: true}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(s); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %s", path.Join(dir, specFile), plain(err))
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path.Join(dir, specFile), err)
	}
	if _, err := fs.Stat(folder, "Dockerfile"); err != nil {
		return nil, fmt.Errorf("%s says how a server is started, and there is no Dockerfile beside it that installs it", path.Join(dir, specFile))
	}
	return s, nil
}

// cause is what went wrong with a file, without its name.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// plain says the mistakes of a description in its own words and not in those of
// Go.
func plain(err error) string {
	text := strings.ReplaceAll(err.Error(), "\n", " ")
	for _, r := range []struct{ from, to string }{
		{`^yaml: unmarshal errors: *`, ""}, {`^yaml: `, ""}, {`in type servers\.\w+`, "here; docs/fleet.md lists the keys"}, {`field (\S+) not found`, "there is no key $1"},
		{"cannot unmarshal !!\\w+ `([^`]*)` into time.Duration", "$1 is no duration; write it as 30s"},
		{"cannot unmarshal !!\\w+ `([^`]*)` into \\[\\]string", "$1 has to be a list of words, such as [$1]"},
		{"cannot unmarshal !!\\w+ `([^`]*)` into \\S+", "$1 has the wrong kind"},
	} {
		text = regexp.MustCompile(r.from).ReplaceAllString(text, r.to)
	}
	return text
}

// imageName is what an engine takes for one.
var imageName = regexp.MustCompile(`^[a-z0-9]+(?:[._-][a-z0-9]+)*$`)

// check finds what is missing or makes no sense.
func (s *Spec) check() error {
	switch {
	case s.Name == "" || s.Title == "" || s.User == "":
		return errors.New("name, title and user are needed")
	case !imageName.MatchString(s.Name):
		return fmt.Errorf("name is %q; its image is called so, and takes small letters, digits, and . _ - between them", s.Name)
	case s.Password == "":
		return errors.New("password is needed: a user without one is somebody's mistake")
	case len(s.Command) == 0:
		return errors.New("command is needed: the server, in the foreground")
	case !slices.Contains([]string{"none", "explicit", "implicit"}, s.TLS):
		return fmt.Errorf("tls is %q; it must be none, explicit or implicit", s.TLS)
	case (s.FullDir == "") != (s.FullPath == ""):
		return errors.New("full-dir and full-path belong together")
	case s.DataTimeout < 0 || s.IdleTimeout < 0 || s.Jobs < 0 || s.PassivePorts < 0:
		return errors.New("a timeout, or a number, cannot be negative")
	case s.PassivePorts > 10000:
		return errors.New("passive-ports is more than 10000")
	case s.Go != nil && (s.Go.Package == "" || s.Go.VersionOf == ""):
		return errors.New("go needs package and version-of")
	}
	for name := range s.Files {
		if !path.IsAbs(name) {
			return fmt.Errorf("files: %s is not an absolute name", name)
		}
	}
	return nil
}

// Tells says what of its place the server is told, by its files or its command.
func (s *Spec) Tells() netsim.Told {
	text := slices.Clone(s.Command)
	for _, t := range s.Files {
		text = append(text, t)
	}
	return attach.Tells(text)
}

// passivePorts is the range on the bridge.
func (s *Spec) passivePorts() gateway.PortRange {
	r := gateway.PortRange{First: firstPassive, Last: firstPassive + passivePorts - 1}
	if s.PassivePorts > 0 {
		r.Last = firstPassive + uint16(s.PassivePorts) - 1
	}
	return r
}

// URL is the target that the server is at an address with a port.
func (s *Spec) URL(at string) string {
	u := url.URL{Scheme: "ftp", User: url.UserPassword(s.User, s.Password), Host: at, Path: "/" + s.Dir}
	return u.String()
}
