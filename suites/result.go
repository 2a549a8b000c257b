package suites

import (
	"runtime"
	"runtime/debug"
	"time"

	"github.com/ftpconform/ftpconform/fakeclient"
)

// Schema names the form of the run record; its number rises when a reader of
// the older form would misread the newer one.
const Schema = "ftpconform-run/1"

// Report is the run record: what was checked, on what, and what came of it.
// Everything that is printed about a run is drawn from it.
type Report struct {
	Schema     string      `json:"schema"`
	Tool       Tool        `json:"tool"`
	Catalogue  Edition     `json:"catalogue"`
	Target     TargetFacts `json:"target"`
	Topologies []Topology  `json:"topologies"`
	// Kernel is the release of the kernel that the gateways of the networks are;
	// empty for simulated ones.
	Kernel string `json:"kernel,omitempty"`
	// Strict tells whether accepted deviations were graded as failures.
	Strict bool `json:"strict"`
	// Start is when the run began; DurationMS how long it took.
	Start      time.Time `json:"start"`
	DurationMS int64     `json:"duration_ms"`
	// Interrupted is true when the run was cut short; checks without an answer
	// are not-run then.
	Interrupted bool `json:"interrupted"`
	// TargetLost says why the target could not be reached any more at the end
	// of the run; empty when it was there. What was found before stands.
	TargetLost string   `json:"target_lost,omitempty"`
	Summary    Summary  `json:"summary"`
	Results    []Result `json:"results"`
}

// Tool says what made the record.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
}

// Edition says which catalogue was used.
type Edition struct {
	Version int    `json:"version"`
	SHA256  string `json:"sha256"`
}

// TargetFacts are what the server said of itself.
type TargetFacts struct {
	Address  string   `json:"address"`
	Embedded bool     `json:"embedded"`
	Faults   []string `json:"faults,omitempty"`
	Banner   string   `json:"banner"`
	SYST     string   `json:"syst"`
	FEAT     []string `json:"feat"`
	// Server is what is known of a server that was started for the run; nil for
	// others. Log is the end of what it wrote.
	Server *ServerFacts `json:"server,omitempty"`
	Log    []string     `json:"log,omitempty"`
}

// ServerFacts name a server that was started for the run.
type ServerFacts struct {
	Name    string `json:"name"`
	Title   string `json:"title"`
	Version string `json:"version"`
	// Image is that of its container.
	Image string `json:"image"`
}

// Summary counts results.
type Summary struct {
	Total     int                       `json:"total"`
	ByVerdict map[Verdict]int           `json:"by_verdict"`
	ByLevel   map[Level]map[Verdict]int `json:"by_level"`
}

// Result is what came of one check in one topology. DurationMS is on the clock
// of its network, which in a simulated one is not that of the run.
type Result struct {
	Check        string   `json:"check"`
	Title        string   `json:"title"`
	Topic        string   `json:"topic"`
	Requirements []string `json:"requirements"`
	Level        Level    `json:"level"`
	Topology     Topology `json:"topology"`
	Verdict      Verdict  `json:"verdict"`
	// Message is the gravest finding, or the reason of a verdict without one.
	Message    string        `json:"message"`
	DurationMS int64         `json:"duration_ms"`
	Findings   []Finding     `json:"findings"`
	Violations []Violation   `json:"violations,omitempty"`
	Events     []Observation `json:"observations"`
}

// Name is the check, with its topology where that is not Direct.
func (r Result) Name() string {
	if r.Topology == Direct || r.Topology == "" {
		return r.Check
	}
	return r.Check + " in " + string(r.Topology)
}

// Observation is one event of a check's trace.
type Observation struct {
	// Time is in seconds since the check began.
	Time float64 `json:"time"`
	Side string  `json:"side"`
	// Event is the kind: send, receive, dial, accept, fin, rst, silence, …
	Event      string `json:"event"`
	Connection string `json:"connection,omitempty"`
	Text       string `json:"text"`
}

// How many events a result keeps: the beginning and the end of a long
// dialogue; what was left out is counted.
const (
	keepFirst = 40
	keepLast  = 80
)

func observations(events []fakeclient.Event) []Observation {
	cut := len(events) - keepFirst - keepLast
	out := make([]Observation, 0, min(len(events), keepFirst+keepLast+1))
	for i, e := range events {
		if cut > 0 && i >= keepFirst && i < keepFirst+cut {
			if i == keepFirst {
				out = append(out, Observation{Time: e.At.Seconds(), Side: string(fakeclient.ByHarness), Event: string(fakeclient.KindNote),
					Text: pluralise(cut, "event") + " left out"})
			}
			continue
		}
		out = append(out, Observation{Time: e.At.Seconds(), Side: string(e.Side), Event: string(e.Kind), Connection: e.Conn, Text: e.Text})
	}
	return out
}

// summarise counts the results.
func summarise(results []Result) Summary {
	s := Summary{Total: len(results), ByVerdict: map[Verdict]int{}, ByLevel: map[Level]map[Verdict]int{}}
	for _, r := range results {
		s.ByVerdict[r.Verdict]++
		if s.ByLevel[r.Level] == nil {
			s.ByLevel[r.Level] = map[Verdict]int{}
		}
		s.ByLevel[r.Level][r.Verdict]++
	}
	return s
}

// Version is the version of the program; the build sets it for a release.
var Version = "devel"

// CurrentTool describes the running program.
func CurrentTool() Tool {
	t := Tool{Name: "ftpconform", Version: Version, Go: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				t.Commit = s.Value
			}
		}
	}
	return t
}
