package servers

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

const (
	// repository is where the images of the fleet are kept.
	repository = "ftpconform"
	// fleetLabel marks images; the Dockerfiles begin with it, so that every
	// layer has it, and the containers.
	fleetLabel = "org.ftpconform.fleet"
	baseImage  = "debian:bookworm-slim"
	// buildBound is how long it may take to make an image: packages and modules
	// come from far away.
	buildBound = 30 * time.Minute
)

// building is held for reading by who builds, and for writing by who removes
// what a failed build has left: nothing but its place in a build that goes on
// tells such a layer from a useful one.
var building sync.RWMutex

// Image returns the name of the server's image, and builds it first if it is not
// there, which is announced. Its tag is that of the content of the folder, so a
// change there makes another one.
func (s *Spec) Image(ctx context.Context, announce func(string)) (string, error) {
	p, err := docker(ctx)
	if err != nil {
		return "", err
	}
	files, err := s.content()
	if err != nil {
		return "", err
	}
	name := repository + "/" + s.Name + ":" + digest(files, s.Go)
	_, err = p.Client().ImageInspect(ctx, name)
	switch {
	case err == nil:
		return name, nil
	case !errdefs.IsNotFound(err):
		return "", fmt.Errorf("look for the image %s: %w", name, err)
	}
	if announce != nil {
		announce("building the image " + name)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, buildBound, fmt.Errorf("the image %s was not built within %v", name, buildBound))
	defer cancel()
	if s.Go != nil {
		if err := s.Go.build(ctx, s.dir, files); err != nil {
			return "", fmt.Errorf("build %s: %w", s.Name, err)
		}
	}
	if err := buildImage(ctx, p, name, files); err != nil {
		return "", fmt.Errorf("build the image of %s: %w", s.Name, err)
	}
	return name, nil
}

// content are the files of the folder, by their names in it. The description is
// not among them: the image does not depend on it.
func (s *Spec) content() (map[string][]byte, error) {
	out := map[string][]byte{}
	err := fs.WalkDir(s.folder, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == specFile {
			return err
		}
		out[name], err = fs.ReadFile(s.folder, name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the folder of %s: %w", s.Name, err)
	}
	return out, nil
}

// digest is that of a folder, and of what is built into it.
func digest(files map[string][]byte, build *GoBuild) string {
	h := sha256.New()
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(h, "%s %d\n%s", name, len(files[name]), files[name])
	}
	if build != nil {
		fmt.Fprintf(h, "%s %s %s", build.Package, build.Tags, build.VersionOf)
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// buildImage makes an image of files, one of which is the Dockerfile.
func buildImage(ctx context.Context, p *testcontainers.DockerProvider, name string, files map[string][]byte) error {
	archive, err := pack(files)
	if err != nil {
		return err
	}
	var log bytes.Buffer
	repo, tag, _ := strings.Cut(name, ":")
	building.RLock()
	_, err = p.BuildImage(ctx, &testcontainers.ContainerRequest{FromDockerfile: testcontainers.FromDockerfile{
		ContextArchive: archive, Repo: repo, Tag: tag, BuildLogWriter: &log,
		BuildOptionsModifier: func(o *client.ImageBuildOptions) { o.ForceRemove = true },
	}})
	building.RUnlock()
	if err == nil {
		return nil
	}
	clear := prune(context.WithoutCancel(ctx), p)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if _, missing := p.Client().ImageInspect(ctx, baseImage); errdefs.IsNotFound(missing) {
		err = fmt.Errorf("%w; there is no image %s, which make base-image makes where no registry can be reached", err, baseImage)
	}
	if clear != nil {
		err = fmt.Errorf("%w; and its layers have stayed: %w", err, clear)
	}
	return fmt.Errorf("%w\n%s", err, tail(log.String(), 12))
}

// prune removes what builds that failed have left.
func prune(ctx context.Context, p *testcontainers.DockerProvider) error {
	ctx, cancel := context.WithTimeout(ctx, closeBound)
	defer cancel()
	building.Lock()
	defer building.Unlock()
	_, err := p.Client().ImagePrune(ctx, client.ImagePruneOptions{Filters: make(client.Filters).Add("dangling", "true").Add("label", fleetLabel)})
	return err
}

// tail are the last lines of a text.
func tail(text string, n int) string {
	return strings.Join(lastLines(strings.Split(strings.TrimSpace(text), "\n"), n), "\n")
}

func lastLines(lines []string, n int) []string { return lines[max(0, len(lines)-n):] }

// pack makes the archive in which an engine takes files.
func pack(files map[string][]byte) (io.ReadSeeker, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, text := range files {
		mode := int64(0o644)
		if name == goServer {
			mode = 0o755
		}
		err := w.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(text))})
		if err == nil {
			_, err = w.Write(text)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return bytes.NewReader(b.Bytes()), nil
}

// The files that a Go build adds to a folder.
const (
	goServer  = "server"
	goVersion = "version"
)

// scratch makes a directory, and what removes it.
func scratch() (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp("", "ftpconform-")
	return filepath.Clean(dir), func() { _ = os.RemoveAll(dir) }, err
}
