package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The commands of the manual of robots are there, with their flags, and take what it gives
// them.
func TestTheManualOfRobotsNamesWhatThereIs(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "robot.md"))
	if err != nil {
		t.Fatal(err)
	}
	joined := strings.ReplaceAll(string(b), "\\\n", " ")
	var lines []string
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(joined, -1) {
		for line := range strings.Lines(block[1]) {
			line = " " + line
			if i := strings.LastIndex(line, " quorate "); i >= 0 {
				lines = append(lines, line[i+len(" quorate "):])
			}
		}
	}
	if len(lines) < 14 {
		t.Fatalf("%d commands were found", len(lines))
	}
	for _, line := range lines {
		if wrong := wrongCommand(shellWords(strings.TrimSpace(line))); wrong != "" {
			t.Errorf("quorate %s: %s", strings.TrimSpace(line), wrong)
		}
	}
	if wrongCommand([]string{"robot", "explode"}) == "" || wrongCommand([]string{"robot", "status", "--no-such"}) == "" || wrongCommand([]string{"robot", "pause"}) == "" {
		t.Error("what is not there is not seen")
	}
	for _, code := range []string{"robot_signs", "possible_double_payment"} {
		if !strings.Contains(joined, "`"+code+"`") {
			t.Errorf("the manual does not name %s", code)
		}
	}
}

// wrongCommand says what is wrong with a command, "" where nothing is.
func wrongCommand(words []string) string {
	if i := slices.IndexFunc(words, func(w string) bool { return w == "--data-dir" }); i == 0 {
		words = words[2:]
	}
	found, rest, err := (&cli{}).root().Find(words)
	if err != nil {
		return err.Error()
	}
	if found.HasSubCommands() && found.RunE != nil && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") && found.Args != nil {
		if err := found.Args(found, rest); err != nil {
			return err.Error()
		}
	}
	if err := found.ParseFlags(rest); err != nil {
		return err.Error()
	}
	if err := found.ValidateArgs(found.Flags().Args()); err != nil {
		return err.Error()
	}
	return ""
}
