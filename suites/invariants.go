package suites

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ftpconform/ftpconform/ftp"
)

// The invariants: what holds for every reply, whatever the check that caused
// it. RFC 959 sections 4.2, 5.4 and 6, RFC 1123 section 4.1.2.11, RFC 2640
// section 4.1. Each one also makes a dialogue of its own, so that it has
// something to judge when it runs alone.
var invariantChecks = []Check{
	{
		ID: "reply-grammar", Requirements: []string{"FTP-REPLY-001"},
		Title:    "Every reply is three digits, a space or a hyphen, text, CR LF",
		Why:      "Clients split the stream at CR LF and read the code by position; a line that fits neither throws them out of step.",
		Conforms: []string{"every line begins with a code and a separator, or lies inside an open multi-line reply, and ends with CR LF (RFC 1123 section 4.1.2.11)"},
		Fails:    []string{"a line that ends with LF alone (RFC 959 section 4.2)", "a line outside of a multi-line reply without code or separator (RFC 959 section 4.2)"},
		Watch:    watchGrammar, Run: (*Session).survey,
	},
	{
		ID: "reply-digits", Requirements: []string{"FTP-REPLY-002"},
		Title:    "The first digit of a code is 1 to 5, the second 0 to 5",
		Why:      "A client that does not know a code decides by its digits; these must mean something.",
		Conforms: []string{"digits in these ranges; 6yz after AUTH (RFC 959 section 4.2, RFC 2228 section 5.2)"},
		Fails:    []string{"any other digit (RFC 959 section 4.2)"},
		Watch:    watchDigits, Run: (*Session).survey,
	},
	{
		ID: "reply-no-nesting", Requirements: []string{"FTP-REPLY-005"},
		Title:    "Multi-line replies do not nest",
		Why:      "A client looks for one terminator; what stands inside is text to it, and the inner reply is lost or answers the next command.",
		Conforms: []string{"no reply begins inside another one; inner lines may repeat the code of the outer one with a hyphen (RFC 959 section 4.2)"},
		Fails:    []string{"a second multi-line reply, with its own terminator, inside an open one (RFC 959 section 4.2)"},
		Watch:    watchNesting, Run: (*Session).survey,
	},
	{
		ID: "reply-one-preliminary", Requirements: []string{"FTP-REPLY-007"},
		Title:    "A command gets one preliminary reply at the most",
		Why:      "A client that awaits one 1yz and then the end takes the second one for the end.",
		Conforms: []string{"none or one 1yz before the final reply (RFC 959 section 4.2); 110 markers do not count (conflict C-30)"},
		Fails:    []string{"two or more (RFC 959 section 4.2)"},
		Watch:    watchPreliminaries, Run: (*Session).survey,
	},
	{
		ID: "reply-no-stray-preliminary", Requirements: []string{"FTP-REPLY-008"},
		Title:    "Only the greeting, REIN and transfer commands get a preliminary reply",
		Why:      "In the state diagrams of all other commands 1yz is an error, and clients treat it as one.",
		Conforms: []string{"no 1yz to any other command (RFC 959 section 6)"},
		Fails:    []string{"a 1yz to another command (RFC 959 section 6)"},
		Watch:    watchStrayPreliminaries, Run: (*Session).survey,
	},
	{
		ID: unsolicitedID, Requirements: []string{"FTP-REPLY-009"},
		Title:    "No reply comes that no command has asked for",
		Why:      "A client takes it for the answer to its next command, and every answer after that for the wrong one.",
		Conforms: []string{"silence after login, after an unused PASV, after a refused data connection, after a stranger's touch, after a transfer, and replies in step in all checks (RFC 1123 section 4.1.2.11)"},
		Noted:    []string{"a 421 with the end of the session, as at a shutdown (RFC 959 section 5.4)"},
		Fails:    []string{"any other reply without a command (RFC 1123 section 4.1.2.11)"},
		// What is out of step is found by Control.inStep.
		Watch: func(*Dialogue) []Violation { return nil }, Run: replyUnsolicited,
	},
	{
		ID: "reply-known-codes", Requirements: []string{"FTP-REPLY-011"},
		Title:    "The codes are those that the documents list for the command",
		Why:      "Clients have been written against these lists; a code outside of them works only where the client falls back to the first digit.",
		Conforms: []string{"a code of the command's list (RFC 1123 section 4.1.2.11, RFC 959 section 5.4)"},
		Noted:    []string{"another code with a first digit that fits; it fails in the strict profile"},
		Fails:    []string{"a kind of answer that the command cannot have, such as 3yz to PWD (RFC 959 section 6)", "in the strict profile: any code outside of the list (RFC 1123 section 4.1.2.11)"},
		Watch:    watchCodes, Run: (*Session).survey,
	},
	{
		ID: "reply-ascii", Requirements: []string{"FTP-REPLY-020"},
		Title:    "The texts of replies are plain ASCII",
		Why:      "Before a language is negotiated a client has no way to know the character set; it shows garbage or fails to decode the line.",
		Conforms: []string{"octets 32 to 126 outside of names and listings (RFC 2640 section 4.1)"},
		Noted:    []string{"text in UTF-8, or control characters; both fail in the strict profile"},
		Fails:    []string{"text that is neither ASCII nor UTF-8 (RFC 2640 section 4.1)", "in the strict profile: octets outside of 32 to 126 (RFC 2640 section 4.1)"},
		Watch:    watchText, Run: (*Session).survey,
	},
	{
		ID: "port-reply-codes", Requirements: []string{"FTP-PORT-006"}, Needs: []Need{NeedPORT},
		Title:    "PORT is answered 200, 500, 501, 504, 421 or 530",
		Why:      "Clients decide by these codes whether active mode can be had at all.",
		Conforms: []string{"one of these codes (RFC 959 section 5.4, RFC 2577 section 3)"},
		Noted:    []string{"another 5yz, as policies use; it fails in the strict profile"},
		Fails:    []string{"any other code (RFC 959 section 5.4)", "in the strict profile: another 5yz (RFC 959 section 5.4)"},
		Watch:    func(d *Dialogue) []Violation { return watchSetup(d, "PORT", true) }, Run: (*Session).survey,
	},
	{
		ID: "pasv-reply-codes", Requirements: []string{"FTP-PASV-016"},
		Title:    "PASV is answered 227, 500, 501, 502, 421 or 530",
		Why:      "Clients decide by these codes whether passive mode can be had at all.",
		Conforms: []string{"one of these codes (RFC 959 section 5.4); 425 or 451 for want of ports"},
		Fails:    []string{"any other code (RFC 959 section 5.4)"},
		Watch:    func(d *Dialogue) []Violation { return watchSetup(d, "PASV", false) }, Run: (*Session).survey,
	},
	{
		ID: "epsv-reply-codes", Requirements: []string{"FTP-EPSV-014"}, Needs: []Need{NeedEPSV},
		Title:    "A refused EPSV is answered 500, 501 or 522",
		Why:      "A client falls back to PASV at these codes; at others it may give up.",
		Conforms: []string{"one of these codes (RFC 2428 section 3); 425, 421 or 451 for want of ports, 530 without login (conflict C-11), 502"},
		Fails:    []string{"any other negative code (RFC 2428 section 3)"},
		Watch:    func(d *Dialogue) []Violation { return watchSetup(d, "EPSV", false) }, Run: (*Session).survey,
	},
}

