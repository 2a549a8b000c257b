package reference_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ftpconform/ftpconform/ftp"
	"github.com/ftpconform/ftpconform/reference"
)

// TestDialogues drives one session per case through lines and their codes.
func TestDialogues(t *testing.T) {
	t.Parallel()
	at := serve(t, reference.Options{Anonymous: true}, "127.0.0.1")
	type step struct {
		line string
		code int
	}
	tests := map[string][]step{
		"case":     {{"noop", 200}, {"NoOp", 200}, {"Type i", 200}, {"pAsV", 227}},
		"synonyms": {{"XPWD", 257}, {"XMKD d1", 257}, {"XCWD d1", 250}, {"XCUP", 250}, {"XRMD d1", 250}},
		"unknown and unimplemented": {{"ZZZZ", 500}, {"", 500}, {" NOOP", 500}, {"SMNT /x", 502},
			{"AUTH TLS", 502}, {"LANG en", 502}, {"HOST a", 502}, {"ALGS STATUS64", 502}},
		"TYPE": {{"TYPE A", 200}, {"TYPE A N", 200}, {"TYPE A T", 200}, {"TYPE I", 200}, {"TYPE   I", 200},
			{"TYPE L 8", 200}, {"TYPE L", 501}, {"TYPE L x", 501}, {"TYPE L 36", 504}, {"TYPE E", 504},
			{"TYPE A C", 504}, {"TYPE Z", 504}, {"TYPE", 501}, {"TYPE \t", 501}, {"TYPE I N", 501}, {"TYPE A N N", 501}},
		"MODE and STRU": {{"MODE S", 200}, {"MODE b", 200}, {"MODE C", 200}, {"MODE Q", 504}, {"MODE", 501},
			{"STRU f", 200}, {"STRU R", 504}, {"STRU P", 504}, {"STRU X", 504}, {"STRU FF", 501}},
		"ALLO": {{"ALLO 10", 202}, {"ALLO 10 R 20", 202}, {"ALLO", 501}, {"ALLO x", 501}, {"ALLO 1 2 3", 501}, {"ALLO \t", 501}},
		"REST": {{"REST 0", 350}, {"REST 99999999999", 350}, {"REST 9223372036854775808", 501}, {"REST -1", 501},
			{"REST 10x", 501}, {"REST", 501}, {"REST +1", 501}},
		"directories": {{"MKD q", 257}, {"MKD q", 550}, {"CWD q", 250}, {"PWD", 257}, {"CDUP", 250}, {"CDUP", 250},
			{"RMD q", 250}, {"RMD q", 550}, {"CWD q", 550}, {"CWD text", 550}, {"RMD text", 550}, {"CWD", 501},
			{"CDUP x", 501}, {"PWD x", 501}, {"RMD /", 550}, {"MKD /", 550}},
		"RNFR": {{"RNTO x", 503}, {"RNFR missing", 550}, {"RNFR dir/a b", 350}, {"RNTO moved", 250}, {"RNFR moved", 350},
			{"NOOP", 200}, {"RNTO back", 503}, {"DELE moved", 250}, {"DELE moved", 550}, {"DELE dir", 550}},
		"SIZE and MDTM": {{"SIZE text", 213}, {"SIZE missing", 550}, {"SIZE dir", 550}, {"SIZE *", 550},
			{"MDTM text", 213}, {"MDTM missing", 550}, {"MDTM 20240101000000 text", 550}},
		"MLST":  {{"MLST text", 250}, {"MLST", 250}, {"MLST missing", 550}},
		"OPTS":  {{"OPTS MLST type", 200}, {"OPTS MLST type size", 501}, {"OPTS NOOP x", 501}, {"OPTS", 501}, {"OPTS UTF8 ON", 200}, {"OPTS UTF8 OFF", 501}},
		"HELP":  {{"HELP", 214}, {"HELP retr", 214}, {"HELP zzzz", 501}, {"SITE HELP", 214}, {"SITE CHMOD 1 x", 504}},
		"info":  {{"SYST", 215}, {"SYST x", 501}, {"FEAT x", 501}, {"ACCT x", 202}, {"ABOR", 226}, {"ABOR x", 501}, {"STAT", 211}, {"STAT text", 213}, {"STAT missing", 450}},
		"login": {{"PASS pass", 503}, {"USER user", 331}, {"NOOP", 200}, {"PASS pass", 503}, {"USER nobody", 331}, {"PASS x", 530}, {"USER anonymous", 331}, {"PASS me@", 230}, {"USER user", 331}, {"PASS pass", 230}},
		"early": {{"LIST missing", 450}, {"NLST missing", 450}, {"MLSD missing", 550}, {"MLSD text", 501}, {"RETR missing", 550},
			{"RETR dir", 550}, {"STOR dir", 553}, {"STOR missing/x", 553}, {"RETR", 501}, {"STOR", 501}},
		"malformed PORT": {{"PORT 127,0,0,1,200", 501}, {"PORT 127,0,0,1,200,1,1", 501}, {"PORT", 501}, {"PORT a,b,c,d,e,f", 501},
			{"PORT 127,0,0,256,200,1", 501}, {"PORT 127,0,0,1,-1,1", 501}, {"PORT 127.0.0.1.200.1", 501}, {"PORT 127,0,0,1,200,1 ", 501},
			{"PORT 127,0,0,1,0,0", 501}, {"PORT 127,0,0,1,0,25", 504}, {"PORT 127,0,0,2,200,1", 504}, {"PORT 0,0,0,0,200,1", 501},
			{"PORT 224,0,0,1,200,1", 501}, {"PORT 255,255,255,255,200,1", 501}, {"PORT  127,0,0,1,200,1", 200}},
		"malformed EPRT": {{"EPRT |1|127.0.0.1|51200", 501}, {"EPRT |1||51200|", 501}, {"EPRT |1|127.0.0.1|0|", 501},
			{"EPRT |1|127.0.0.1|65536|", 501}, {"EPRT  |1|127.0.0.1|51200|", 501}, {"EPRT 111127.0.0.115120011", 501}, {"EPRT", 501},
			{"EPRT |3|x|1234|", 522}, {"EPRT |2|::1|1234|", 522}, {"EPRT |1|::1|1234|", 501}, {"EPRT |1|127.0.0.2|51200|", 504},
			{"EPRT |1|127.0.0.1|25|", 504}, {"EPRT |1|localhost|51200|", 501}, {"EPRT !1!127.0.0.1!51200!", 200},
			{"EPRT |2|::ffff:127.0.0.1|51200|", 200}, {"EPRT |2|::ffff:127.0.0.2|51200|", 504}},
		"LPRT": {{"LPRT 4,4,127,0,0,1,2,200,1", 200}, {"LPRT 16,4,1,2,3,4,2,10,10", 521}, {"LPRT 4,5,127,0,0,1,2,200,1", 501},
			{"LPRT 6,16,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,2,200,1", 521}, {"LPRT 4,4,127,0,0,2,2,200,1", 504}, {"LPSV", 228}, {"LPSV x", 501}},
		"EPSV":     {{"EPSV", 229}, {"EPSV 1", 229}, {"EPSV 2", 522}, {"EPSV 9", 522}, {"EPSV foo", 501}, {"EPSV 1 2", 501}, {"EPSV -1", 501}, {"PASV x", 501}},
		"EPSV ALL": {{"EPSV all", 200}, {"PORT 127,0,0,1,200,1", 503}, {"PASV", 503}, {"EPRT |1|127.0.0.1|51200|", 503}, {"LPRT 4,4,127,0,0,1,2,200,1", 503}, {"LPSV", 503}, {"RETR text", 425}, {"ABOR", 226}, {"PASV", 503}, {"EPSV", 229}, {"EPSV 1", 229}, {"REIN", 220}, {"USER user", 331}, {"PASS pass", 230}, {"PASV", 227}},
		"QUIT":     {{"QUIT", 221}},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := login(t, at)
			for _, s := range steps {
				r := c.cmd(s.code, s.line)
				if codes, ok := ftp.Replies(strings.ToUpper(strings.Fields(s.line + " x")[0])); ok && !r.In(codes...) && r.Code != 503 {
					t.Errorf("%q: %v is not a documented reply", s.line, r)
				}
			}
			if name == "QUIT" {
				c.closed()
				return
			}
			c.inStep()
		})
	}
}

