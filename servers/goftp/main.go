// Command goftp serves a folder with goftp.io/server, as its own example does.
package main

import (
	"flag"
	"log"

	"goftp.io/server/v2"
	"goftp.io/server/v2/driver/file"
)

func main() {
	host := flag.String("host", "0.0.0.0", "the `address` to listen on")
	port := flag.Int("port", 21, "the control `port`")
	passive := flag.String("passive", "", "the passive ports, `MIN-MAX`")
	public := flag.String("public", "", "the `address` for 227 replies")
	root := flag.String("root", "/srv/ftp", "the `folder` served")
	user := flag.String("user", "", "the `name` to log in with")
	password := flag.String("password", "", "its `password`")
	flag.Parse()
	driver, err := file.NewDriver(*root)
	if err != nil {
		log.Fatal(err)
	}
	s, err := server.NewServer(&server.Options{
		Driver: driver, Auth: &server.SimpleAuth{Name: *user, Password: *password}, Perm: server.NewSimplePerm(*user, *user),
		Hostname: *host, Port: *port, PassivePorts: *passive, PublicIP: *public,
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(s.ListenAndServe())
}
