package report

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/ftpconform/ftpconform/internal/host"
	"github.com/ftpconform/ftpconform/suites"
)

// Progress tells of a run while it goes on: on a terminal in one line that is
// redrawn and erased at the end, elsewhere in a line for each breach and each
// topic that is done. Start it, let it be told of results, stop it.
type Progress struct {
	W     io.Writer
	Style Style
	// Live says that W is a terminal on which a line can be redrawn.
	Live bool
	// Terse leaves the lines about breaches and topics out.
	Terse bool
	// Columns, if set, asks for the present width of the terminal.
	Columns func() int
	// Clock tells the time; default the operating system's.
	Clock host.Clock

	mu     sync.Mutex
	left   map[string]int // planned checks without a result, by topic
	topics map[string]map[suites.Verdict]int
	counts map[suites.Verdict]int
	done   int
	total  int
	began  time.Time
	stop   context.CancelFunc
	drawn  sync.WaitGroup
}

// redraw is how often the line is drawn anew, for the sake of its clock.
const redraw = 250 * time.Millisecond

// Start begins with the checks that are going to run.
func (p *Progress) Start(planned []suites.Choice) {
	if p.Clock == nil {
		p.Clock = host.RealTime{}
	}
	p.left, p.topics, p.counts = map[string]int{}, map[string]map[suites.Verdict]int{}, map[suites.Verdict]int{}
	for _, c := range planned {
		p.left[c.Check.Topic()] += len(c.In)
		p.total += len(c.In)
	}
	p.began = p.Clock.Now()
	ctx, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	if !p.Live {
		fmt.Fprintf(p.W, "checking: %s\n", plural(p.total, "check"))
		return
	}
	p.drawn.Go(func() {
		for {
			p.draw()
			if p.Clock.Sleep(ctx, redraw) != nil {
				return
			}
		}
	})
}

// Result tells of a result; it has the signature of suites.Config.Progress.
func (p *Progress) Result(_, _ int, r suites.Result) {
	if r.Verdict == suites.NotRun {
		return // deselected; or interrupted, which the last line tells
	}
	p.mu.Lock()
	p.done++
	p.counts[r.Verdict]++
	if p.topics[r.Topic] == nil {
		p.topics[r.Topic] = map[suites.Verdict]int{}
	}
	p.topics[r.Topic][r.Verdict]++
	p.left[r.Topic]--
	complete := p.left[r.Topic] == 0
	if !p.Live && !p.Terse {
		p.calm(r, complete)
	}
	p.mu.Unlock()
	if p.Live {
		p.draw()
	}
}

// Say prints a line of its own.
func (p *Progress) Say(line string) {
	p.mu.Lock()
	if p.Live {
		line = "\r" + p.Style.Cut(line) + eraseToEnd
	}
	fmt.Fprintln(p.W, line)
	p.mu.Unlock()
	if p.Live {
		p.draw()
	}
}

// calm prints for a pipe or a log.
func (p *Progress) calm(r suites.Result, complete bool) {
	switch r.Verdict {
	case suites.Fail, suites.Warn, suites.HarnessError:
		fmt.Fprintf(p.W, "%-5s %s: %s\n", r.Verdict, r.Name(), headline(r.Verdict, r.Message))
	default:
	}
	if complete {
		fmt.Fprintf(p.W, "%d/%d done, %s: %s\n", p.done, p.total, r.Topic, tally(p.topics[r.Topic]))
	}
}

// draw redraws the line of a terminal. It stays short of the last column,
// where some terminals begin a new line.
func (p *Progress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	width := p.Style.Width
	if p.Columns != nil {
		width = p.Columns()
	}
	text := fmt.Sprintf("%d/%d checks, %s", p.done, p.total, p.Clock.Now().Sub(p.began).Truncate(time.Second))
	if counts := tally(p.counts); counts != "" {
		text += ": " + counts
	}
	if width > 1 {
		text = Style{Width: width - 1}.Cut(text)
	}
	fmt.Fprint(p.W, "\r"+text+eraseToEnd)
}

// eraseToEnd clears the rest of the line (ECMA-48 section 8.3.41).
const eraseToEnd = "\x1b[K"

// Stop ends the telling and erases the line. It may be called again.
func (p *Progress) Stop() {
	if p.stop == nil {
		return
	}
	p.stop()
	p.stop = nil
	p.drawn.Wait()
	if p.Live {
		fmt.Fprint(p.W, "\r"+eraseToEnd)
	}
}

func tally(counts map[suites.Verdict]int) string {
	var parts []string
	for _, v := range suites.Verdicts {
		if n := counts[v]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	return strings.Join(parts, ", ")
}
