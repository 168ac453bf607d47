package config

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// option is one key: its documentation, and where its value lives.
type option struct {
	key string
	// values says what it takes, doc what it does.
	values, doc string
	// field returns a *string, *Secret, *bool, *[]string or *[]Secret.
	field func(*Config) any
}

// options is the one table that the parser of --set and of the environment,
// config.example.toml and docs/configuration.md are made from. The keys of a
// section follow each other.
func options() []option {
	const (
		addrs    = "list of multiaddrs"
		idAddrs  = "list of multiaddrs that end in /p2p/PEER_ID"
		hostPort = "HOST:PORT, or empty for none"
	)
	return []option{
		{"network", "mainnet | testnet4 | signet | regtest",
			"The Bitcoin network. Fixed when the node is made: its keys are for this network only.",
			func(c *Config) any { return &c.Network }},
		{"name", "text of at most 64 characters",
			"The name that other cosigners see. `quorate init` writes the host name where none is given.",
			func(c *Config) any { return &c.Name }},
		{"listen", addrs,
			"Where other cosigners connect to. An address that cannot be taken is an error at the start, or a standing alarm where this machine does not have it now; a machine without IPv6 listens on IPv4 alone. A port of 0 is chosen once and then kept: for several nodes on one machine. It may be empty where relays are set: then nobody connects but over a relay.",
			func(c *Config) any { return &c.Listen }},
		{"external_addrs", addrs,
			"Addresses under which this node is reached from outside, where a router forwards to it.",
			func(c *Config) any { return &c.ExternalAddrs }},
		{"bootstrap", idAddrs,
			"Cosigners' addresses to try from the start. Those in invites and those seen before are remembered anyway.",
			func(c *Config) any { return &c.Bootstrap }},
		{"relays", idAddrs,
			"Relays (`quorate relay`) to reserve a place at, for a node that cannot be reached from outside; all cosigners name the same ones. A relay learns sizes, times and peer ids.",
			func(c *Config) any { return &c.Relays }},
		{"mdns", "true | false",
			"Look for cosigners on the local network. Tells everybody there that this node exists.",
			func(c *Config) any { return &c.MDNS }},
		{"told_networks", "list of IP ranges such as 10.0.0.0/8",
			"Private networks where cosigners may be found by what they tell of themselves, besides those that this machine is in: those behind a VPN or a router, or 127.0.0.0/8. What others tell leads to public addresses otherwise, and to no port below 1024 but 80 and 443; bootstrap and invites may name any address.",
			func(c *Config) any { return &c.ToldNetworks }},
		{"signer", "whole path, none, or empty for a seed in the keystore",
			"The socket of a signer process (`quorate signer`) that holds this node's Bitcoin keys, so that they are not in the process that talks to the network. Set it when the node is made: a node that has a seed of its own does not take it. With none there is no seed at all, and in each wallet this node's key is an external one (`quorate init --no-seed`).",
			func(c *Config) any { return &c.Signer }},
		{"chain.backend", "neutrino | core | none",
			"How this node sees the Bitcoin network: neutrino is a light client of its own, core a Bitcoin Core or btcd of yours. With none the node carries messages but signs nothing: it cannot check what it would spend.",
			func(c *Config) any { return &c.Chain.Backend }},
		{"chain.neutrino.peers", "list of HOST:PORT",
			"Bitcoin nodes to connect to, and no others; they must serve compact filters (BIP157). Empty finds some by itself, but for regtest, where they must be named.",
			func(c *Config) any { return &c.Chain.Neutrino.Peers }},
		{"chain.core.url", "HOST:PORT, http://HOST:PORT or https://HOST:PORT",
			"The JSON-RPC interface of Bitcoin Core or btcd.",
			func(c *Config) any { return &c.Chain.Core.URL }},
		{"chain.core.user", "text",
			"Its user name; instead of cookie_file.",
			func(c *Config) any { return &c.Chain.Core.User }},
		{"chain.core.password", "text",
			"Its password. On a command line use --set chain.core.password=@FILE, which does not show it to other users.",
			func(c *Config) any { return &c.Chain.Core.Password }},
		{"chain.core.cookie_file", "whole path",
			"Bitcoin Core's .cookie file; instead of user and password.",
			func(c *Config) any { return &c.Chain.Core.CookieFile }},
		{"chain.core.no_long_poll", "true | false",
			"Do not have the node itself tell of new blocks: that keeps one of its RPC threads busy. It is also left out for five minutes whenever the node is short of them.",
			func(c *Config) any { return &c.Chain.Core.NoLongPoll }},
		{"api.listen", hostPort,
			"Also serve the HTTP interface on this TCP address, of this machine only, to who shows a token (`quorate token create`). The Unix socket in the data directory is always served.",
			func(c *Config) any { return &c.API.Listen }},
		{"api.tokens", "list of ROLE:SECRET, where ROLE is read, propose or sign",
			"Bearer tokens for the TCP address besides those of `quorate token create`, which take their place: these stand here in plain, are bound to no wallet and never end. A secret has at least 32 random characters.",
			func(c *Config) any { return &c.API.Tokens }},
		{"log.level", "debug | info | warn | error",
			"What is logged. info has a line for each proposal, vote, status and alarm, with names and ids; only debug may name amounts and addresses; nothing ever names a key.",
			func(c *Config) any { return &c.Log.Level }},
		{"log.format", "text | json",
			"How it is logged, on standard error. That of a node that `quorate setup` starts in the background is quorate.log in its data directory, put aside at 10 MiB as quorate.log.1, of which three are kept.",
			func(c *Config) any { return &c.Log.Format }},
		{"metrics.listen", hostPort,
			"Serve Prometheus metrics (GET /metrics) on this TCP address, of this machine only unless metrics.public says otherwise. They name wallets by id and hold no amounts; whoever reaches the address may read them. They are asked for by IP address or as localhost, by no other name.",
			func(c *Config) any { return &c.Metrics.Listen }},
		{"metrics.public", "true | false",
			"Let metrics.listen be an address that other machines reach.",
			func(c *Config) any { return &c.Metrics.Public }},
		{"traces.endpoint", "http://127.0.0.1:PORT or https://HOST, or empty for none",
			"Send traces of proposals (OpenTelemetry: OTLP over HTTP, as JSON) to this collector: when each was entered, signed, final, handed over, seen and mined. Those of all cosigners' nodes are one trace. They name proposals by id, and hold no amount, address, name, label or key. What it cannot take is dropped. Without a path it is /v1/traces; plain HTTP on this machine only.",
			func(c *Config) any { return &c.Traces.Endpoint }},
		{"robot.mode", "off | shadow | sign",
			"Whether this node is a robot: with sign it signs what the group's policy lets it sign, by itself, and nothing else, and no command has it sign; its name is among the robots of that policy. With shadow it writes what a robot would do into the group's history, and signs nothing by itself.",
			func(c *Config) any { return &c.Robot.Mode }},
		{"robot.ceiling", "path of a file, or empty for none",
			"What this robot signs at most, whatever its group's policy says: a file in the language of policies (docs/signer.md). Both must say sign. It is read when the node starts; in a wallet whose members it does not fit the robot signs nothing. With a signer process, lay one over that too: quorate signer --ceiling.",
			func(c *Config) any { return &c.Robot.Ceiling }},
	}
}

