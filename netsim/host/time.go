package host

import (
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"

	"github.com/ftpconform/ftpconform/netsim/clock"
)

// stackClock is the network's clock in the stack's terms.
type stackClock struct{ node *clock.Node }

func (c stackClock) Now() time.Time { return c.node.Now() }

func (c stackClock) NowMonotonic() tcpip.MonotonicTime {
	if !c.node.Virtual() {
		return tcpip.MonotonicTime{}.Add(time.Since(c.node.Start())) // at half the price of Now
	}
	return tcpip.MonotonicTime{}.Add(c.node.Now().Sub(c.node.Start()))
}

func (c stackClock) AfterFunc(d time.Duration, f func()) tcpip.Timer {
	return stackTimer{c.node.Schedule(d, f)}
}

// stackTimer is an event as a tcpip.Timer.
type stackTimer struct{ event *clock.Event }

func (t stackTimer) Stop() bool            { return t.event.Stop() }
func (t stackTimer) Reset(d time.Duration) { t.event.Reset(d) }
