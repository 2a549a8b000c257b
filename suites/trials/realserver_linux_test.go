package trials_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/reference"
	"github.com/ftpconform/ftpconform/suites"
)

// realServer knows how to run a server of Debian on loopback.
type realServer struct {
	name   string
	binary string // below the folder that .ci/get-servers fills
	port   uint16
	// passive is its range; DataTimeout what it is configured with.
	passive     reference.PortRange
	dataTimeout time.Duration
	// prepare writes what it needs into dir and returns its command line and
	// the rest of the target.
	prepare func(t *testing.T, s realServer, bin, dir string) (args []string, target string)
}

// The ports are fixed, because the servers are told them in files; each server
// has a block of its own, clear of those of the embedded one.
var realServers = []realServer{
	{name: "vsftpd", binary: "vsftpd/usr/sbin/vsftpd", port: 8110, passive: reference.PortRange{Min: 8120, Max: 8179},
		dataTimeout: 5 * time.Second, prepare: vsftpd},
	{name: "proftpd", binary: "proftpd-core/usr/sbin/proftpd", port: 8210, passive: reference.PortRange{Min: 8220, Max: 8279}, prepare: proftpd},
	{name: "pure-ftpd", binary: "pure-ftpd/usr/sbin/pure-ftpd", port: 8310, passive: reference.PortRange{Min: 8320, Max: 8439}, prepare: pureFTPd},
}

// start runs the server until the test ends and returns what to verify. It
// skips the test where the server is not installed or cannot be run.
func (s realServer) start(t *testing.T) suites.Config {
	t.Helper()
	bin := s.find(t)
	if os.Geteuid() != 0 {
		t.Skipf("%s is started as root, so that it can change to the user of the files; run the tests as root to include it", s.name)
	}
	dir := t.TempDir()
	// The server's own user has to get through.
	open(dir)
	args, target := s.prepare(t, s, bin, dir)
	ctx, cancel := context.WithCancel(context.Background())
	var log bytes.Buffer
	cmd := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // our own arguments
	cmd.Stdout, cmd.Stderr = &log, &log
	// A group of its own: the server's children end with it, and it does not
	// outlive a test that is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it was killed
	})
	at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), s.port)
	if err := greeted(ctx, at); err != nil {
		cancel()
		_ = cmd.Wait()
		t.Fatalf("%s does not greet: %v\n%s", s.name, err, log.String())
	}
	return suites.Config{Target: target, PassivePorts: s.passive, DataTimeout: s.dataTimeout}
}

// find looks for the program where .ci/get-servers puts it, then on the path.
func (s realServer) find(t *testing.T) string {
	t.Helper()
	local, err := filepath.Abs(filepath.Join("..", "..", "servers-local", s.binary))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(local); err == nil {
		return local
	}
	if bin, err := exec.LookPath(filepath.Base(s.binary)); err == nil && s.name == "vsftpd" {
		return bin
	}
	t.Skipf("%s is not here; .ci/get-servers gets it (Debian, root)", s.name)
	return ""
}

