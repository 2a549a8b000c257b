package servers

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/ftpconform/ftpconform/internal/host"
)

const (
	// repository is where the images of the fleet are kept.
	repository = "ftpconform"
	// fleetLabel marks images, and the containers. The Dockerfiles begin with it,
	// so that a layer that is left over can be told from others.
	fleetLabel = "org.ftpconform.fleet"
	baseImage  = "debian:bookworm-slim"
	// buildBound is how long it may take to make an image: packages and modules
	// come from far away.
	buildBound = 30 * time.Minute
	// buildTries is how often it is tried when another build, which shares its
	// first layers and has failed or was cut short, takes them away.
	buildTries = 3
)

// errLayerGone: a layer that a build was using is not there any more.
var errLayerGone = errors.New("a layer of it was removed while it was built")

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
	err = buildImage(ctx, p, name, files)
	for tries := 1; errors.Is(err, errLayerGone) && tries < buildTries; tries++ {
		if announce != nil {
			announce("building it again: what it was built on was removed meanwhile")
		}
		err = buildImage(ctx, p, name, files)
	}
	if err != nil {
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
	_, err = p.BuildImage(ctx, &testcontainers.ContainerRequest{FromDockerfile: testcontainers.FromDockerfile{
		ContextArchive: archive, Repo: repo, Tag: tag, BuildLogWriter: &log,
		BuildOptionsModifier: func(o *client.ImageBuildOptions) { o.ForceRemove = true },
	}})
	if err == nil {
		return nil
	}
	gone := layerGone(ctx, p, log.String())
	clear := removeLayers(context.WithoutCancel(ctx), p, log.String())
	switch {
	case ctx.Err() != nil:
		return errors.Join(context.Cause(ctx), clear)
	case gone:
		return errors.Join(fmt.Errorf("%w: %w", errLayerGone, err), clear)
	}
	if _, missing := p.Client().ImageInspect(ctx, baseImage); errdefs.IsNotFound(missing) {
		err = fmt.Errorf("%w; there is no image %s, which make base-image makes where no registry can be reached", err, baseImage)
	}
	return errors.Join(fmt.Errorf("%w; it ended so:\n%s", err, tail(colours.ReplaceAllString(log.String(), ""), 12)), clear)
}

// made is a layer in what the engine tells of a build, and colours are what it
// puts around a command's errors.
var (
	made    = regexp.MustCompile(`(?m)^ ---> ([0-9a-f]{12})\s*$`)
	colours = regexp.MustCompile("\x1b\\[[0-9;]*m")
)

// layerGone says whether a layer that a build has told of is not there: the words
// in which an engine then fails depend on the moment.
func layerGone(ctx context.Context, p *testcontainers.DockerProvider, log string) bool {
	return slices.ContainsFunc(made.FindAllStringSubmatch(log, -1), func(layer []string) bool {
		_, err := p.Client().ImageInspect(ctx, layer[1])
		return errdefs.IsNotFound(err)
	})
}

// removeLayers removes what a build that failed has left: the last layer, and
// with it those below that nobody needs. One with a name, or with others on top
// of it, is somebody's.
func removeLayers(ctx context.Context, p *testcontainers.DockerProvider, log string) error {
	found := made.FindAllStringSubmatch(log, -1)
	if len(found) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, closeBound)
	defer cancel()
	last := found[len(found)-1][1]
	for {
		image, err := p.Client().ImageInspect(ctx, last)
		if errdefs.IsNotFound(err) || err == nil && len(image.RepoTags) > 0 {
			return nil
		}
		if err == nil {
			_, err = p.Client().ImageRemove(ctx, last, client.ImageRemoveOptions{PruneChildren: true})
		}
		switch {
		case err == nil || errdefs.IsNotFound(err) || strings.Contains(err.Error(), "dependent child"):
			return nil
		case !errdefs.IsConflict(err):
			return fmt.Errorf("remove the layer %s of the build: %w", last, err)
		}
		// The container of the step that was cut short holds it for a moment.
		if (host.RealTime{}).Sleep(ctx, 200*time.Millisecond) != nil {
			return fmt.Errorf("the layer %s of the build is in use and stays: %w; docker rmi %[1]s removes it", last, err)
		}
	}
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
