package suites

// Choice is what the selection of a configuration makes of one check.
type Choice struct {
	Check Check
	// In are the topologies in which the check is going to run.
	In []Topology
	// Excluded says why the check is not going to run; "" when it is.
	Excluded string
}

// Choose applies Only, Skip, Level and Slow of a configuration to all checks,
// in their order, and runs nothing. A *UsageError says that an entry cannot be
// read or matches no check, or that nothing is left.
func Choose(cfg Config) ([]Choice, error) {
	s, err := newSelection(&cfg)
	if err != nil {
		return nil, err
	}
	var out []Choice
	for _, c := range Checks() {
		choice := Choice{Check: c}
		for _, t := range c.Topologies() {
			if reason := s.excludes(c, t); reason == "" {
				choice.In = append(choice.In, t)
			} else if choice.Excluded == "" {
				choice.Excluded = reason
			}
		}
		if len(choice.In) > 0 {
			choice.Excluded = ""
		}
		out = append(out, choice)
	}
	return out, nil
}
