package alg

// Profile is the name of a kind of helper.
type Profile string

// The profiles; the zero value is Off.
const (
	Off             Profile = "off"
	Linux           Profile = "linux"
	Reassembling    Profile = "reassembling"
	AddressOnly     Profile = "address-only"
	NoLengthAdjust  Profile = "no-length-adjust"
	PASVOnly        Profile = "pasv-only"
	InsideFileNames Profile = "inside-file-names"
)

// profile is what there is to a kind of helper.
type profile struct {
	name Profile
	doc  string
	// segments says that it looks at segments and not at the stream.
	segments bool
	// pasvOnly says that it knows no line but the reply 227.
	pasvOnly bool
	// anywhere says that it does not know lines at all.
	anywhere bool
	alters   func(*Faults)
}

var profiles = []profile{
	{name: Off, doc: "There is no helper: text passes as it is and no data connection is expected."},
	{name: Linux, doc: "Does what nf_conntrack_ftp and nf_nat_ftp of Linux 6.18 do, segment by segment: " +
		"what is split or malformed is dropped, what does not start a segment passes unseen.", segments: true},
	{name: Reassembling, doc: "Works on the stream of octets: every PORT, EPRT, 227 and 229 that names the announcer's own " +
		"address is translated, however it is cut, lost or repeated, and everything else passes octet for octet."},
	{name: AddressOnly, doc: "Translates the address in the text and leaves the port, also where the gateway gave another one.",
		alters: func(f *Faults) { f.KeepsPort = true }},
	{name: NoLengthAdjust, doc: "Rewrites segments like Linux and never corrects the numbers of TCP for a text of another length.",
		segments: true, alters: func(f *Faults) { f.NoSequence, f.NoAcknowledge, f.NoSACK = true, true, true }},
	{name: PASVOnly, doc: "Knows the reply 227 and nothing else: active mode and EPSV get no help.", pasvOnly: true},
	{name: InsideFileNames, doc: "Rewrites whatever looks like the inside host's address, wherever it stands: " +
		"in the name of a file as well as in PORT.", anywhere: true},
}

// Profiles lists the profiles, Off first.
func Profiles() []Profile {
	var out []Profile
	for _, p := range profiles {
		out = append(out, p.name)
	}
	return out
}

// Doc says in one sentence what the profile does; empty for an unknown one.
func (p Profile) Doc() string {
	if p == "" {
		p = Off
	}
	for _, q := range profiles {
		if q.name == p {
			return q.doc
		}
	}
	return ""
}