// unsolicitedID is the invariant to which Control.inStep reports.
const unsolicitedID = "reply-unsolicited"

func violationf(format string, args ...any) Violation {
	return Violation{Message: fmt.Sprintf(format, args...)}
}

func remarkf(format string, args ...any) Violation {
	return Violation{Message: fmt.Sprintf(format, args...), Remark: true}
}

// wireReply is one reply as its lines came.
type wireReply struct {
	code  string   // the three digits; "" for a line that is no reply
	lines []string // whole, without line ends and Telnet commands
	open  bool     // its last line has not come
}

// wireReplies puts raw lines together to replies. It goes on where the
// client's reader gives up, because it has to say what is wrong.
func wireReplies(raw []string) []wireReply {
	var (
		out    []wireReply
		telnet ftp.Telnet // a check may have caused answers to options
	)
	for _, r := range raw {
		if !strings.HasSuffix(r, "\n") {
			continue // cut off by the end of the connection, which may be our doing
		}
		text, _ := telnet.Decode([]byte(r))
		line := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
		if n := len(out); n > 0 && out[n-1].open {
			last := &out[n-1]
			last.lines = append(last.lines, line)
			last.open = line != last.code && !strings.HasPrefix(line, last.code+" ")
			continue
		}
		w := wireReply{lines: []string{line}}
		if len(line) >= 3 && strings.Trim(line[:3], "0123456789") == "" && (len(line) == 3 || line[3] == ' ' || line[3] == '-') {
			w.code = line[:3]
			w.open = strings.HasPrefix(line[3:], "-")
		}
		out = append(out, w)
	}
	return out
}

