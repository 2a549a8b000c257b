package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/suites"
)

// TestPage tells of what does not conform, with the reason, and lets no word of
// a server be taken for markup.
func TestPage(t *testing.T) {
	t.Parallel()
	bad := result("port-works", suites.ClientNAT, suites.Fail, "<b>500</b> *no* `x`")
	bad.Requirements = []string{"FTP-PORT-004"}
	bad.Events = []suites.Observation{{Side: "server", Event: "receive", Connection: "control", Text: "500 ``` no"}}
	rep := run(bad, result("pasv-works", suites.Direct, suites.Pass, ""), result("x", suites.Direct, suites.Warn, "w"))
	rep.Target.Server = &suites.ServerFacts{Name: "alpha", Title: "Alpha & Co", Version: "1.0"}
	rep.Target.Banner = "hello `you`\x1b[31m"
	known := baseline(t, "deviations:\n  - {check: port-works, verdict: fail, reason: everybody knows}")
	var out bytes.Buffer
	if err := report.WritePage(&out, []report.PageEntry{{Record: rep, Known: known, Again: "ftpconform run --server alpha"}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"- [Alpha & Co, 1.0](#alpha--co-10): 1 pass, 1 warn, 1 fail\n",
		"## Alpha & Co, 1.0\n", "Greeting `hello 'you'\\x1b[31m`.",
		"### fail port-works in client-nat\n", "FTP-PORT-004, MUST, RFC 959 section 5.4",
		`Seen: &lt;b&gt;500&lt;/b&gt; \*no\* 'x'`, "everybody knows\n",
		"< 500 ''' no\n", "`ftpconform run --server alpha --topology client-nat --only port-works`",
		"### warn x\n", "--only x`",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing", want)
		}
	}
	if strings.Contains(out.String(), "pasv-works") || strings.ContainsRune(out.String(), '\x1b') {
		t.Errorf("it tells too much:\n%s", out.String())
	}
}
