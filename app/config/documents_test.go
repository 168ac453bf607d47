package config

import (
	"fmt"
	"strings"
)

// example is config.example.toml: every key with its default.
func example() string {
	c := Default()
	return "# Every key of quorate, with its default. A node's own file is config.toml in its\n" +
		"# data directory. Each key can also be given as --set KEY=VALUE and as QUORATE_KEY.\n" +
		render(&c, func(option) bool { return true })
}

// markdown is docs/configuration.md.
func markdown() string {
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