// greeted waits until the server greets.
func greeted(ctx context.Context, at netip.AddrPort) error {
	var last error
	for range 100 {
		conn, err := host.OS{}.Dial(ctx, netip.AddrPort{}, at)
		if err == nil {
			_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			_, err = conn.Read(make([]byte, 1))
			_ = conn.Close()
			if err == nil {
				return nil
			}
		}
		last = err
		if err := (host.RealTime{}).Sleep(ctx, 100*time.Millisecond); err != nil {
			return errors.Join(last, err)
		}
	}
	return last
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// folder makes a folder that belongs to a user.
func folder(t *testing.T, owner string, parts ...string) string {
	t.Helper()
	dir := filepath.Join(parts...)
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // served by another user
		t.Fatal(err)
	}
	u, err := user.Lookup(owner)
	if err != nil {
		t.Skipf("the user %s is missing: %v", owner, err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	return dir
}

// vsftpd serves anonymous users, who may write below /up. The user daemon is
// used because vsftpd wants one whose home exists.
func vsftpd(t *testing.T, s realServer, bin, dir string) ([]string, string) {
	t.Helper()
	root := folder(t, "root", dir, "root")
	folder(t, "daemon", root, "up")
	empty := folder(t, "root", dir, "empty")
	conf := filepath.Join(dir, "vsftpd.conf")
	write(t, conf, strings.Join([]string{
		"listen=YES", "listen_address=127.0.0.1", fmt.Sprintf("listen_port=%d", s.port), "background=NO",
		"ftp_username=daemon", "nopriv_user=nobody", "secure_chroot_dir=" + empty, "seccomp_sandbox=NO", "xferlog_enable=NO", "max_per_ip=0",
		"local_enable=NO", "anonymous_enable=YES", "anon_root=" + root, "anon_world_readable_only=NO",
		"write_enable=YES", "anon_upload_enable=YES", "anon_mkdir_write_enable=YES", "anon_other_write_enable=YES",
		"connect_from_port_20=YES", fmt.Sprintf("ftp_data_port=%d", s.port-1),
		fmt.Sprintf("pasv_min_port=%d", s.passive.Min), fmt.Sprintf("pasv_max_port=%d", s.passive.Max),
		"accept_timeout=5", "connect_timeout=5", "",
	}, "\n"))
	return []string{bin, conf}, fmt.Sprintf("ftp://anonymous:guest@127.0.0.1:%d/up", s.port)
}

// account returns the user nobody, and the hash of the password "secret" in the
// form of crypt(3).
func account(t *testing.T) (*user.User, string) {
	t.Helper()
	hash, err := exec.Command("openssl", "passwd", "-6", "-salt", "ftpconform", "secret").Output()
	if err != nil {
		t.Skipf("openssl is needed for the password file: %v", err)
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skip(err)
	}
	return nobody, string(bytes.TrimSpace(hash))
}

func proftpd(t *testing.T, s realServer, bin, dir string) ([]string, string) {
	t.Helper()
	files := folder(t, "nobody", dir, "files")
	passwd := filepath.Join(dir, "passwd")
	nobody, hash := account(t)
	write(t, passwd, fmt.Sprintf("ftpuser:%s:%s:%s::%s:/bin/sh\n", hash, nobody.Uid, nobody.Gid, files))
	conf := filepath.Join(dir, "proftpd.conf")
	write(t, conf, strings.Join([]string{
		`ServerName "ftpconform"`, "ServerType standalone", "DefaultAddress 127.0.0.1", "SocketBindTight on",
		fmt.Sprintf("Port %d", s.port), "UseIPv6 off", "User nobody", "Group nogroup", "MaxInstances 200",
		"AuthOrder mod_auth_file.c", "AuthUserFile " + passwd, "RequireValidShell off", "DefaultRoot ~", "AllowOverwrite on",
		fmt.Sprintf("PassivePorts %d %d", s.passive.Min, s.passive.Max), "TransferLog none", "WtmpLog off",
		"PidFile " + filepath.Join(dir, "pid"), "ScoreboardFile " + filepath.Join(dir, "scoreboard"),
		"DelayTable " + filepath.Join(dir, "delay"), "SystemLog " + filepath.Join(dir, "log"), "",
	}, "\n"))
	return []string{bin, "-n", "-c", conf}, fmt.Sprintf("ftp://ftpuser:secret@127.0.0.1:%d/", s.port)
}

func pureFTPd(t *testing.T, s realServer, bin, dir string) ([]string, string) {
	t.Helper()
	files := folder(t, "nobody", dir, "files")
	pw := filepath.Join(filepath.Dir(filepath.Dir(bin)), "bin", "pure-pw")
	list, db := filepath.Join(dir, "list"), filepath.Join(dir, "db")
	// The hashes that pure-pw makes are slow on purpose, seconds for a login.
	nobody, hash := account(t)
	write(t, list, fmt.Sprintf("ftpuser:%s:%s:%s::%s/./::::::::::::\n", hash, nobody.Uid, nobody.Gid, files))
	if out, err := exec.Command(pw, "mkdb", db, "-f", list).CombinedOutput(); err != nil { //nolint:gosec // our own arguments
		t.Fatalf("pure-pw: %v\n%s", err, out)
	}
	// It lets in half as many clients as the range has ports, and closes every
	// descriptor up to the limit at each login, which takes seconds where the
	// limit is high.
	return []string{"sh", "-c", `ulimit -n 1024; exec "$0" "$@"`, bin, "-S", fmt.Sprintf("127.0.0.1,%d", s.port), "-p", fmt.Sprintf("%d:%d", s.passive.Min, s.passive.Max),
		"-l", "puredb:" + db, "-u", "1", "-E", "-H", "-c", "200", "-C", "200", "-g", filepath.Join(dir, "pid")}, fmt.Sprintf("ftp://ftpuser:secret@127.0.0.1:%d/", s.port)
}
