package servers

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// ownerLabel names the process that ends a container, in a way that is no other
// one's: the number, the moment it began, and the machine's boot.
const ownerLabel = "org.ftpconform.owner"

// owner is this process, as the label has it.
var owner = sync.OnceValue(func() string {
	return fmt.Sprintf("%s/%d/%s", boot(), os.Getpid(), began(os.Getpid()))
})

// keeper owns what is to be left running: the user removes it.
const keeper = "user"

// boot is the machine's boot, or the empty text where that is not known.
func boot() string {
	text, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text))
}

// began is when a process began, in ticks since the boot (proc(5), the twentieth
// field after the name), or the empty text if there is none.
func began(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 20 {
		return ""
	}
	return fields[19]
}

// abandoned reports whether the process of a label on this machine is no more.
func abandoned(label string) bool {
	var pid int
	parts := strings.Split(label, "/")
	if len(parts) != 3 || parts[0] == "" || parts[2] == "" {
		return false
	}
	if _, err := fmt.Sscan(parts[1], &pid); err != nil {
		return false
	}
	return parts[0] == boot() && began(pid) != parts[2]
}

var swept sync.Once

// sweep removes, once, the containers of processes that were ended before they
// could do it. That it does not succeed is no reason not to go on.
func sweep(ctx context.Context, p *testcontainers.DockerProvider) {
	swept.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, closeBound)
		defer cancel()
		found, err := p.Client().ContainerList(ctx, client.ContainerListOptions{All: true, Filters: make(client.Filters).Add("label", ownerLabel)})
		if err != nil {
			return
		}
		for _, c := range found.Items {
			if abandoned(c.Labels[ownerLabel]) {
				_, _ = p.Client().ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
			}
		}
	})
}
