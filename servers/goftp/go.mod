module github.com/ftpconform/ftpconform/servers/goftp

go 1.26

require goftp.io/server/v2 v2.0.3
