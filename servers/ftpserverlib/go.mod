module github.com/ftpconform/ftpconform/servers/ftpserverlib

go 1.26

require (
	github.com/fclairamb/ftpserverlib v0.32.3
	github.com/spf13/afero v1.15.0
)

require (
	golang.org/x/sys v0.47.0 // indirect
	golang.org/x/text v0.28.0 // indirect
)
