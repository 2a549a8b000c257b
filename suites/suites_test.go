package suites_test

import (
	"flag"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/ftpconform/ftpconform/suites"
)

// The flags of the suite; they follow "--" with the ginkgo program and -args
// with go test.
var (
	target = flag.String("target", "", "the server, ftp://user:password@host:port/dir; none: the embedded reference server")
	only   = flag.String("only", "", "checks to run, separated by commas: topics, ids, globs")
	where  = flag.String("topology", "", "networks between client and server, separated by commas, or all")
	slow   = flag.Bool("slow", false, "include checks that wait for more than 30 s")
	strict = flag.Bool("strict", false, "grade accepted deviations as failures")
	scale  = flag.Float64("timeout-scale", 1, "multiply every bound")
	data   = flag.Duration("data-timeout", 0, "how long the target waits for a data connection, if known")
)

// TestSuite is the suite: what Ginkgo runs, and "go test" too.
func TestSuite(t *testing.T) {
	cfg := suites.Config{Target: *target, Slow: *slow, Strict: *strict, TimeoutScale: *scale, DataTimeout: *data}
	if *only != "" {
		cfg.Only = strings.Split(*only, ",")
	}
	for _, t := range strings.FieldsFunc(*where, func(r rune) bool { return r == ',' }) {
		if t == "all" {
			cfg.Topologies = suites.Topologies()
			break
		}
		cfg.Topologies = append(cfg.Topologies, suites.Topology(t))
	}
	gomega.RegisterFailHandler(ginkgo.Fail)
	suites.Register(cfg)
	ginkgo.RunSpecs(t, "FTP active and passive mode")
}
