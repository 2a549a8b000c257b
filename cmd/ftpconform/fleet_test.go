package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/ftpconform/ftpconform/report"
	"github.com/ftpconform/ftpconform/servers"
	"github.com/ftpconform/ftpconform/suites"
)

// TestBaselinesAreTrue holds for every server of the fleet: its baseline is
// reviewed, and fits the record that is kept of it, which is one of the version
// that was reviewed.
func TestBaselinesAreTrue(t *testing.T) {
	t.Parallel()
	for _, name := range servers.Names() {
		known, err := report.ReadBaseline(filepath.Join("..", "..", "baselines", name+".yaml"))
		if err != nil {
			t.Error(err)
			continue
		}
		rep, err := report.ReadFile(filepath.Join("..", "..", "docs", "records", name+".json"))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, e := range known.Entries {
			if e.Reason == "" || e.Reason == report.NotReviewed {
				t.Errorf("%s: the entry %s is not reviewed", name, e.Check+e.Requirement)
			}
		}
		gate := report.Gate{FailOn: suites.SHOULD, Baseline: known}
		for _, p := range gate.Compare(rep).Problems() {
			t.Errorf("%s: %s: %s", name, p.Kind, p.Text)
		}
		if s := rep.Target.Server; s == nil || s.Name != name || s.Version != known.Version {
			t.Errorf("%s: the record is of %+v, and the baseline of %s", name, s, known.Version)
		}
	}
}

// TestServersPage holds that docs/servers.md is what make servers-page makes of
// the records and the baselines.
func TestServersPage(t *testing.T) {
	t.Parallel()
	page := filepath.Join("..", "..", "docs", "servers.md")
	records, err := filepath.Glob(filepath.Join("..", "..", "docs", "records", "*.json"))
	if err != nil || len(records) != len(servers.Names()) {
		t.Fatalf("%d records of %d servers: %v", len(records), len(servers.Names()), err)
	}
	var out, errs bytes.Buffer
	if code := execute(append([]string{"report", "page", "--baselines", filepath.Join("..", "..", "baselines")}, records...), &out, &errs); code != exitConforms {
		t.Fatalf("code %d: %s", code, errs.String())
	}
	kept, err := os.ReadFile(page)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, out.Bytes()) {
		t.Errorf("%s is not what the records and the baselines make; make servers-page draws it anew", page)
	}
}
