package config

import (
	"fmt"
	"strings"
)

// Example is config.example.toml: every key with its default.
func Example() string {
	c := Default()
	return "# Every key of quorate, with its default. A node's own file is config.toml in its\n" +
		"# data directory. Each key can also be given as --set KEY=VALUE and as QUORATE_KEY.\n" +
		render(&c, func(option) bool { return true })
}

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

// Markdown is docs/configuration.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString(`# Configuration

This file is generated from the table of options; ` + "`go test ./app/config -update`" + ` writes it.

A node reads ` + "`config.toml`" + ` in its data directory. Later layers win: default, file,
environment, ` + "`--set KEY=VALUE`" + ` (on ` + "`init`, which writes the file, and on `start`" + `).
` + "`--set KEY=@FILE`" + ` reads the value from a file: use it for passwords and tokens, which other
users of a machine could read in an argument; on mainnet a password in an argument is refused.
Lists are comma-separated in the environment and in ` + "`--set`" + `. An unknown key is an error.

The data directory itself is ` + "`--data-dir`" + ` or ` + "`QUORATE_DATA_DIR`" + `; the passphrase comes from
` + "`--passphrase-file`, `QUORATE_PASSPHRASE_FILE`, `$CREDENTIALS_DIRECTORY/passphrase`" + ` or a prompt.

| key | takes | default | environment | what it does |
|---|---|---|---|---|
`)
	c := Default()
	for _, o := range options() {
		fmt.Fprintf(&b, "| `%s` | %s | `%s` | `%s` | %s |\n", o.key, strings.ReplaceAll(o.values, "|", `\|`), o.toml(&c), o.env(), o.doc)
	}
	return b.String()
}
