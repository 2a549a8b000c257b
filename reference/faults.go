package reference

// Faults are the documented ways in which the server can be told to be wrong,
// in the manner of BoringSSL's ProtocolBugs: one field for one deviation, and
// a zero value that conforms. A tag id names the row of the catalogue of
// defects of real servers where the fault comes from one; the others exist
// because a check has to be shown able to fail.
type Faults struct {
	// PORT and EPRT

	// NoPORT, if true, makes the server answer 502 to PORT.
	NoPORT bool
	// PORTSwapsOctets, if true, takes the port of PORT low octet first.
	PORTSwapsOctets bool
	// PORTRefusesZero, if true, refuses a PORT whose argument holds a zero.
	PORTRefusesZero bool
	// PORTLenient, if true, reduces PORT octets above 255 modulo 256, ignores
	// trailing junk and takes missing numbers as 0.
	PORTLenient bool `id:"M10"`
	// PORTAcceptsPortZero, if true, answers 200 to port 0.
	PORTAcceptsPortZero bool
	// PORTAnswers250, if true, answers a good PORT with 250 in place of 200.
	PORTAnswers250 bool
	// EagerDial, if true, connects when PORT or EPRT arrives and answers 200
	// only after that, 425 if it fails. Seen in pyftpdlib, libunftp, ftp-srv.
	EagerDial bool `id:"M49"`
	// EphemeralSource, if true, dials active data connections from any port in
	// place of the one below the control port.
	EphemeralSource bool
	// ActiveFromOtherAddress, if true, dials active data connections from the
	// main address of the host, whichever the client reached.
	ActiveFromOtherAddress bool
	// PORTKeepsFirst, if true, answers 200 to a second PORT and keeps the
	// endpoint of the first.
	PORTKeepsFirst bool
	// PORTKeepsListener, if true, leaves the passive listener open when PORT
	// or EPRT follows PASV or EPSV. Seen in ftpserverlib and nodeftpd.
	PORTKeepsListener bool `id:"M11"`
	// PORTKeepsDataConn, if true, leaves an accepted, unused data connection
	// open when PORT follows PASV.
	PORTKeepsDataConn bool
	// PORTForgets, if true, drops the endpoint after one transfer and answers
	// 425 to the next one.
	PORTForgets bool
	// PASVKeepsPort, if true, dials the endpoint of an earlier PORT although
	// PASV or EPSV was given since.
	PASVKeepsPort bool
	// RefusedDataAnswers550, if true, answers 550 in place of 425 when the
	// data connection cannot be made.
	RefusedDataAnswers550 bool
	// RefusedDataSilent, if true, sends no final reply when the data
	// connection cannot be made. Seen in ProFTPD and libunftp.
	RefusedDataSilent bool `id:"M24"`
	// DialsForever, if true, never gives up a data connection that nobody
	// answers, so that no 425 comes.
	DialsForever bool
	// PORTOnIPv6, if true, answers 200 to PORT on an IPv6 control connection,
	// and records nothing.
	PORTOnIPv6 bool
	// LPRTSwapsOctets, if true, takes the port of LPRT low octet first.
	LPRTSwapsOctets bool
	// LPRTFamilyUnlisted, if true, answers 521 without the list of families.
	LPRTFamilyUnlisted bool
	// LPSVWrongPort, if true, announces a port in 228 that is one too high.
	LPSVWrongPort bool

	// EPRTIgnored, if true, answers 200 to EPRT and records nothing.
	EPRTIgnored bool
	// EPRTBarOnly, if true, refuses every delimiter but the bar.
	EPRTBarOnly bool
	// EPRTSpacesForget, if true, answers 200 to an EPRT with two spaces and
	// records the default data port.
	EPRTSpacesForget bool
	// EPRTAnyFamily, if true, answers 200 to any network protocol number.
	EPRTAnyFamily bool
	// FamilyUnlisted, if true, answers 522 without the list of families.
	// Seen in vsftpd.
	FamilyUnlisted bool
	// FamilyNoText, if true, answers 522 with nothing but the list.
	FamilyNoText bool
	// EPRTLenient, if true, takes malformed EPRT arguments: a missing last
	// delimiter, port 0 or above 65535, a family that contradicts the address.
	EPRTLenient bool `id:"M55"`
	// EPRTCanonicalOnly, if true, refuses IPv6 addresses that are not written
	// as RFC 5952 recommends.
	EPRTCanonicalOnly bool
	// EPRTTakesZones, if true, takes every address with a zone identifier for
	// one of the client's and dials it without the zone.
	EPRTTakesZones bool
	// EPRTUnchecked, if true, applies none of the address and port policies
	// of PORT to EPRT and LPRT. Seen in Pure-FTPd.
	EPRTUnchecked bool `id:"M08"`
	// EPRTKeepsListener, if true, leaves the passive listener open when EPRT
	// follows.
	EPRTKeepsListener bool

	// PASV and EPSV

	// NoPASV, if true, makes the server answer 502 to PASV.
	NoPASV bool
	// PASVFiveNumbers, if true, leaves the last number out of 227.
	PASVFiveNumbers bool `id:"M31"`
	// PASVDigitInText, if true, writes "Entering IPv4 Passive Mode".
	PASVDigitInText bool
	// PASVWrongAddress, if true, announces 127.0.1.1, as servers do that look
	// up their own host name.
	PASVWrongAddress bool `id:"M36"`
	// PassiveAddrIgnored, if true, names its own address in 227 although it has
	// been told another one.
	PassiveAddrIgnored bool
	// PassiveAddrBound, if true, opens the passive listener on the address that
	// it has been told to name. Seen in ebftpd, WaarpFtp and Pure-FTPd.
	PassiveAddrBound bool `id:"M34"`
	// PASVOnIPv6, if true, answers 227 with the address 0.0.0.0 on an IPv6
	// control connection. Seen in vsftpd.
	PASVOnIPv6 bool
	// PASVDefaultPort, if true, uses the default data port as every fifth
	// passive port of a session, as long as it is free.
	PASVDefaultPort bool
	// PASVListensLate, if true, opens the passive listener only when the
	// transfer command arrives.
	PASVListensLate bool `id:"M58"`
	// PASVImpatient, if true, answers 425 to a transfer command unless the
	// client has connected before it.
	PASVImpatient bool
	// PASVSharesListener, if true, uses one passive port for a whole session.
	// Seen in aioftp.
	PASVSharesListener bool `id:"M52"`
	// PASVLeaks, if true, leaves the old listener open when PASV or EPSV is
	// repeated. Seen in ftpserverlib, ftp-srv and libunftp.
	PASVLeaks bool `id:"M12"`
	// PASVKeepsDataConn, if true, leaves an accepted, unused data connection
	// open when PASV or EPSV is repeated.
	PASVKeepsDataConn bool
	// UsedSetupHangs, if true, answers 150 to a transfer without set-up that
	// follows a passive one, and then nothing. Seen in pyftpdlib.
	UsedSetupHangs bool
	// NoSetupHangs, if true, gives no answer to a transfer command in a
	// session that never had a set-up command. Seen in MINA and ProFTPD.
	NoSetupHangs bool `id:"M25"`
	// PASVIgnoresArgument, if true, answers 227 to PASV with an argument.
	PASVIgnoresArgument bool
	// SetupBeforeLogin550, if true, answers 550 in place of 530 to a set-up
	// command before login.
	SetupBeforeLogin550 bool
	// PassiveSTORLosesTail, if true, drops the last octet of what is stored
	// over a passive connection.
	PassiveSTORLosesTail bool
	// RangeOffByOne, if true, uses the port above the configured range too,
	// and first.
	RangeOffByOne bool `id:"M17"`
	// SequentialPorts, if true, hands passive ports out in order.
	SequentialPorts bool `id:"M16"`
	// PeerUnchecked, if true, gives the data of a passive transfer to whoever
	// connects first. Seen in many servers; CERT VU#2558.
	PeerUnchecked bool `id:"M05"`
	// StrangerClosesSession, if true, closes the control connection when a
	// stranger connects to the passive port. Seen in ftp-srv.
	StrangerClosesSession bool `id:"M50"`
	// StrangerReply, if true, sends an unsolicited 425 when a stranger
	// connects to the passive port. Seen in pyftpdlib.
	StrangerReply bool `id:"M51"`
	// ServesEveryConnection, if true, sends the data of a passive transfer to
	// every connection that the client has made to the port.
	ServesEveryConnection bool
	// CrossesSessions, if true, hands passive connections of all sessions out
	// in the order of their arrival, whoever the owner is.
	CrossesSessions bool

	// EPSVClosedPort, if true, announces in 229 a port where nobody listens.
	EPSVClosedPort bool
	// EPSVFillsAddress, if true, writes protocol and address into the fields
	// of 229 that have to stay empty. Seen in vsftpd before 3.0.3, aioftp.
	EPSVFillsAddress bool `id:"M32"`
	// EPSVOtherAddress, if true, opens the EPSV listener on the main address
	// of the host, whichever the client reached.
	EPSVOtherAddress bool
	// EPSVRefusesIPv4, if true, answers 522 to EPSV on an IPv4 connection.
	EPSVRefusesIPv4 bool
	// EPSVRefusesFamily, if true, answers 501 to EPSV with a family.
	EPSVRefusesFamily bool
	// EPSVIgnoresArgument, if true, answers 229 whatever the argument, ALL
	// included. Seen in ftpserverlib, libunftp, MINA, ftp-srv and goftp.
	EPSVIgnoresArgument bool `id:"M04"`
	// PASVAfterEPSVAll, if true, still accepts PASV and LPSV after EPSV ALL.
	// Seen in Pure-FTPd.
	PASVAfterEPSVAll bool `id:"M01"`
	// PORTAfterEPSVAll, if true, still accepts PORT, EPRT and LPRT after EPSV
	// ALL. Seen in vsftpd.
	PORTAfterEPSVAll bool `id:"M03"`
	// EPSVAllForgotten, if true, makes ABOR end the effect of EPSV ALL. Seen in
	// ProFTPD.
	EPSVAllForgotten bool `id:"M02"`
	// EPSVAllLocksEPSV, if true, refuses EPSV too after EPSV ALL.
	EPSVAllLocksEPSV bool
	// EPSVAllDialsDefault, if true, falls back to the default data port when
	// a transfer after EPSV ALL has no set-up.
	EPSVAllDialsDefault bool

	// The data connection

	// DefaultPortRefused, if true, answers 425 to a transfer without set-up
	// in place of dialling the default data port.
	DefaultPortRefused bool
	// ActiveDialsTwice, if true, also opens and closes a connection to the
	// default data port when it dials the endpoint of PORT.
	ActiveDialsTwice bool
	// DataReset, if true, ends what it sends with RST in place of FIN.
	DataReset bool
	// STORLosesTail, if true, drops the last 512 octets at most of what is
	// stored, as servers do that throw away what arrives together with FIN.
	STORLosesTail bool
	// STORKeepsDataOpen, if true, answers 226 to a store and leaves the data
	// connection open for ten seconds.
	STORKeepsDataOpen bool
	// FullAnswers226, if true, claims success when the file system is full.
	FullAnswers226 bool
	// FailedTransferAnswers226, if true, answers 226 when the client has reset
	// the data connection. Seen in ftpserverlib, pyftpdlib and Pure-FTPd.
	FailedTransferAnswers226 bool `id:"M20"`
	// Answers125First, if true, answers 125 before an active connection
	// exists.
	Answers125First bool
	// MissingFileOpensData, if true, answers 150 and opens the data connection
	// for a missing file, then 550, and leaves it open. Seen in nodeftpd.
	MissingFileOpensData bool `id:"M23"`
	// FailedTransferHangsNext, if true, gives no reply to the transfer that
	// follows a failed one without a new set-up.
	FailedTransferHangsNext bool
	// EmptyFileNoData, if true, answers 226 to a RETR of an empty file without
	// using the data connection.
	EmptyFileNoData bool
	// EmptyListNoData, if true, does the same for the listing of an empty
	// directory.
	EmptyListNoData bool
	// TransferLimit, if true, answers 425 from the 31st transfer of a session.
	TransferLimit bool
	// OverlappingTransfers, if true, starts a second transfer while the first
	// one runs.
	OverlappingTransfers bool
	// SetupKillsTransfer, if true, closes the running data connection when a
	// set-up command arrives.
	SetupKillsTransfer bool
	// STATEndsTransfer, if true, answers STAT during a transfer with the final
	// reply of the transfer and that one with 211. Seen in ftpserverlib.
	STATEndsTransfer bool `id:"M45"`
	// TypeAtSetup, if true, uses the TYPE in force at the set-up command.
	TypeAtSetup bool
	// STORAppends, if true, adds to an existing file in place of replacing it.
	STORAppends bool
	// STOUUnnamed, if true, announces a STOU without its file name.
	STOUUnnamed bool
	// DataTelnet, if true, drops octets 255 on the data connection.
	DataTelnet bool
	// BlockNoEOF, if true, leaves the end-of-file block out in MODE B.
	BlockNoEOF bool
	// BlockClosesLate, if true, answers 250 in MODE B and closes the data
	// connection when the next command arrives.
	BlockClosesLate bool
	// CompressedNoEscape, if true, sends a literal zero octet in MODE C as the
	// start of an escape.
	CompressedNoEscape bool
	// ForeignPORTLost, if true, answers 200 to a PORT with a foreign address
	// and 226 to the transfer, and sends the data nowhere.
	ForeignPORTLost bool
	// DataOutlivesControl, if true, goes on with a transfer after the control
	// connection is gone. Seen in ProFTPD and Pure-FTPd.
	DataOutlivesControl bool `id:"M28"`
	// ListenerOutlivesControl, if true, leaves the passive listener open after
	// QUIT or the loss of the control connection. Seen in MINA.
	ListenerOutlivesControl bool `id:"M13"`
	// QUITTruncates, if true, cuts a running transfer off when QUIT arrives.
	// Seen in ProFTPD and in mtheall/ftpd.
	QUITTruncates bool `id:"M30"`

	// Replies

	// BareLF, if true, ends reply lines with LF.
	BareLF bool
	// OddDigits, if true, answers NOOP with 290.
	OddDigits bool
	// HELPWrongTerminator, if true, ends the multi-line HELP with code 211.
	HELPWrongTerminator bool
	// STATColumnOne, if true, prints the names of STAT for a directory in
	// column one, even those that look like the end of the reply.
	STATColumnOne bool
	// STATNests, if true, puts a whole multi-line 213 reply into the 211 reply
	// of STAT.
	STATNests bool
	// SYSTTwice, if true, answers SYST twice.
	SYSTTwice bool
	// TwoPreliminaries, if true, sends 150 and then 125.
	TwoPreliminaries bool
	// PreliminaryToHELP, if true, answers HELP with 150 first.
	PreliminaryToHELP bool
	// DropsQueued, if true, forgets commands that arrive during a transfer.
	DropsQueued bool
	// OddCodes, if true, answers PWD with 258, a code nobody has defined.
	OddCodes bool
	// TooManyLoginsStays, if true, sends 421 after too many failed logins and
	// keeps the connection open. Seen in pyftpdlib, ftpserverlib and aioftp.
	TooManyLoginsStays bool `id:"M43"`
	// NoPreliminary, if true, sends no 1yz reply. Seen in fineftp.
	NoPreliminary bool `id:"M21"`
	// EarlyFinal, if true, answers 226 before the data is written. Seen in
	// pyftpdlib, ProFTPD and NetX Duo.
	EarlyFinal bool `id:"M19"`
	// LateClose, if true, closes the data connection one and a half seconds
	// after 226.
	LateClose bool
	// Latin1Greeting, if true, greets with an octet that is not UTF-8.
	Latin1Greeting bool

	// ABOR

	// ABOROneReply, if true, answers an ABOR during a transfer with one reply.
	// Seen in aioftp, MINA and libunftp.
	ABOROneReply bool `id:"M26"`
	// ABORRaceOneReply, if true, gives no reply of its own to an ABOR that was
	// received while the transfer was completing.
	ABORRaceOneReply bool
	// ABORSTOROneReply, if true, answers an ABOR with one reply during a store
	// or a listing only.
	ABORSTOROneReply bool
	// ABORIdleRefused, if true, answers 450 to ABOR with nothing to abort.
	ABORIdleRefused bool `id:"M27"`
	// ABORKeepsDataConn, if true, leaves an idle data connection open at ABOR.
	ABORKeepsDataConn bool
	// ABORKeepsListener, if true, leaves the passive listener open at ABOR.
	// Seen in Pure-FTPd.
	ABORKeepsListener bool
	// ABORResetsType, if true, puts TYPE back to ASCII at ABOR.
	ABORResetsType bool
	// ABORSpoilsNext, if true, answers the transfer after an aborted one with
	// 426.
	ABORSpoilsNext bool
	// ABORNeedsSynch, if true, ignores an ABOR without the Telnet prefix while
	// a transfer runs.
	ABORNeedsSynch bool
	// TelnetBlind, if true, takes Telnet octets as part of the command.
	TelnetBlind bool
	// ABORHangsOnConnect, if true, never answers an ABOR, nor the transfer,
	// while the data connection is being made.
	ABORHangsOnConnect bool

	// Security

	// AcceptsLowPort, if true, dials ports below 1024. Seen in pyftpdlib.
	AcceptsLowPort bool `id:"M07"`
	// AcceptsForeign, if true, dials any address that PORT or EPRT names, the
	// bounce attack. Seen in ftpserverlib, libunftp, goftp; CVE-1999-0017.
	AcceptsForeign bool `id:"M06"`
	// StoresRefused, if true, refuses a foreign PORT and dials it all the same
	// at the next transfer.
	StoresRefused bool
	// RefusedKeepsOlder, if true, keeps the endpoint of an earlier PORT when a
	// later one is refused. Seen in LightFTP and Pure-FTPd.
	RefusedKeepsOlder bool `id:"M09"`
	// AcceptsSpecial, if true, answers 200 to unspecified, multicast and
	// broadcast addresses. It does not dial them.
	AcceptsSpecial bool
	// UnlimitedLogins, if true, never ends a session for failed logins.
	UnlimitedLogins bool
	// NoLoginDelay, if true, answers a wrong password at once.
	NoLoginDelay bool
	// UserOracle, if true, answers 530 to USER with an unknown name.
	UserOracle bool
}
