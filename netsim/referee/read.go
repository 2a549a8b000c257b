package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Fields of a recording that are not compared: they follow from others, or tell
// of the hosts and not of the gateway.
var beyondUs = []string{"client", "client_data", "command_rewritten", "control_outcome", "data_connection", "delta_bytes_to_client", "delta_bytes_to_server",
	"reply_codes", "reply_rewritten", "rst_icmp_events", "server", "stimulus_hex"}

// Fields that are read; those of the first list have to be there.
var (
	needed = []string{"id", "title", "topology", "nat_options", "helper", "client_segments_on_wire", "server_segments",
		"replies_on_server_wire", "replies_on_client_wire"}
	optional   = []string{"notes", "stimulus", "server_app_received", "expectations", "server_data"}
	dataFields = []string{"mode", "target", "result", "local", "peer", "errno", "bytes", "elapsed"}
)

// readVectors reads a file of the form of kernel-vectors.json; the name is for
// errors. What it does not understand is an error, because a recording that is
// read otherwise than it was meant would agree, or differ, for no reason.
func readVectors(name string, text []byte) ([]vector, error) {
	var file map[string]json.RawMessage
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("read the vectors of %s: it must be a JSON object with the list vectors: %s", name, plain(err))
	}
	if err := known(file, "about", "vectors"); err != nil {
		return nil, fmt.Errorf("read the vectors of %s: %w", name, err)
	}
	var all []json.RawMessage
	if err := json.Unmarshal(file["vectors"], &all); err != nil && file["vectors"] != nil {
		return nil, fmt.Errorf("read the vectors of %s: vectors %s", name, plain(err))
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s has no vectors; it must be a JSON object with the list vectors", name)
	}
	out := make([]vector, len(all))
	for i, one := range all {
		if err := out[i].read(one); err != nil {
			return nil, fmt.Errorf("read the vectors of %s: vector %d%s: %w", name, i+1, called(one), err)
		}
	}
	return out, nil
}

// called is the name of a vector that cannot be read, where that much can.
func called(text []byte) string {
	var v struct{ ID string }
	if _ = json.Unmarshal(text, &v); v.ID == "" { // what is wrong with it is known
		return ""
	}
	return fmt.Sprintf(" (%.60s)", v.ID)
}

// known refuses fields that are not among some.
func known(fields map[string]json.RawMessage, names ...string) error {
	for _, f := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(names, f) {
			return fmt.Errorf("the field %.60q is unknown; there are %s", f, strings.Join(names, ", "))
		}
	}
	return nil
}

// read reads one vector.
func (v *vector) read(text []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return errors.New(plain(err))
	}
	if err := known(fields, slices.Concat(needed, optional, beyondUs)...); err != nil {
		return err
	}
	for _, f := range needed {
		if x, ok := fields[f]; !ok || bytes.Equal(x, []byte("null")) {
			return fmt.Errorf("the field %s is missing", f)
		}
	}
	if err := json.Unmarshal(text, v); err != nil {
		return errors.New(plain(err))
	}
	var attempts struct {
		Data []map[string]json.RawMessage `json:"server_data"`
	}
	if err := json.Unmarshal(text, &attempts); err != nil {
		return errors.New(plain(err))
	}
	for i, d := range attempts.Data {
		if err := known(d, dataFields...); err != nil {
			return fmt.Errorf("server_data %d: %w", i+1, err)
		}
	}
	return v.understand()
}

// understand takes apart what is text, and refuses what has no meaning here.
func (v *vector) understand() error {
	if v.ID == "" {
		return errors.New("the field id is empty")
	}
	if len(v.ClientSegments) == 0 {
		return errors.New("client_segments_on_wire is empty; there is nothing to replay")
	}
	if err := v.checkWords(); err != nil {
		return err
	}
	for i, text := range v.Expected {
		x, err := readExpectation(text)
		if err != nil {
			return fmt.Errorf("expectations %d: %w", i+1, err)
		}
		v.expectations = append(v.expectations, x)
	}
	for i, d := range v.ServerData {
		if err := d.check(); err != nil {
			return fmt.Errorf("server_data %d: %w", i+1, err)
		}
	}
	return nil
}

// check refuses an attempt at a data connection that cannot be made here.
func (d *data) check() error {
	for _, w := range []struct {
		field, word string
		known       []string
	}{
		{"mode", d.Mode, []string{"active", "passive", "none"}},
		{"result", d.Result, []string{through, refused, silence, "unreachable", "not-attempted"}},
	} {
		if !slices.Contains(w.known, w.word) {
			return fmt.Errorf("the %s is %.60q; it has to be one of %s", w.field, w.word, strings.Join(w.known, ", "))
		}
	}
	for _, e := range []struct{ field, text string }{{"target", d.Target}, {"local", d.Local}, {"peer", d.Peer}} {
		if _, ok := endpointOf(e.text); e.text != "" && !ok {
			return fmt.Errorf("the %s %.60q is not ADDRESS:PORT", e.field, e.text)
		}
	}
	if d.Mode == "active" && d.Target == "" {
		return errors.New("an active one needs a target")
	}
	return nil
}

// plain says of an error about JSON what its author has to know.
func plain(err error) string {
	var kind *json.UnmarshalTypeError
	if !errors.As(err, &kind) {
		return err.Error()
	}
	got, _, _ := strings.Cut(kind.Value, " ")
	got = map[string]string{"array": "a list", "object": "an object", "string": "a text", "number": "a number", "bool": "true or false"}[got]
	want, ok := map[reflect.Kind]string{reflect.String: "a text", reflect.Slice: "a list"}[kind.Type.Kind()]
	if !ok {
		want = "an object"
	}
	if kind.Field == "" {
		return fmt.Sprintf("it is %s, and has to be %s", got, want)
	}
	return fmt.Sprintf("the field %s is %s, and has to be %s", strings.ToLower(kind.Field), got, want)
}
