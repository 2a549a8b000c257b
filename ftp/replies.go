package ftp

import "slices"

// transferVerbs are the commands that use a data connection.
var transferVerbs = []string{"RETR", "STOR", "STOU", "APPE", "LIST", "NLST", "MLSD"}

// IsTransfer reports whether the verb, in upper case, uses a data connection.
func IsTransfer(verb string) bool { return slices.Contains(transferVerbs, verb) }

// MayBePreliminary reports whether a 1yz reply to the verb is in order: the
// transfer commands, REIN, and the greeting, for which verb is "" (RFC 959
// sections 5.4 and 6).
func MayBePreliminary(verb string) bool {
	return verb == "" || verb == "REIN" || IsTransfer(verb)
}

// Replies returns the codes that the documents list for a command, and
// whether the command is known here. 421 is possible anywhere and always
// included; "" stands for the greeting. The lists are those of RFC 959
// section 5.4 with the additions of RFC 1123, 1639, 2228, 2389, 2428, 2577,
// 3659, 4217 and 7151 and the conflict positions of the catalogue. The five
// set-up commands that EPSV ALL forbids have 503 for that (conflict C-09).
func Replies(verb string) ([]int, bool) {
	list, ok := replies[verb]
	return slices.Clone(list), ok
}

// Lists that several commands share.
var (
	loginErrors  = []int{421, 500, 501, 530} // no 502: nobody may lack USER and PASS
	simpleErrors = []int{421, 500, 501, 502, 530}
	fileErrors   = []int{421, 450, 500, 501, 502, 530, 550}
	// dataErrors can end any transfer command, after a preliminary reply or
	// in place of one. 503 and 504 answer a transfer without set-up and one
	// to a refused endpoint (RFC 2577 section 3). 502 is not among them, since
	// RETR and STOR belong to the minimum (RFC 1123 section 4.1.2.13).
	dataErrors = []int{125, 150, 226, 250, 421, 425, 426, 450, 451, 500, 501, 503, 504, 530, 521, 522, 534, 535}
)

func codes(lists ...[]int) []int {
	out := slices.Concat(lists...)
	slices.Sort(out)
	return slices.Compact(out)
}

var replies = map[string][]int{
	"":     {120, 220, 421},
	"USER": codes(loginErrors, []int{230, 232, 331, 332, 336}),
	"PASS": codes(loginErrors, []int{230, 202, 332, 503}),
	"ACCT": codes(simpleErrors, []int{230, 202, 503}),
	"CWD":  codes(simpleErrors, []int{200, 250, 550}),
	"CDUP": codes(simpleErrors, []int{200, 250, 550}),
	"SMNT": codes(simpleErrors, []int{202, 250, 550}),
	"REIN": {120, 220, 421, 500, 502},
	"QUIT": {221, 421, 500},
	"PORT": {200, 421, 500, 501, 503, 504, 530},
	"PASV": {227, 421, 425, 451, 500, 501, 502, 503, 530},
	"EPRT": {200, 421, 500, 501, 502, 503, 504, 522, 530},
	"EPSV": {200, 229, 421, 425, 451, 500, 501, 502, 522, 530},
	"LPRT": {200, 421, 500, 501, 502, 503, 504, 521, 530},
	"LPSV": {228, 421, 425, 451, 500, 501, 502, 503, 521, 530},
	"TYPE": {200, 421, 500, 501, 504, 530},
	"MODE": {200, 421, 500, 501, 504, 530},
	"STRU": {200, 421, 500, 501, 504, 530},
	"ALLO": {200, 202, 421, 500, 501, 504, 530},
	"REST": codes(simpleErrors, []int{350, 554}),
	"RETR": codes(dataErrors, []int{110, 550, 554, 555}),
	"STOR": codes(dataErrors, []int{110, 452, 532, 551, 552, 553, 554, 555}),
	"STOU": codes(dataErrors, []int{110, 452, 502, 532, 551, 552, 553, 554, 555}),
	"APPE": codes(dataErrors, []int{110, 452, 502, 532, 550, 551, 552, 553, 554, 555}),
	"LIST": codes(dataErrors, []int{502, 550}),
	"NLST": codes(dataErrors, []int{502, 550}),
	"MLSD": codes(dataErrors, []int{502, 550, 553}),
	"MLST": {250, 421, 450, 451, 500, 501, 502, 503, 504, 530, 550, 553},
	"SIZE": {213, 421, 450, 451, 500, 501, 502, 504, 530, 550},
	"MDTM": {213, 421, 450, 451, 500, 501, 502, 504, 530, 550},
	"RNFR": codes(fileErrors, []int{350}),
	"RNTO": codes(simpleErrors, []int{250, 503, 532, 550, 553}),
	"DELE": codes(fileErrors, []int{250}),
	"RMD":  codes(simpleErrors, []int{250, 550}),
	"MKD":  codes(simpleErrors, []int{257, 521, 550}),
	"PWD":  codes(simpleErrors, []int{257, 550}),
	"ABOR": {225, 226, 421, 500, 501, 502},
	"STAT": codes(fileErrors, []int{211, 212, 213}),
	"SYST": codes(simpleErrors, []int{215}),
	"HELP": codes(simpleErrors, []int{211, 214}),
	"SITE": {200, 202, 211, 214, 421, 500, 501, 502, 503, 504, 530},
	"NOOP": {200, 421, 500, 530},
	"FEAT": codes(simpleErrors, []int{211}),
	"OPTS": codes(simpleErrors, []int{200, 451}),
	"AUTH": {234, 334, 421, 431, 500, 501, 502, 503, 504, 530, 534},
	"PBSZ": {200, 421, 500, 501, 502, 503, 530},
	"PROT": {200, 421, 431, 500, 501, 502, 503, 504, 530, 534, 536},
	"CCC":  {200, 421, 500, 502, 503, 530, 533, 534},
	"LANG": {200, 421, 500, 501, 502, 504, 530},
	"HOST": {220, 421, 500, 501, 502, 503, 504, 530},
	"ALGS": {202, 216, 421, 500, 501, 502, 504, 530},
}
