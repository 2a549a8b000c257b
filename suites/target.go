package suites

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ftpconform/ftpconform/reference"
)

// Target is the server under test, and what the preflight found out about it.
type Target struct {
	// Address is the control port that is dialled.
	Address netip.AddrPort
	// Others are further addresses at which the same server answers.
	Others []netip.Addr
	User   string
	// Password is never printed.
	Password string
	// Dir is the directory of the run on the target.
	Dir string
	// Local is the client's address; the zero value leaves it to the host.
	Local netip.Addr
	// Stranger is a second client address; the zero value when there is none.
	Stranger netip.Addr
	// PassivePorts is the configured passive range, zero if unknown.
	PassivePorts reference.PortRange

	// Name is the target as it may be printed, without the password.
	Name string
	// Banner, SYST and FEAT are what the server said of itself.
	Banner string
	SYST   string
	FEAT   []string

	lacks  map[Need]Lack
	stored []string // files that the preflight stored
	own    bool     // Dir is a directory of the run's own
	base   string   // the directory in which it was made
}

// Lack says why a need is not met.
type Lack struct {
	Verdict Verdict // Unsupported, NotApplicable or Inconclusive
	Reason  string
}

// Lacks returns why a need is not met; ok is false when it is met.
func (t *Target) Lacks(n Need) (Lack, bool) {
	l, ok := t.lacks[n]
	return l, ok
}

// Offers reports whether the answer to FEAT names a feature.
func (t *Target) Offers(feature string) bool {
	return slices.ContainsFunc(t.FEAT, func(line string) bool {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		return strings.EqualFold(name, feature)
	})
}

// Works reports whether transfers worked in a mode during the preflight.
func (t *Target) Works(m Mode) bool {
	_, lacks := t.lacks[needOf[m]]
	return !lacks
}

var needOf = map[Mode]Need{PASV: NeedPassive, PORT: NeedActive, EPSV: needEPSVWorks, EPRT: needEPRTWorks}

// Needs that only choose a mode: no check names them.
const (
	needEPSVWorks Need = "epsv-transfers"
	needEPRTWorks Need = "eprt-transfers"
)

// needs are all needs.
var needs = []Need{NeedData, NeedPassive, NeedActive, NeedEPSV, NeedEPRT, NeedStranger, NeedModeB, NeedModeC, NeedFiles, NeedPORT,
	NeedAdvertise, NeedOpenPorts, NeedFewPorts, NeedServerSide, needEPSVWorks, needEPRTWorks}

// UsageError says that the configuration makes no sense; the run has not
// begun.
type UsageError struct{ Message string }

func (e *UsageError) Error() string { return e.Message }

func usageErrorf(format string, args ...any) error {
	return &UsageError{Message: fmt.Sprintf(format, args...)}
}

// Stage names a step of the preflight.
type Stage string

// The stages of the preflight.
const (
	StageReach   Stage = "reach"
	StageLogin   Stage = "log in"
	StagePrepare Stage = "prepare"
)

// PreflightError says that the checks could not begin, at which stage, and
// what to do about it.
type PreflightError struct {
	Stage  Stage
	Target string
	Err    error
	Hint   string
}

func (e *PreflightError) Error() string {
	verb := map[Stage]string{StageReach: "cannot reach", StageLogin: "cannot log in to", StagePrepare: "cannot write on"}[e.Stage]
	s := fmt.Sprintf("%s %s: %v", verb, e.Target, e.Err)
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

func (e *PreflightError) Unwrap() error { return e.Err }

// Who logs in where nobody is named (RFC 1635).
const (
	anonymous         = "anonymous"
	anonymousPassword = "ftpconform@example.org"
)

// ParseTarget reads "ftp://user:password@host:port/dir". User and password
// default to those of anonymous access, the port to 21. The host is looked up.
func ParseTarget(ctx context.Context, text string) (*Target, error) {
	t, host, port, err := readTarget(text)
	if err != nil {
		return nil, err
	}
	addr, err := lookUp(ctx, host)
	if err != nil {
		return nil, &PreflightError{Stage: StageReach, Target: net.JoinHostPort(host, strconv.Itoa(port)), Err: err}
	}
	t.Address = netip.AddrPortFrom(addr, uint16(port))
	t.Name = fmt.Sprintf("ftp://%s@%s/%s", url.PathEscape(t.User), t.Address, t.Dir)
	return t, nil
}

// CheckTarget finds out whether a text can be a target, without looking its
// host up. The error is a *UsageError.
func CheckTarget(text string) error {
	_, _, _, err := readTarget(text)
	return err
}

// readTarget takes a target apart; its address is still to be looked up.
func readTarget(text string) (t *Target, host string, port int, err error) {
	// No message repeats the text, or what net/url says of it: both may hold a
	// part of a password.
	u, err := url.Parse(text)
	if err != nil || !strings.Contains(text, "://") {
		return nil, "", 0, usageErrorf("the target cannot be read; write it as ftp://user:password@host:port/dir, and / ? # @ %% in user and password as %%2F %%3F %%23 %%40 %%25")
	}
	if u.Scheme != "ftp" {
		return nil, "", 0, usageErrorf("the target's scheme is %q; only ftp:// can be checked", u.Scheme)
	}
	if u.Hostname() == "" {
		return nil, "", 0, usageErrorf("the target names no host; write it as ftp://user:password@host:port/dir")
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return nil, "", 0, usageErrorf("the target has more after its directory than can be understood; write a question mark as %%3F and a number sign as %%23")
	}
	if u.User == nil && strings.Contains(u.Path, "@") {
		// The beginning of a password may have been taken for a port.
		return nil, "", 0, usageErrorf("the target has an @ after its first slash; write / in user and password as %%2F, and @ in the directory as %%40")
	}
	port = 21
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil || port < 1 || port > 65535 {
			return nil, "", 0, usageErrorf("the target's port is not from 1 to 65535")
		}
	}
	t = &Target{User: anonymous, Password: anonymousPassword, Dir: strings.TrimPrefix(u.Path, "/")}
	if u.User != nil {
		t.User = u.User.Username()
		t.Password, _ = u.User.Password()
	}
	for _, s := range []string{t.User, t.Password, t.Dir} {
		if strings.ContainsAny(s, "\r\n\x00") {
			return nil, "", 0, usageErrorf("the target's user, password and directory must not hold line ends or NUL")
		}
	}
	return t, u.Hostname(), port, nil
}

// lookUp resolves a host name, IPv4 first: it is what PORT and PASV speak.
func lookUp(ctx context.Context, name string) (netip.Addr, error) {
	if a, err := netip.ParseAddr(name); err == nil {
		return a.Unmap(), nil
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return netip.Addr{}, err
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	if i := slices.IndexFunc(addrs, netip.Addr.Is4); i >= 0 {
		return addrs[i], nil
	}
	if len(addrs) == 0 {
		return netip.Addr{}, fmt.Errorf("%s has no address", name)
	}
	return addrs[0], nil
}
