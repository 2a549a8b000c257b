// Command ftpserverlib serves a folder with github.com/fclairamb/ftpserverlib,
// with its default settings but for the timeout of data connections.
package main

import (
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log"

	ftpserver "github.com/fclairamb/ftpserverlib"
	"github.com/spf13/afero"
)

type driver struct {
	settings             ftpserver.Settings
	root, user, password string
}

func (d *driver) GetSettings() (*ftpserver.Settings, error) { return &d.settings, nil }

func (d *driver) ClientConnected(ftpserver.ClientContext) (string, error) { return "ftpserverlib", nil }

func (d *driver) ClientDisconnected(ftpserver.ClientContext) {}

func (d *driver) AuthUser(_ ftpserver.ClientContext, user, password string) (ftpserver.ClientDriver, error) {
	if user != d.user || password != d.password {
		return nil, errors.New("wrong user or password")
	}
	return afero.NewBasePathFs(afero.NewOsFs(), d.root), nil
}

func (d *driver) GetTLSConfig() (*tls.Config, error) { return nil, errors.New("TLS is not configured") }

// portRange reads MIN-MAX.
func portRange(s string) (ftpserver.PortRange, error) {
	var r ftpserver.PortRange
	if _, err := fmt.Sscanf(s, "%d-%d", &r.Start, &r.End); err != nil {
		return r, fmt.Errorf("passive ports %q: %w", s, err)
	}
	return r, nil
}

func main() {
	var d driver
	flag.StringVar(&d.settings.ListenAddr, "listen", "0.0.0.0:21", "the `address` and port to listen on")
	flag.StringVar(&d.settings.PublicHost, "public", "", "the `address` for 227 replies")
	flag.IntVar(&d.settings.ConnectionTimeout, "connection-timeout", 30, "how many `seconds` a data connection may take")
	flag.StringVar(&d.root, "root", "/srv/ftp", "the `folder` served")
	flag.StringVar(&d.user, "user", "", "the `name` to log in with")
	flag.StringVar(&d.password, "password", "", "its `password`")
	flag.Func("passive", "the passive ports, `MIN-MAX`", func(s string) error {
		r, err := portRange(s)
		d.settings.PassiveTransferPortRange = r
		return err
	})
	flag.Parse()
	log.Fatal(ftpserver.NewFtpServer(&d).ListenAndServe())
}
