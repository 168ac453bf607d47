package config

import "strings"

// Setting is a key that differs from its default.
type Setting struct {
	Key string
	// Value is as in config.toml; a secret is "[redacted]".
	Value string
	// Server is whether the key names another party or process that the node
	// trusts with something, or opens a door of its own.
	Server bool
}

// Settings lists what differs from the defaults, but for network and name.
func (c *Config) Settings() []Setting {
	var out []Setting
	d := Default()
	for _, o := range options() {
		if o.key == "network" || o.key == "name" || o.toml(c) == o.toml(&d) {
			continue
		}
		s := Setting{Key: o.key, Value: o.toml(c), Server: o.server()}
		if o.secret() {
			s.Value = redacted
		}
		out = append(out, s)
	}
	return out
}

// server says whether a key is of a server.
func (o option) server() bool {
	section, _, _ := strings.Cut(o.key, ".")
	switch section {
	case "chain", "api", "metrics", "signer":
		return true
	}
	return false
}

// WithoutServers is the configuration with the keys of servers as by default.
func (c Config) WithoutServers() Config {
	d := Default()
	c.Chain, c.API, c.Metrics, c.Signer = d.Chain, d.API, d.Metrics, d.Signer
	return c
}
