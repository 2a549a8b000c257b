package servers_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/ftpconform/ftpconform/servers"
	"github.com/ftpconform/ftpconform/suites"
)

// A server of the fleet in a test of one's own.
func ExampleStart() {
	ctx := context.Background()
	srv, err := servers.Start(ctx, "vsftpd")
	var none *servers.UnavailableError
	switch {
	case errors.As(err, &none):
		fmt.Println("there is no Docker Engine here:", none)
		return
	case err != nil:
		fmt.Println(err)
		return
	}
	defer srv.Close()
	rep, err := suites.Verify(ctx, suites.Config{Target: srv.URL(), Only: []string{"port-works", "pasv-implemented"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(srv.Version, rep.Summary.ByVerdict[suites.Pass])
}