func watchGrammar(d *Dialogue) []Violation {
	var out []Violation
	for _, line := range d.Lines {
		if strings.HasSuffix(line, "\n") && !strings.HasSuffix(line, "\r\n") {
			out = append(out, violationf("the line %.60q does not end with CR LF", line))
			break
		}
	}
	for _, w := range wireReplies(d.Lines) {
		switch {
		case w.code == "":
			out = append(out, violationf("the line %.60q stands outside of a reply and has no code with a space or hyphen after it", w.lines[0]))
		case len(w.lines[0]) == len(w.code):
			out = append(out, violationf("no space follows the code in the line %q", w.lines[0]))
		}
	}
	return out
}

func watchDigits(d *Dialogue) []Violation {
	highest := byte('5')
	if slices.ContainsFunc(d.Turns, func(t Turn) bool { return t.Verb == "AUTH" }) {
		highest = '6'
	}
	var out []Violation
	for _, w := range wireReplies(d.Lines) {
		if w.code != "" && (w.code[0] < '1' || w.code[0] > highest || w.code[1] > '5') {
			out = append(out, violationf("the code of %.60q has a digit that means nothing: the first may be 1 to 5, the second 0 to 5", w.lines[0]))
		}
	}
	return out
}

func watchNesting(d *Dialogue) []Violation {
	var out []Violation
	for _, w := range wireReplies(d.Lines) {
		for i := 1; i < len(w.lines); i++ {
			code := codeOf(w.lines[i])
			if code == 0 || w.lines[i][:3] == w.code || !strings.HasPrefix(w.lines[i][3:], "-") {
				continue
			}
			end := w.lines[i][:3] + " "
			if slices.ContainsFunc(w.lines[i+1:], func(l string) bool { return strings.HasPrefix(l, end) }) {
				out = append(out, violationf("a reply %d stands inside the reply that begins with %.60q", code, w.lines[0]))
			}
		}
	}
	return out
}

// attributed returns the turns whose replies belong to their commands beyond
// doubt: after a command without an answer a late one could be taken for that
// of the next. The NOOP at the end is the proof that the streams are in step;
// what comes in place of its 200 is judged there.
func attributed(turns []Turn) []Turn {
	if n := len(turns); n > 0 && turns[n-1].Verb == "NOOP" {
		turns = turns[:n-1]
	}
	if i := slices.IndexFunc(turns, func(t Turn) bool { return t.Final.Code == 0 }); i >= 0 {
		turns = turns[:i]
	}
	return turns
}

func watchPreliminaries(d *Dialogue) []Violation {
	var out []Violation
	for _, t := range attributed(d.Turns) {
		n := 0
		for _, p := range t.Preliminary {
			if p.Code != 110 {
				n++
			}
		}
		if n > 1 {
			out = append(out, violationf("%d preliminary replies to one command: %s", n, t))
		}
	}
	return out
}

