// Command probe lets one member of a group of three write many entries of one
// kind, and counts what the next steps and readers of an honest member cost: how
// often any block of statements of coordinator and journal is run. It is built
// with coverage counters by the test beside it, and prints one line of JSON for
// each measurement.
//
//	probe KIND N…   measures KIND at each N
//
// With COST_DIR set, each measurement leaves its counters in a directory below
// it, for `go tool covdata textfmt`, which says where the visits are.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/coverage"
	"slices"
	"strconv"
	"strings"
	"time"
)

// measurement is what one call cost.
type measurement struct {
	Kind    string  `json:"kind"`
	N       int     `json:"n"`
	What    string  `json:"what"`
	Visits  uint64  `json:"visits"`
	Seconds float64 `json:"seconds"`
	Error   string  `json:"error,omitempty"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		for _, k := range slices.Sorted(maps.Keys(kinds())) {
			fmt.Println(k)
		}
		return nil
	}
	for _, a := range args[1:] {
		// Anew for each number: a kind may remember what it made.
		k, ok := kinds()[args[0]]
		if !ok {
			return fmt.Errorf("there is no kind %q", args[0])
		}
		n, err := strconv.Atoi(a)
		if err != nil {
			return fmt.Errorf("read a number: %w", err)
		}
		if err := measure(args[0], k, n); err != nil {
			return fmt.Errorf("%s, %d entries: %w", args[0], n, err)
		}
	}
	return nil
}

func measure(name string, k kind, n int) error {
	forming, byFounder := strings.HasPrefix(name, "forming: "), strings.HasSuffix(name, "by the founder")
	g, err := newGroup(forming, byFounder)
	if deviceKinds()[name] != nil {
		g, err = newDevice(name)
	}
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	fill, err := counted(func() error { return g.fill(k, n) })
	if err != nil {
		return err
	}
	if fill.Error != "" {
		return fmt.Errorf("fill: %s", fill.Error)
	}
	fill.Kind, fill.N, fill.What = name, n, "all of them"
	if err := out.Encode(fill); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	for i, c := range g.calls(k, n) {
		// Once before it counts: what is worked out when it is first asked for is
		// there then, as it is in a node that runs.
		_ = c.do()
		m, err := counted(c.do)
		if err != nil {
			return err
		}
		m.Kind, m.N, m.What = name, n, c.what
		if err := out.Encode(m); err != nil {
			return fmt.Errorf("print: %w", err)
		}
		if dir := os.Getenv("COST_DIR"); dir != "" {
			if err := keep(filepath.Join(dir, fmt.Sprintf("%s-%d-%d %s", name, n, i, c.what)), c.do); err != nil {
				return err
			}
		}
	}
	return nil
}

// counted runs a call, and says what it cost.
func counted(f func() error) (measurement, error) {
	var m measurement
	if err := coverage.ClearCounters(); err != nil {
		return m, fmt.Errorf("clear counters: %w", err)
	}
	begun := time.Now()
	failed := f()
	m.Seconds = time.Since(begun).Seconds()
	var err error
	if m.Visits, err = visits(); err != nil {
		return m, err
	}
	if failed != nil {
		m.Error = failed.Error()
	}
	return m, nil
}

// keep leaves the counters of a call in a directory.
func keep(dir string, f func() error) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	if err := coverage.ClearCounters(); err != nil {
		return fmt.Errorf("clear counters: %w", err)
	}
	_ = f()
	if err := errors.Join(coverage.WriteCountersDir(dir), coverage.WriteMetaDir(dir)); err != nil {
		return fmt.Errorf("write counters: %w", err)
	}
	return nil
}
