package servers_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/servers"
)

// engine skips a test where containers cannot be started.
func engine(t *testing.T) {
	t.Helper()
	if err := servers.Available(t.Context()); err != nil {
		t.Skip(err)
	}
	if out, err := exec.Command("docker", "image", "inspect", "debian:bookworm-slim").CombinedOutput(); err != nil {
		t.Skipf("no base image, which make base-image makes: %s", out)
	}
}

// docker asks the engine by its own program, which knows nothing of ours.
func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).Output()
	if err != nil {
		t.Fatalf("docker %v: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}

// folder makes one of a server that is a shell script.
func folder(t *testing.T, name, dockerfile, script string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	yaml := "name: " + name + "\ntitle: a trial\nuser: u\npassword: p4ss\ntls: none\ncommand: [sh, -c, '" + script + "']\n"
	for file, text := range map[string]string{"server.yaml": yaml, "Dockerfile": dockerfile} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// trial is an image with nothing in it.
const trial = "FROM debian:bookworm-slim\nLABEL org.ftpconform.fleet=trial\nRUN echo 7.1 > /version\n"

// TestStart starts a server, which greets, and says what it is; nothing is left
// when it is closed.
func TestStart(t *testing.T) {
	t.Parallel()
	engine(t)
	s, err := servers.Start(t.Context(), "vsftpd")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(s.Version, "3.0.3-") || !s.Addr.IsValid() || !strings.Contains(s.URL(), s.Addr.String()) {
		t.Errorf("version %q, address %v, URL %s", s.Version, s.Addr, s.URL())
	}
	id := s.Container()
	if out := docker(t, "ps", "-q", "--filter", "id="+id); out == "" {
		t.Error("its container does not run")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if out := docker(t, "ps", "-aq", "--filter", "id="+id); out != "" {
		t.Error("its container is still there")
	}
}

// TestStartFails: a server that ends at once, one that never greets within the
// time that its caller has, and an image that cannot be built are told; no
// container and no layer stay.
func TestStartFails(t *testing.T) {
	t.Parallel()
	engine(t)
	for _, c := range []struct{ name, dockerfile, script, says string }{
		{"trial-ends", trial, "echo no licence for the password p4ss; exit 3", "exited with status 3"},
		{"trial-mute", trial, "sleep 100", "deadline"},
		{"trial-unbuilt", trial + "RUN echo this fails; exit 9\n", "true", "this fails"},
		{"trial-nameless", "FROM debian:bookworm-slim\nLABEL org.ftpconform.fleet=trial\n", "sleep 100", "/version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			spec, err := servers.Find(folder(t, c.name, c.dockerfile, c.script))
			if err != nil {
				t.Fatal(err)
			}
			bound := 60 * time.Second
			if c.name == "trial-mute" {
				if _, err := spec.Image(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
				bound = 3 * time.Second
			}
			ctx, cancel := context.WithTimeout(t.Context(), bound)
			defer cancel()
			s, err := spec.Start(ctx, servers.Options{})
			if err == nil {
				t.Errorf("it has started: %v", s.Close())
			} else if !strings.Contains(err.Error(), c.says) {
				t.Error(err)
			}
			if c.name == "trial-ends" && !strings.Contains(err.Error(), "no licence for the password ****") {
				t.Errorf("what it said is missing, or says too much: %v", err)
			}
			if left := docker(t, "ps", "-aq", "--filter", "label=org.ftpconform.fleet="+c.name); left != "" {
				t.Errorf("containers are left: %s", left)
			}
			// By name: images that are alike share one identifier.
			if image := docker(t, "images", "--format", "{{.Repository}}:{{.Tag}}", "ftpconform/"+c.name); image != "" {
				docker(t, "rmi", image)
			}
		})
	}
	t.Cleanup(func() {
		if left := docker(t, "images", "-q", "--filter", "dangling=true", "--filter", "label=org.ftpconform.fleet=trial"); left != "" {
			t.Errorf("layers are left: %s", left)
		}
	})
}

// TestSweep: the container of a process that was ended hard goes when the next
// one starts a container.
func TestSweep(t *testing.T) {
	t.Parallel()
	engine(t)
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		t.Skipf("nothing tells one boot from another: %v", err)
	}
	start := func(owner string) string {
		return docker(t, "run", "-d", "--network", "none", "--label", "org.ftpconform.owner="+owner, "debian:bookworm-slim", "sleep", "300")
	}
	numbers, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		t.Skip(err)
	}
	here := strings.TrimSpace(string(boot))
	dead, kept, other := start(here+"/"+numbers+"/1/4294967295"), start("user"), start("another-boot/"+numbers+"/1/1")
	unseen := start(here + "/pid:[1]/1/1")
	defer docker(t, "rm", "-f", kept, other, unseen)
	// Once a process: this one may have done it, so another one does.
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(exe, "-test.run", "^TestStart$").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for id, want := range map[string]bool{dead: false, kept: true, other: true, unseen: true} {
		if got := docker(t, "ps", "-aq", "--filter", "id="+id) != ""; got != want {
			t.Errorf("container %.12s is there: %v, want %v", id, got, want)
		}
	}
}

// TestUnavailable: without an engine there is one sentence.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run", "^TestReach$", "-test.v")
	cmd.Env = append(os.Environ(), "DOCKER_HOST=tcp://127.0.0.1:1")
	out, _ := cmd.CombinedOutput() // that it fails is what is looked at
	if !strings.Contains(string(out), "Docker cannot be used here") {
		t.Errorf("%s", out)
	}
}

// TestReach is what TestUnavailable runs.
func TestReach(t *testing.T) {
	t.Parallel()
	err := servers.Available(t.Context())
	var none *servers.UnavailableError
	if err != nil && !errors.As(err, &none) {
		t.Fatal(err)
	}
	t.Log(err)
}
