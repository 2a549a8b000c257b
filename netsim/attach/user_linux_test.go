package attach_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ftpconform/ftpconform/netsim"
	"github.com/ftpconform/ftpconform/netsim/attach"
	"github.com/ftpconform/ftpconform/netsim/namespace"
)

// asNobody runs a test of this file again, as a user without rights.
func asNobody(t *testing.T, env ...string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	bin := filepath.Join(openDir(t), "attach.test")
	if out, err := exec.Command("cp", os.Args[0], bin).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.Command(bin, "-test.run=^"+t.Name()+"$", "-test.v") //nolint:gosec // ourselves
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return string(out)
}

// openDir is a folder that everybody can look into.
func openDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for d := dir; d != filepath.Dir(d) && d != os.TempDir(); d = filepath.Dir(d) {
		_ = os.Chmod(d, 0o755) //nolint:gosec // a test folder
	}
	return dir
}

// TestUser attaches a process as a user without rights, who can open a device
// for TUN.
func TestUser(t *testing.T) {
	const env = "FTPCONFORM_TEST_TUN"
	tun := os.Getenv(env)
	if tun == "" {
		tun = filepath.Join(openDir(t), "tun")
		if err := unix.Mknod(tun, unix.S_IFCHR|0o666, int(unix.Mkdev(10, 200))); err != nil {
			t.Skipf("a device for everybody cannot be made: %v", err)
		}
		_ = os.Chmod(tun, 0o666) //nolint:gosec // that is its point
		if out := asNobody(t, env+"="+tun); strings.Contains(out, "SKIP") {
			t.Skip(out)
		}
		return
	}
	spec, err := netsim.Builtin("direct")
	if err != nil {
		t.Fatal(err)
	}
	log := &lines{}
	p := attach.Process{Argv: []string{"/bin/sh", "-c", "id -u; cat /proc/net/route | wc -l"}, TUN: tun}
	s, err := p.Start(t.Context(), spec.ServerPlace(21), log.add)
	var missing *namespace.MissingError
	if errors.As(err, &missing) && !strings.Contains(missing.What, tun) {
		t.Skipf("users have no namespaces here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	<-s.Gone()
	_ = s.Close()
	if got := log.String(); got != "0\n3" { // a title, the network, the default
		t.Errorf("it says %q", got)
	}
}

// TestUserWithoutTUN is told what is missing.
func TestUserWithoutTUN(t *testing.T) {
	const env = "FTPCONFORM_TEST_NOBODY"
	if os.Getenv(env) == "" {
		asNobody(t, env+"=1")
		return
	}
	if f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0); err == nil {
		_ = f.Close()
		return // everybody may here
	}
	var missing *namespace.MissingError
	err := new(attach.Process).Available()
	if !errors.As(err, &missing) || missing.Hint == "" {
		t.Errorf("%v", err)
	}
	t.Log(err)
}
