package main

import (
	"regexp"
	"strconv"
	"strings"
)

// vector is a dialogue that was recorded on both sides of a Linux gateway.
// Texts are written with the escapes of Go.
type vector struct {
	ID, Title, Topology, Helper, Client, Notes string

	NATOptions string   `json:"nat_options"`
	Stimulus   []string `json:"stimulus"`
	// ClientSegments are the payloads that left the client, repetitions among
	// them, and ServerSegments those that came to the server's wire.
	ClientSegments []string `json:"client_segments_on_wire"`
	ServerSegments []string `json:"server_segments"`
	AppReceived    *string  `json:"server_app_received"` // after the login
	RepliesSent    string   `json:"replies_on_server_wire"`
	RepliesSeen    string   `json:"replies_on_client_wire"`
	Expected       []string `json:"expectations"`
	ServerData     []data   `json:"server_data"`

	expectations []expectation // Expected, taken apart

	turned bool // a reading's: the helper is there if it seems not to be
}

// data is an attempt at a data connection, as the server saw it.
type data struct {
	Mode, Target, Result, Local, Peer, Errno string
}

// unescape turns the escapes of a file into octets.
func unescape(s string) string {
	out, err := strconv.Unquote(`"` + strings.NewReplacer(`"`, `\"`, `\'`, `'`).Replace(s) + `"`)
	if err != nil {
		return s // it stands for itself
	}
	return out
}

func unescapeAll(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = unescape(s)
	}
	return out
}

// replies takes the server's stream apart into replies, those of several lines
// as one (RFC 959 section 4.2).
func replies(stream string) []string {
	var out []string
	open := ""
	for _, line := range strings.SplitAfter(stream, "\n") {
		if line == "" {
			continue
		}
		if open != "" {
			out[len(out)-1] += line
			if strings.HasPrefix(line, open+" ") {
				open = ""
			}
			continue
		}
		out = append(out, line)
		if len(line) > 3 && line[3] == '-' {
			open = line[:3]
		}
	}
	return out
}

// final reports whether a reply ends the work on a command.
func final(reply string) bool { return !strings.HasPrefix(reply, "1") }

// transfers reports whether a command needs a data connection.
func transfers(line string) bool {
	verb, _, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
	switch strings.ToUpper(verb) {
	case "RETR", "STOR", "STOU", "APPE", "LIST", "NLST", "MLSD":
		return true
	}
	return false
}

// has reports whether one of some words is in what a vector says of itself.
func (v *vector) has(words ...string) bool {
	text := strings.ToLower(v.Title + " " + v.NATOptions + " " + v.Helper)
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// number finds the number after a word in what a vector says of itself, 0 if
// there is none.
func number(text, before string) int {
	m := regexp.MustCompile(before + `\D{0,2}(\d+)`).FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1]) // digits
	return n
}
