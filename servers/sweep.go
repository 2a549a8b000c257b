package servers

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// ownerLabel names the process that ends a container, in a way that is no other
// one's: the machine's boot, the namespace in which the process has its number,
// the number, and the moment when it began.
const ownerLabel = "org.ftpconform.owner"

// owner is this process, as the label has it.
var owner = sync.OnceValue(func() string {
	return fmt.Sprintf("%s/%s/%d/%s", boot(), numbers(), os.Getpid(), began(os.Getpid()))
})

// keeper owns what is to be left running: the user removes it.
const keeper = "user"

// boot is the machine's boot, or the empty text where that is not known.
func boot() string {
	text, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text))
}

// numbers names the namespace of process numbers: who runs in a container and uses
// the engine of the machine around it sees others than that machine does.
func numbers() string {
	name, _ := os.Readlink("/proc/self/ns/pid")
	return name
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

// abandoned reports whether the process of a label, one that could be seen from
// here, is no more.
func abandoned(label string) bool {
	var pid int
	parts := strings.Split(label, "/")
	if len(parts) != 4 || slices.Contains(parts, "") {
		return false
	}
	if _, err := fmt.Sscan(parts[2], &pid); err != nil {
		return false
	}
	return parts[0] == boot() && parts[1] == numbers() && began(pid) != parts[3]
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
