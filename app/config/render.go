package config

import (
	"fmt"
	"strings"
)

// File is the config.toml of a new node: the values that differ from the
// defaults, and network and name, are set; the rest is there as comments.
func File(c Config) string {
	d := Default()
	return "# The configuration of this node. What is commented out is the default.\n" +
		render(&c, func(o option) bool {
			return o.key == "network" || o.key == "name" || o.toml(&c) != o.toml(&d)
		})
}

func render(c *Config, set func(option) bool) string {
	var b strings.Builder
	section := ""
	for _, o := range options() {
		s, name := o.section()
		if s != section {
			fmt.Fprintf(&b, "\n[%s]\n", s)
			section = s
		}
		b.WriteString("\n")
		for _, line := range wrap(o.doc+" ("+o.values+")", 90) {
			b.WriteString("# " + line + "\n")
		}
		if !set(o) {
			b.WriteString("# ")
		}
		fmt.Fprintf(&b, "%s = %s\n", name, o.toml(c))
	}
	return b.String()
}

// wrap breaks text into lines of at most width characters.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, w := range strings.Fields(text) {
		if line != "" && len(line)+1+len(w) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += w
	}
	return append(lines, line)
}
