// Package reference is an FTP server and a small client that keep to the
// letter of their documents: RFC 959 as amended by RFC 1123, with RFC 1639
// (LPRT, LPSV), RFC 2389 (FEAT, OPTS), RFC 2428 (EPRT, EPSV), RFC 2577
// (security), RFC 2640 (names) and RFC 3659 (SIZE, MDTM, MLST, MLSD).
//
// A check of a conformance suite is tried out against the server. Told so by
// a field of Faults the server is wrong in one documented way; told so by a
// field of Tolerances it is unusual in a way that the documents allow.
//
// # Concurrency
//
// A Server and its methods may be used from several goroutines. Every session
// has one goroutine that reads the control connection and one that carries
// commands out; a transfer runs in a third, so that ABOR and STAT are heard
// while it lasts. Everything else that arrives during a transfer waits its
// turn, and so does its reply. Goroutines recover from panics, and Close waits
// for all of them. A Client serves one goroutine at a time.
package reference
