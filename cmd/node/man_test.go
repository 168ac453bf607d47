package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

var man = flag.String("man", "", "write the manual pages to this directory")

// TestManPages makes a page for each command, as scripts/package does; its
// generator is linked into no program.
func TestManPages(t *testing.T) {
	dir := *man
	if dir == "" {
		dir = t.TempDir()
	}
	root := (&cli{}).root()
	root.DisableAutoGenTag = true
	// A date of its own would make each build another one.
	epoch := time.Unix(0, 0).UTC()
	header := &doc.GenManHeader{Title: "QUORATE", Section: "1", Source: "quorate", Manual: "quorate", Date: &epoch}
	if err := doc.GenManTree(root, header, dir); err != nil {
		t.Fatal(err)
	}
	each(root, func(c *cobra.Command) {
		name := strings.ReplaceAll(c.CommandPath(), " ", "-") + ".1"
		page, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			return
		}
		if !strings.Contains(string(page), ".SH NAME") || !strings.Contains(string(page), c.Name()) {
			t.Errorf("%s is no page of its command:\n%.300s", name, page)
		}
	})
}
