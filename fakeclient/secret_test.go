package fakeclient_test

import (
	"testing"

	"github.com/ftpconform/ftpconform/fakeclient"
)

func TestHideSecret(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, secret, want string }{
		{"a word", "530 no such password: pass.", "pass", "530 no such password: ****."},
		{"the whole text", "pass", "pass", "****"},
		{"not inside of words", "Entering passive mode, compass", "pass", "Entering passive mode, compass"},
		{"a long one anywhere", "xcorrecthorsex", "correcthorse", "x****x"},
		{"several times", "pass pass,pass", "pass", "**** ****,****"},
		{"too short to hide", "abc abc", "abc", "abc abc"},
		{"after an escape", `one\rpass\x0apass`, "pass", `one\r****\x0a****`},
		{"escaped octets", `is caf\xc3\xa9 it`, "café", `is **** it`},
		{"as it is", "is café it", "café", "is **** it"},
		{"twice in itself", "aaaaaaaaaaaa", "aaaaaaaa", "****aaaa"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := fakeclient.HideSecret(c.text, c.secret); got != c.want {
				t.Errorf("HideSecret(%q, %q) = %q, want %q", c.text, c.secret, got, c.want)
			}
		})
	}
}
