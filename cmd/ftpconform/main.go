// Command ftpconform tells whether the active and passive mode of an FTP
// server really work, and shows why when they do not. One file holds one
// command; package suites does the checking and package report the telling.
//
// The program reads no configuration file and takes no environment variables
// but NO_COLOR and TERM, and in a pipeline of GitHub GITHUB_ACTIONS and
// GITHUB_STEP_SUMMARY; what starts containers finds Docker by the variables of
// Docker. What it finds out goes to the standard output, progress and errors to
// the standard error, and the exit code tells them apart: see the constants in
// exit.go.
package main

import "os"

func main() { os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr)) }
