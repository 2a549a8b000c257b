package suites

import (
	"crypto/sha256"
	_ "embed" // the catalogue is part of the package
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// Level is how binding a requirement is, in the words of RFC 2119.
type Level string

// The levels, from the most binding one.
const (
	MUST   Level = "MUST"
	SHOULD Level = "SHOULD"
	MAY    Level = "MAY"
)

// rank orders levels; a higher one binds more.
func (l Level) rank() int {
	return map[Level]int{MUST: 3, SHOULD: 2, MAY: 1}[l]
}

// Requirement is one normative statement of a source document, in our words.
type Requirement struct {
	ID      string `yaml:"id"`
	RFC     int    `yaml:"rfc"`
	Section string `yaml:"section"`
	Level   Level  `yaml:"level"`
	// Derived is true where the source is older than RFC 2119 or the level is
	// our reading of its prose.
	Derived bool   `yaml:"derived"`
	Role    string `yaml:"role"` // who has to comply: server, client or nat
	Topic   string `yaml:"topic"`
	Summary string `yaml:"summary"`
	Test    struct {
		Stimulus string `yaml:"stimulus"`
		Expect   string `yaml:"expect"`
		// Accept names alternatives that are no failure.
		Accept string `yaml:"accept"`
		Bound  string `yaml:"bound"`
	} `yaml:"test"`
	// Feature is "base", or what has to be supported for the requirement to
	// apply.
	Feature   string   `yaml:"feature"`
	Network   []string `yaml:"network"`
	Notes     string   `yaml:"notes"`
	Refs      []string `yaml:"refs"`
	Conflicts []string `yaml:"conflicts"`
}

// Clause names the source: "RFC 959 section 3.2".
func (r Requirement) Clause() string {
	return fmt.Sprintf("RFC %d section %s", r.RFC, r.Section)
}

// Conflict is a place where the documents, or a document and practice,
// disagree, with the position that the checks take.
type Conflict struct {
	ID       string `yaml:"id"`
	Between  string `yaml:"between"`
	Issue    string `yaml:"issue"`
	Position string `yaml:"position"`
}

// Bound is a limit on waiting, in seconds, and what it is for.
type Bound struct {
	Seconds int    `yaml:"seconds"`
	Meaning string `yaml:"meaning"`
}

// Catalogue is the requirement catalogue.
type Catalogue struct {
	Version      int              `yaml:"version"`
	Title        string           `yaml:"title"`
	Bounds       map[string]Bound `yaml:"bounds"`
	Topics       []string         `yaml:"topics"`
	Conflicts    []Conflict       `yaml:"conflicts"`
	Requirements []Requirement    `yaml:"requirements"`
	// Hash is the SHA-256 of the catalogue's text, in hexadecimal.
	Hash string `yaml:"-"`

	byID map[string]*Requirement
}

//go:embed catalogue/requirements.yaml
var requirementsYAML []byte

//go:embed catalogue/untested.yaml
var untestedYAML []byte

// LoadCatalogue returns the catalogue that is built in. It is read once; the
// result must not be changed.
var LoadCatalogue = sync.OnceValue(func() *Catalogue {
	c, err := parseCatalogue(requirementsYAML)
	if err != nil {
		panic("suites: the built-in catalogue cannot be read: " + err.Error())
	}
	return c
})

func parseCatalogue(text []byte) (*Catalogue, error) {
	var c Catalogue
	if err := yaml.Unmarshal(text, &c); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	c.Hash = hex.EncodeToString(sum[:])
	c.byID = make(map[string]*Requirement, len(c.Requirements))
	for i := range c.Requirements {
		c.byID[c.Requirements[i].ID] = &c.Requirements[i]
	}
	return &c, nil
}

// Requirement finds a requirement by its id, case-blind.
func (c *Catalogue) Requirement(id string) (Requirement, bool) {
	if r, ok := c.byID[strings.ToUpper(id)]; ok {
		return *r, true
	}
	return Requirement{}, false
}

// Conflict finds a conflict position by its id, "C-06".
func (c *Catalogue) Conflict(id string) (Conflict, bool) {
	i := slices.IndexFunc(c.Conflicts, func(x Conflict) bool { return strings.EqualFold(x.ID, id) })
	if i < 0 {
		return Conflict{}, false
	}
	return c.Conflicts[i], true
}

// Untested is a stated reason why requirements have no check. A requirement
// belongs to it when its id matches one of the globs, or, where there are
// none, when all of role, topic and network that are given agree.
type Untested struct {
	IDs     []string `yaml:"ids"`
	Role    string   `yaml:"role"`
	Topic   string   `yaml:"topic"`
	Network string   `yaml:"network"`
	Reason  string   `yaml:"reason"`
}

// LoadUntested returns the stated reasons.
var LoadUntested = sync.OnceValue(func() []Untested {
	var out []Untested
	if err := yaml.Unmarshal(untestedYAML, &out); err != nil {
		panic("suites: the built-in list of untested requirements cannot be read: " + err.Error())
	}
	return out
})

// Covers reports whether the reason is about the requirement.
func (u Untested) Covers(r Requirement) bool {
	if len(u.IDs) > 0 {
		return slices.ContainsFunc(u.IDs, func(glob string) bool {
			ok, err := path.Match(glob, r.ID)
			return ok && err == nil
		})
	}
	if u.Role == "" && u.Topic == "" && u.Network == "" {
		return false
	}
	return (u.Role == "" || u.Role == r.Role) && (u.Topic == "" || u.Topic == r.Topic) &&
		(u.Network == "" || slices.Contains(r.Network, u.Network))
}