// env is the environment variable of the key.
func (o option) env() string {
	return "QUORATE_" + strings.ToUpper(strings.ReplaceAll(o.key, ".", "_"))
}

// section is the table that the key is in, and its name there.
func (o option) section() (section, name string) {
	if i := strings.LastIndexByte(o.key, '.'); i >= 0 {
		return o.key[:i], o.key[i+1:]
	}
	return "", o.key
}

// secret says whether the value must not be seen.
func (o option) secret() bool {
	switch o.field(&Config{}).(type) {
	case *Secret, *[]Secret:
		return true
	}
	return false
}

// fromHere makes a path whole that was given on a command line: what it is relative to
// is known there and nowhere else.
func (o option) fromHere(text string) (string, error) {
	if o.key != "signer" && o.key != "chain.core.cookie_file" || text == "" || text == NoSigner || strings.HasPrefix(text, "~") {
		return text, nil
	}
	return filepath.Abs(text)
}

// set parses text into the value. The error does not repeat the text.
func (o option) set(c *Config, text string) error {
	switch f := o.field(c).(type) {
	case *string:
		*f = text
	case *Secret:
		*f = Secret(text)
	case *bool:
		v, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("takes true or false")
		}
		*f = v
	case *[]string:
		*f = split[string](text)
	case *[]Secret:
		*f = split[Secret](text)
	default:
		return fmt.Errorf("cannot be set")
	}
	return nil
}

// split reads a list: commas or line ends between items, spaces around them ignored.
func split[T ~string](text string) []T {
	list := []T{}
	for item := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == '\n' }) {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, T(item))
		}
	}
	return list
}

// toml is the value in TOML.
func (o option) toml(c *Config) string {
	switch f := o.field(c).(type) {
	case *string:
		return quote(*f)
	case *Secret:
		return quote(string(*f))
	case *bool:
		return strconv.FormatBool(*f)
	case *[]string:
		return quoteList(*f)
	case *[]Secret:
		return quoteList(*f)
	}
	return `""`
}

func quoteList[T ~string](list []T) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = quote(string(s))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// quote writes a TOML basic string.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