func TestBeforeLogin(t *testing.T) {
	t.Parallel()
	c := connect(t, serve(t, reference.Options{}, "127.0.0.1"))
	for _, line := range []string{"PASV", "EPSV", "EPSV ALL", "PORT 127,0,0,1,200,1", "EPRT |1|127.0.0.1|51200|", "LPSV", "TYPE I",
		"LIST", "RETR text", "STOR x", "MKD x", "PWD", "STAT /", "MLST /", "SIZE text", "REST 1", "RNFR text"} {
		c.cmd(530, line)
	}
	c.cmd(211, "FEAT")
	c.cmd(211, "STAT")
	c.cmd(200, "NOOP")
}

func TestLoginLimit(t *testing.T) {
	t.Parallel()
	c := connect(t, serve(t, reference.Options{}, "127.0.0.1"))
	for range 2 {
		c.cmd(331, "USER user")
		c.cmd(530, "PASS wrong")
	}
	c.cmd(220, "REIN") // does not help
	c.cmd(331, "USER nobody")
	c.cmd(421, "PASS wrong")
	c.closed()
}

func TestFEAT(t *testing.T) {
	t.Parallel()
	c := started(t, reference.Options{})
	want := []string{"Extensions supported:", " EPRT", " EPSV", " MDTM", " MLST type*;size*;modify*;perm*;unique*;",
		" REST STREAM", " SIZE", " TVFS", " UTF8", "End."}
	if diff := cmp.Diff(want, c.cmd(211, "FEAT").Lines); diff != "" {
		t.Error(diff)
	}
	if got := c.cmd(200, "OPTS MLST size;frogs;type;").Text(); got != "MLST OPTS type;size;" {
		t.Errorf("OPTS MLST: %q", got)
	}
	if got := c.cmd(211, "FEAT").Lines[4]; got != " MLST type*;size*;modify;perm;unique;" {
		t.Errorf("FEAT after OPTS: %q", got)
	}
	if got := c.cmd(250, "MLST text").Lines[1]; got != " type=file;size=14; /text" {
		t.Errorf("MLST: %q", got)
	}
	c.cmd(200, "OPTS MLST frogs;")
	if got := c.cmd(250, "MLST text").Lines[1]; got != "  /text" {
		t.Errorf("MLST without facts: %q", got)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	c := started(t, reference.Options{})
	if got := c.cmd(257, `MKD a"b`).Text(); got != `"/a""b" created.` {
		t.Errorf("MKD: %q", got)
	}
	c.cmd(257, "MKD x\r\x00y")
	if got := c.cmd(250, "MLST x\r\x00y").Lines[1]; !strings.HasSuffix(got, " /x\r\x00y") {
		t.Errorf("MLST of a name with CR: %q", got)
	}
	c.cmd(250, "RMD x\r\x00y")
	c.cmd(250, "CWD dir")
	if got := c.cmd(250, "MLST \xff\xff\xfe").Lines[1]; !strings.HasSuffix(got, "/\xff\xff\xfe") {
		t.Errorf("MLST of a name with octet 255: %q", got)
	}
	if got := c.get("RETR  ahead"); got != "leading" {
		t.Errorf("RETR of a name with a leading space: %q", got)
	}
	want := " ahead\r\n213 x\r\na b\r\n\xff\xfe\r\n"
	if got := c.get("NLST"); got != want {
		t.Errorf("NLST: %q", got)
	}
	if got := c.get("NLST /dir/"); !strings.Contains(got, "/dir/213 x\r\n") {
		t.Errorf("NLST /dir/: %q", got)
	}
	if got := c.get("MLSD"); !strings.Contains(got, "modify=20240229123456;perm=adfrw;") || !strings.Contains(got, ";  ahead\r\n") {
		t.Errorf("MLSD: %q", got)
	}
	if r := c.cmd(213, "STAT /dir"); len(r.Lines) != 6 || !strings.HasSuffix(r.Lines[2], " 213 x") {
		t.Errorf("STAT: %q", r.Lines)
	}
	c.inStep()
}

func TestParameters(t *testing.T) {
	t.Parallel()
	c := started(t, reference.Options{})
	if got := c.cmd(213, "SIZE /text").Text(); got != "17" {
		t.Errorf("SIZE in type A: %s", got)
	}
	if got := c.get("RETR text"); got != "one\r\ntwo\r\nthree\r\n" {
		t.Errorf("type A: %q", got)
	}
	c.cmd(350, "REST 4")
	if got := c.get("RETR text"); got != "\ntwo\r\nthree\r\n" {
		t.Errorf("type A from 4: %q", got)
	}
	c.put("STOR up", "a\r\nb\r\n")
	c.cmd(350, "REST 3") // behind the first line, which is two octets in the file
	c.put("STOR up", "c\r\nd")
	if got := c.get("RETR up"); got != "a\r\nc\r\nd" {
		t.Errorf("STOR in type A from 3: %q", got)
	}
	for _, bad := range []string{"REST 2", "REST 99"} {
		c.cmd(350, bad)
		c.cmd(554, "STOR up")
	}
	c.put("STOR up", "a\r\nb\rc\nd\r\r\ne\r")
	c.cmd(200, "TYPE I")
	if got := c.get("RETR up"); got != "a\nb\rc\nd\r\ne\r" {
		t.Errorf("stored in type A: %q", got)
	}
	if got := c.cmd(213, "SIZE /text").Text(); got != "14" {
		t.Errorf("SIZE in type I: %s", got)
	}
	c.put("STOR up", "0123456789")
	c.put("APPE up", "ab")
	c.cmd(350, "REST 4")
	c.put("APPE up", "XYZ")
	c.cmd(350, "REST 12")
	c.put("STOR up", "!")
	if got := c.get("RETR up"); got != "0123XYZ789ab!" {
		t.Errorf("after APPE and REST: %q", got)
	}
	c.cmd(350, "REST 14")
	c.cmd(554, "RETR up")
	if got := c.get("RETR up"); len(got) != 13 {
		t.Errorf("REST leaks into the next transfer: %q", got)
	}
	c.cmd(350, "REST 13")
	if got := c.get("RETR up"); got != "" {
		t.Errorf("REST at the end: %q", got)
	}
	c.cmd(350, "REST 14")
	c.cmd(554, "STOR up")
	c.put("STOR up", "short")
	if got := c.get("RETR up"); got != "short" {
		t.Errorf("STOR over a longer file: %q", got)
	}
	d := c.data()
	name, err := ftp.ParseSTOUName(c.cmd(150, "STOU text").Text())
	if err != nil || name != "text.1" {
		t.Errorf("STOU: %q, %v", name, err)
	}
	d.Close()
	c.want(226)
	for _, verb := range []string{"LIST void", "NLST void", "MLSD void", "RETR empty"} {
		if got := c.get(verb); got != "" {
			t.Errorf("%s: %q", verb, got)
		}
	}
	c.inStep()
}