func watchStrayPreliminaries(d *Dialogue) []Violation {
	var out []Violation
	turns := attributed(d.Turns)
	for i, t := range turns {
		if len(t.Preliminary) == 0 || ftp.MayBePreliminary(t.Verb) {
			continue
		}
		// A command sent while a transfer starts can meet the 1yz of that.
		if slices.ContainsFunc(turns[i+1:], func(x Turn) bool { return ftp.IsTransfer(x.Verb) && len(x.Preliminary) == 0 }) {
			continue
		}
		out = append(out, violationf("a preliminary reply to %s: %s", t.Verb, t))
	}
	return out
}

// refuses reports whether the code fits any refused command: 503 and 550 are
// seen before login, the others are about the command as such.
func refuses(r Received) bool { return r.In(421, 500, 501, 502, 503, 504, 530, 550) }

func watchCodes(d *Dialogue) []Violation {
	var out []Violation
	loggedIn := false
	for _, t := range attributed(d.Turns) {
		r := t.Final
		list, known := ftp.Replies(t.Verb)
		fits := slices.ContainsFunc(list, func(code int) bool { return code/100 == r.Class() })
		switch {
		case r.In(list...), r.Code/10%10 > 5: // the latter is the subject of reply-digits
		case t.Verb == "PORT", t.Verb == "PASV", t.Verb == "EPSV" && !r.Positive(): // checks of their own
		case !loggedIn && refuses(r):
		case !known && (r.Class() != 5 || refuses(r)): // an extension has codes of its own
		case fits || !known:
			out = append(out, remarkf("%s was answered %s; the code is not among those for this command", t.name(), r))
		default:
			out = append(out, violationf("%s was answered %s; an answer of this kind is not among those for this command", t.name(), r))
		}
		loggedIn = loggedIn || r.In(230, 232) || t.Verb == "PASS" && r.Code == 202
	}
	return out
}

// name is what a message calls the command of the turn.
func (t Turn) name() string {
	if t.Verb == "" {
		return "the connection"
	}
	return t.Verb
}

func watchText(d *Dialogue) []Violation {
	var out []Violation
	for _, t := range d.Turns {
		if strings.ContainsFunc(t.Line, notASCII) {
			continue // a reply may repeat the name
		}
		for _, r := range append(slices.Clone(t.Preliminary), t.Final) {
			for i, line := range r.Lines {
				inner := i > 0 && i < len(r.Lines)-1
				if r.Code == 257 || inner && (t.Verb == "STAT" || t.Verb == "MLST") {
					continue
				}
				switch text := unquoted(line); {
				case !strings.ContainsFunc(text, notASCII):
				case utf8.ValidString(text):
					out = append(out, remarkf("the reply to %s is not plain ASCII: %.60q", t.name(), line))
				default:
					out = append(out, violationf("the reply to %s is neither ASCII nor UTF-8: %.60q", t.name(), line))
				}
			}
		}
	}
	return out
}

func notASCII(r rune) bool { return r < ' ' || r > '~' }

// unquoted leaves out what stands in double quotes: names.
func unquoted(line string) string {
	var out strings.Builder
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 0 {
			out.WriteString(part)
		}
	}
	return out.String()
}

// watchSetup judges the codes of one set-up command by the list of its
// requirement; with policy, another 5yz is only a remark. After EPSV ALL any
// 5yz will do (conflict C-09).
func watchSetup(d *Dialogue, verb string, policy bool) []Violation {
	list := map[string][]int{
		"PORT": {200, 421, 500, 501, 504, 530},
		"PASV": {227, 421, 425, 451, 500, 501, 502, 530},
		"EPSV": {421, 425, 451, 500, 501, 502, 522, 530},
	}[verb]
	var out []Violation
	locked := false
	for _, t := range attributed(d.Turns) {
		r := t.Final
		if strings.EqualFold(t.Line, "EPSV ALL") && r.Positive() {
			locked = true
		}
		if locked && r.Class() == 5 {
			continue
		}
		if t.Verb != verb || r.In(list...) || verb == "EPSV" && r.Positive() {
			continue // what EPSV answers on success is the subject of other checks
		}
		v := violationf("%s was answered %s; the codes for it are %v", verb, r, list)
		v.Remark = policy && r.Class() == 5
		out = append(out, v)
	}
	return out
}
