package main

import (
	"net/url"
	"strings"

	"github.com/ftpconform/ftpconform/fakeclient"
)

// hider returns a function that takes the passwords of all targets on the
// command line out of a text: a last guard, for messages that repeat their
// argument.
func hider(args []string) func(string) string {
	var pairs, secrets []string
	for _, arg := range args {
		_, rest, ok := strings.Cut(arg, "://")
		if !ok {
			continue
		}
		at := strings.LastIndex(rest, "@")
		if at < 0 {
			continue
		}
		user, password, ok := strings.Cut(rest[:at], ":")
		if !ok || password == "" {
			continue
		}
		pairs = append(pairs, user+":"+password+"@", user+":****@")
		plain, err := url.PathUnescape(password)
		if err != nil {
			plain = password
		}
		secrets = append(secrets, password, plain)
	}
	inTargets := strings.NewReplacer(pairs...)
	return func(text string) string {
		text = inTargets.Replace(text)
		for _, secret := range secrets { // a short one only where it is a word of its own
			text = fakeclient.HideSecret(text, secret)
		}
		return text
	}
}
