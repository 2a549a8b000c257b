package servers

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// build compiles the server with the go command, for a container without a C
// library, and adds it to the files.
func (g *GoBuild) build(ctx context.Context, dir string, files map[string][]byte) error {
	if _, err := exec.LookPath("go"); err != nil {
		return errors.New("it is built from a Go module, and there is no go command here")
	}
	tmp, remove, err := scratch()
	if err != nil {
		return err
	}
	defer remove()
	var cmd *exec.Cmd
	flags := []string{"-trimpath", "-ldflags=-s -w", "-tags=" + g.Tags}
	if strings.Contains(g.Package, "@") {
		cmd = exec.CommandContext(ctx, "go", slices.Concat([]string{"install"}, flags, []string{g.Package})...) //nolint:gosec // the package is that of the description
	} else {
		cmd = exec.CommandContext(ctx, "go", slices.Concat([]string{"build"}, flags, []string{"-o", filepath.Join(tmp, goServer), g.Package})...) //nolint:gosec // as above
		cmd.Dir = dir
	}
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOBIN="+tmp, "GOWORK=off", "GOFLAGS=-buildvcs=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args[:2], " "), err, tail(string(out), 8))
	}
	built, err := filepath.Glob(filepath.Join(tmp, "*"))
	if err != nil || len(built) != 1 {
		return fmt.Errorf("go has made %d programs of %s; one is needed", len(built), g.Package)
	}
	version, err := g.version(built[0])
	if err != nil {
		return err
	}
	files[goVersion] = []byte(version)
	files[goServer], err = os.ReadFile(built[0])
	return err
}

// version reads out of a program which version of the server it has.
func (g *GoBuild) version(program string) (string, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return "", err
	}
	if info.Main.Path == g.VersionOf {
		return info.Main.Version, nil
	}
	for _, d := range info.Deps {
		if d.Path == g.VersionOf {
			return d.Version, nil
		}
	}
	return "", fmt.Errorf("version-of: there is no module %s in it", g.VersionOf)
}
