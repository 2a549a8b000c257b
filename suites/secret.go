package suites

import (
	"errors"

	"github.com/ftpconform/ftpconform/fakeclient"
)

// A server may repeat the password that it was given. What leaves the package,
// results, facts and errors, has it replaced; traces see to themselves.

// hide replaces the target's password in a text.
func (r *run) hide(text string) string {
	if r.cfg.embedded() || r.target == nil {
		return text
	}
	return fakeclient.HideSecret(text, r.target.Password)
}

func (r *run) redact(res *Result) {
	res.Message = r.hide(res.Message)
	for i := range res.Findings {
		res.Findings[i].Message = r.hide(res.Findings[i].Message)
	}
	for i := range res.Violations {
		res.Violations[i].Message = r.hide(res.Violations[i].Message)
	}
}

func (r *run) redactFacts(f *TargetFacts) {
	f.Banner, f.SYST = r.hide(f.Banner), r.hide(f.SYST)
	for i := range f.FEAT {
		f.FEAT[i] = r.hide(f.FEAT[i])
	}
}

// redactError replaces the password in the text of a preflight's error; what
// it wraps stays what it is.
func (r *run) redactError(err error) error {
	var p *PreflightError
	if errors.As(err, &p) && p.Err != nil {
		p.Err = &discreetError{text: r.hide(p.Err.Error()), err: p.Err}
	}
	return err
}

type discreetError struct {
	text string
	err  error
}

func (e *discreetError) Error() string { return e.text }
func (e *discreetError) Unwrap() error { return e.err }
