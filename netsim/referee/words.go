package main

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// The words that are understood in the fields that describe the network. Those of
// nat_options stand between commas, semicolons and plus signs.
var (
	topologyWords = regexp.MustCompile(`^(?:classic(?:, (?:roles swapped|no NAT).*)?|(?:both|cgn)(?: \(.*\))?)$`)
	natWords      = []*regexp.Regexp{
		// What makes a gateway another one.
		regexp.MustCompile(`^(?:none(?: \(routed\))?|(?:NAT66 )?masquerade(?: twice| at A| at B| at the client side)?)$`),
		regexp.MustCompile(`^(?i:snat to (?P<address>\S+))$`),
		regexp.MustCompile(`^DNAT \d+(?: -> [\d.]+:\d+)?(?: and \d+-\d+)?(?: at B)?$`),
		regexp.MustCompile(`^(?:nf_conntrack_tcp_)?timeout_established=\d+$`),
		regexp.MustCompile(`^tcp_loose=[01]$`),
		regexp.MustCompile(`^(?:input drop|input policy drop|strict stateful filter|stateful forward filter|conntrack -F)$`),
		// What is about ports that the referee chooses itself, or about the hosts.
		regexp.MustCompile(`^masquerade (?:random|to :\d+-\d+)$`),
		regexp.MustCompile(`^(?:client|server) (?:input|output) policy drop$`),
		regexp.MustCompile(`^(?:drop|rst|icmp)(?:-helper)?$`),
		regexp.MustCompile(`^passive range(?: \d+-\d+)? (?:dropped|rejected with .*)$`),
		regexp.MustCompile(`^(?:only (?:tcp dport )?\d+|\d+(?: accepted)?|everything else RST|stateless|established|related)$`),
		regexp.MustCompile(`^(?:stateful firewall|(?:ftp )?helper on the server host)$`),
	}
	// Rules for helpers, of a gateway alone and of two.
	ruleWords = regexp.MustCompile(`^(?:none|nft ct helper object(?: \(inet\))?(?:, loose=[01])?|iptables-(?:nft|legacy) -t raw -j CT --helper ftp|` +
		`iptables raw CT --dport \d+|nft (?:ct helper )?on the (?:client|server) host(?: \(output hook\))?|` +
		`nft ct helper in (?:input|prerouting) priority -?\d+, tcp [ds]port \d+|ct helper on tcp dport \d+)$`)
	bothWords    = regexp.MustCompile(`^(?:none|both(?: NATs)?|(?:client|server)-side NAT only)(?:, loose=[01])?$`)
	carrierWords = regexp.MustCompile(`^(?:none|both(?: NATs)?|(?:home NAT|CGN) only)(?:, loose=[01])?$`)
)

// checkWords refuses words that would be taken for nothing, and the gateway for the
// usual one.
func (v *vector) checkWords() error {
	if !topologyWords.MatchString(v.Topology) {
		return fmt.Errorf("the topology is %.60q; there are classic, classic, roles swapped, classic, no NAT, both and cgn", v.Topology)
	}
	rule := ruleWords
	switch {
	case strings.HasPrefix(v.Topology, "both"):
		rule = bothWords
	case strings.HasPrefix(v.Topology, "cgn"):
		rule = carrierWords
	}
	if !rule.MatchString(v.Helper) {
		return fmt.Errorf("the helper is %.60q, which has no meaning in the topology %.20q; see docs/referee.md for the words", v.Helper, v.Topology)
	}
	for _, word := range regexp.MustCompile(`[,;+]`).Split(v.NATOptions, -1) {
		if err := checkNATWord(strings.TrimSpace(word)); err != nil {
			return err
		}
	}
	return nil
}

func checkNATWord(word string) error {
	for _, r := range natWords {
		m := r.FindStringSubmatch(word)
		if m == nil {
			continue
		}
		if i := r.SubexpIndex("address"); i > 0 {
			if _, err := netip.ParseAddr(m[i]); err != nil {
				return fmt.Errorf("nat_options: %.60q does not name an address: %w", word, err)
			}
		}
		return nil
	}
	return fmt.Errorf("nat_options: %.60q has no meaning; see docs/referee.md for the words", word)
}
