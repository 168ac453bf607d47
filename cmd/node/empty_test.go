package main

import (
	"errors"
	"slices"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/quorate/quorate/api"
)

// No command takes an empty text for a flag that was left out.
func TestNoFlagIsEmpty(t *testing.T) {
	checked := 0
	var walk func(path []string, cmd *cobra.Command)
	walk = func(path []string, cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			walk(append(slices.Clone(path), sub.Name()), sub)
		}
		var names []string
		for _, set := range []*pflag.FlagSet{cmd.Flags(), cmd.InheritedFlags()} {
			set.VisitAll(func(f *pflag.Flag) {
				if _, list := f.Value.(pflag.SliceValue); list || f.Value.Type() == "string" {
					names = append(names, f.Name)
				}
			})
		}
		for _, name := range names {
			c := &cli{}
			fresh, _, err := c.root().Find(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := fresh.ParseFlags([]string{"--" + name, ""}); err != nil {
				t.Fatalf("%v --%s: %v", path, name, err)
			}
			err = c.nothingEmpty(fresh, nil)
			var e *api.Error
			if is := errors.As(err, &e) && e.Code == "empty_value"; is == slices.Contains(mayBeEmpty, name) {
				t.Errorf("%v --%s \"\": %v", path, name, err)
			}
			checked++
		}
	}
	walk(nil, (&cli{}).root())
	if checked < 50 {
		t.Fatalf("%d flags are looked at", checked)
	}
}

// Nor does one go by an environment variable that is set and empty.
func TestNoVariableIsEmpty(t *testing.T) {
	for environ, refused := range map[string]bool{"QUORATE_DATA_DIR=": true, "QUORATE_PASSPHRASE_FILE= ": true, "QUORATE_DATA_DIR=/x": false, "HOME=": false} {
		c := &cli{environ: []string{environ}}
		if err := c.nothingEmpty(c.root(), nil); (err != nil) != refused {
			t.Errorf("%s: %v", environ, err)
		}
	}
}
