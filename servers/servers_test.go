package servers_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftpconform/ftpconform/servers"
)

// TestFleet holds for every folder: its description is whole and says its name,
// the server is told its passive ports or the file says why not, and its image
// is marked and says its version.
func TestFleet(t *testing.T) {
	t.Parallel()
	names := servers.Names()
	if len(names) < 10 {
		t.Errorf("the fleet has %d servers: %v", len(names), names)
	}
	for _, name := range names {
		s, err := servers.Find(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if s.Name != name || s.Family == "" || !strings.HasPrefix(s.Home, "http") {
			t.Errorf("%s: name %q, family %q, home %q", name, s.Name, s.Family, s.Home)
		}
		text, err := os.ReadFile(filepath.Join(name, "server.yaml"))
		if err != nil {
			t.Error(err)
		}
		if !s.Tells().PassivePorts && !strings.Contains(string(text), "no option for passive ports") {
			t.Errorf("%s is not told its passive ports, and server.yaml does not say why", name)
		}
		dockerfile, err := os.ReadFile(filepath.Join(name, "Dockerfile"))
		if err != nil {
			t.Error(err)
		}
		lines := strings.Split(string(dockerfile), "\n")
		from := strings.HasPrefix(lines[0], "FROM debian:bookworm-slim")
		for i, line := range lines {
			if strings.HasPrefix(line, "FROM ") && lines[i+1] != "LABEL org.ftpconform.fleet="+name {
				t.Errorf("%s: the first layer is not marked, so a build that fails leaves it: %s", name, lines[i+1])
			}
		}
		if !from || !strings.Contains(string(dockerfile), "/version") {
			t.Errorf("%s: the image is made of something else, or does not say its version", name)
		}
	}
}

// TestDescriptions: mistakes in a description are told, with the file.
func TestDescriptions(t *testing.T) {
	t.Parallel()
	const good = "name: x\ntitle: X\nuser: u\npassword: p\ntls: none\ncommand: [x]\n"
	for name, c := range map[string]struct{ text, says string }{
		"unknown key":     {good + "colour: red\n", "there is no key colour"},
		"no command":      {strings.Replace(good, "command: [x]\n", "", 1), "command is needed"},
		"no password":     {strings.Replace(good, "password: p\n", "", 1), "password is needed"},
		"no name":         {strings.Replace(good, "name: x\n", "", 1), "name, title and user"},
		"tls":             {strings.Replace(good, "none", "some", 1), `tls is "some"`},
		"half a full dir": {good + "full-dir: /full\n", "belong together"},
		"relative file":   {good + "files: {etc/x: y}\n", "not an absolute name"},
		"timeout":         {good + "data-timeout: -5s\n", "negative"},
		"no timeout":      {good + "data-timeout: soon\n", "soon is no duration; write it as 30s"},
		"no list":         {strings.Replace(good, "[x]", "x y", 1), "x y has to be a list of words"},
		"name":            {strings.Replace(good, "name: x", "name: Up", 1), "small letters"},
		"no Dockerfile":   {good, "there is no Dockerfile"},
		"go":              {good + "go: {package: .}\n", "version-of"},
		"not YAML":        {"a: [", "server.yaml"},
	} {
		dir := filepath.Join(t.TempDir(), "x")
		if err := os.Mkdir(dir, 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "server.yaml"), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := servers.Find(dir)
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "server.yaml") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := servers.Find("vsftpx"); err == nil || !strings.Contains(err.Error(), `no server "vsftpx"`) {
		t.Errorf("a server that does not exist: %v", err)
	}
}
