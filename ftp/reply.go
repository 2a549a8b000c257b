package ftp

import (
	"fmt"
	"slices"
	"strings"
)

// Reply is one answer of a server: a three-digit code and its text.
type Reply struct {
	// Code is the three-digit code, 100 to 699 in a parsed reply.
	Code int
	// Lines is the text, one entry a line, without code, separator and line
	// end. Lines between the first and the last keep their leading space or
	// code, because their layout is theirs (RFC 959 section 4.2).
	Lines []string
}

// Class is the first digit of the code: 1 preliminary, 2 completion,
// 3 intermediate, 4 transient failure, 5 permanent failure, 6 protected.
func (r Reply) Class() int { return r.Code / 100 }

// Preliminary reports whether another reply to the same command follows.
func (r Reply) Preliminary() bool { return r.Class() == 1 }

// Positive reports whether the command was carried out (2yz).
func (r Reply) Positive() bool { return r.Class() == 2 }

// Negative reports whether the command failed (4yz or 5yz).
func (r Reply) Negative() bool { return r.Class() == 4 || r.Class() == 5 }

// In reports whether the code is one of those given.
func (r Reply) In(codes ...int) bool { return slices.Contains(codes, r.Code) }

// Text is the text of the first line, where the grammars of 227, 229, 257 and
// their like live.
func (r Reply) Text() string {
	if len(r.Lines) == 0 {
		return ""
	}
	return r.Lines[0]
}

// String prints code and first line, the form in which a reply is quoted.
func (r Reply) String() string {
	switch {
	case len(r.Lines) > 1:
		return fmt.Sprintf("%03d-%s (%d lines)", r.Code, r.Text(), len(r.Lines))
	case r.Text() == "":
		return fmt.Sprintf("%03d", r.Code)
	}
	return fmt.Sprintf("%03d %s", r.Code, r.Text())
}

// ReplyError is a reply in the place of an error: a command was refused.
type ReplyError struct{ Reply Reply }

// Error prints "ftp: 425 Cannot open data connection".
func (e *ReplyError) Error() string { return "ftp: " + e.Reply.String() }

// Bytes prints the reply for the wire. Inner lines that could be taken for
// the last one are offset by a space (RFC 959 section 4.2).
func (r Reply) Bytes() []byte {
	var b strings.Builder
	if len(r.Lines) <= 1 {
		fmt.Fprintf(&b, "%03d %s\r\n", r.Code, r.Text())
		return []byte(b.String())
	}
	last := len(r.Lines) - 1
	fmt.Fprintf(&b, "%03d-%s\r\n", r.Code, r.Lines[0])
	for _, line := range r.Lines[1:last] {
		if startsWithCode(line) {
			b.WriteByte(' ')
		}
		b.WriteString(line)
		b.WriteString("\r\n")
	}
	fmt.Fprintf(&b, "%03d %s\r\n", r.Code, r.Lines[last])
	return []byte(b.String())
}

func startsWithCode(line string) bool {
	return len(line) >= 3 && isDigit(line[0]) && isDigit(line[1]) && isDigit(line[2])
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// ReplyReader assembles replies from lines. The zero value is ready.
type ReplyReader struct {
	reply Reply
	open  bool // inside a multi-line reply
	size  int
}

// Add takes the next line without its line end. It returns the finished reply
// and true when the line was the last of one. After an error the reader
// starts afresh with the next line. Limits are those of this package.
func (p *ReplyReader) Add(line string) (Reply, bool, error) {
	if len(line) > MaxReplyLine {
		return p.fail("reply line of %d octets, limit %d", len(line), MaxReplyLine)
	}
	p.size += len(line)
	if p.size > MaxReply {
		return p.fail("reply of more than %d octets", MaxReply)
	}
	if !p.open {
		return p.first(line)
	}
	if len(p.reply.Lines) >= MaxReplyLines {
		return p.fail("reply of more than %d lines", MaxReplyLines)
	}
	code := fmt.Sprintf("%03d", p.reply.Code)
	if rest, ok := strings.CutPrefix(line, code); ok && (rest == "" || rest[0] == ' ') {
		p.reply.Lines = append(p.reply.Lines, strings.TrimPrefix(rest, " "))
		return p.done()
	}
	p.reply.Lines = append(p.reply.Lines, line)
	return Reply{}, false, nil
}

// Open reports whether a multi-line reply has begun and not ended.
func (p *ReplyReader) Open() bool { return p.open }

func (p *ReplyReader) first(line string) (Reply, bool, error) {
	if !startsWithCode(line) {
		return p.fail("reply line %.40q does not start with a code", line)
	}
	code := int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0')
	if code < 100 || code > 699 {
		return p.fail("reply code %03d", code)
	}
	p.reply = Reply{Code: code}
	switch {
	case len(line) == 3: // no text at all: odd, but every client takes it
		p.reply.Lines = []string{""}
		return p.done()
	case line[3] == ' ':
		p.reply.Lines = []string{line[4:]}
		return p.done()
	case line[3] == '-':
		p.reply.Lines, p.open = []string{line[4:]}, true
		return Reply{}, false, nil
	}
	return p.fail("octet %#02x after the code %03d", line[3], code)
}

func (p *ReplyReader) done() (Reply, bool, error) {
	r := p.reply
	*p = ReplyReader{}
	return r, true, nil
}

func (p *ReplyReader) fail(format string, args ...any) (Reply, bool, error) {
	*p = ReplyReader{}
	return Reply{}, false, syntaxErrorf(format, args...)
}
