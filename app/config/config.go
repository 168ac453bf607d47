// Package config is the configuration of a node: its keys, their defaults and
// checks, and the layers they come from. Later layers win: default, file,
// QUORATE_… environment, --set.
package config

import (
	"fmt"
	"log/slog"
)

// Config is everything that can be configured. The keys are those of options.
type Config struct {
	Network       string   `toml:"network"`
	Name          string   `toml:"name"`
	Listen        []string `toml:"listen"`
	ExternalAddrs []string `toml:"external_addrs"`
	Bootstrap     []string `toml:"bootstrap"`
	Relays        []string `toml:"relays"`
	MDNS          bool     `toml:"mdns"`
	ToldNetworks  []string `toml:"told_networks"`
	Signer        string   `toml:"signer"`
	Chain         Chain    `toml:"chain"`
	API           API      `toml:"api"`
	Log           Log      `toml:"log"`
	Metrics       Metrics  `toml:"metrics"`
	Traces        Traces   `toml:"traces"`
	Robot         Robot    `toml:"robot"`
}

// Robot is whether the node signs by its group's policy.
type Robot struct {
	Mode    string `toml:"mode"`
	Ceiling string `toml:"ceiling"`
}

// The modes of a robot.
const (
	RobotOff    = "off"
	RobotShadow = "shadow"
	RobotSign   = "sign"
)

// NoSigner is the signer of a node whose keys are all external: nobody.
const NoSigner = "none"

// Chain says where the Bitcoin network is.
type Chain struct {
	Backend  string   `toml:"backend"`
	Neutrino Neutrino `toml:"neutrino"`
	Core     Core     `toml:"core"`
}

// Neutrino is the light client.
type Neutrino struct {
	Peers []string `toml:"peers"`
}

// Core is the JSON-RPC interface of Bitcoin Core or btcd.
type Core struct {
	URL        string `toml:"url"`
	User       string `toml:"user"`
	Password   Secret `toml:"password"`
	CookieFile string `toml:"cookie_file"`
	NoLongPoll bool   `toml:"no_long_poll"`
}

// API is the HTTP interface on TCP.
type API struct {
	Listen string   `toml:"listen"`
	Tokens []Secret `toml:"tokens"`
}

// Log is what is logged, and how.
type Log struct {
	Level  string `toml:"level"`
	Format string `toml:"format"`
}

// Metrics is the Prometheus endpoint.
type Metrics struct {
	Listen string `toml:"listen"`
	Public bool   `toml:"public"`
}

// Traces is where spans are sent.
type Traces struct {
	Endpoint string `toml:"endpoint"`
}

// Port is where a node listens by default, on TCP and UDP: the same on every machine,
// so that a rule of a router can be written before the first start. Lightning nodes,
// which run on the same machines, have 9735 and its neighbours.
const Port = "9781"

// RelayPort is where a relay does.
const RelayPort = "9782"

// Default is the configuration where nothing is set.
func Default() Config {
	return Config{
		Network: "mainnet",
		Listen: []string{
			"/ip4/0.0.0.0/tcp/" + Port, "/ip4/0.0.0.0/udp/" + Port + "/quic-v1",
			"/ip6/::/tcp/" + Port, "/ip6/::/udp/" + Port + "/quic-v1",
		},
		ExternalAddrs: []string{},
		Bootstrap:     []string{},
		Relays:        []string{},
		ToldNetworks:  []string{},
		Chain:         Chain{Backend: "neutrino", Neutrino: Neutrino{Peers: []string{}}},
		API:           API{Tokens: []Secret{}},
		Log:           Log{Level: "info", Format: "text"},
		Robot:         Robot{Mode: RobotOff},
	}
}

// Secret is a value that prints and logs as "[redacted]"; string(s) reveals it.
type Secret string

const redacted = "[redacted]"

// Format keeps the secret out of every fmt verb.
func (Secret) Format(f fmt.State, _ rune) {
	// A formatter has nowhere to report to.
	_, _ = f.Write([]byte(redacted))
}

// LogValue keeps the secret out of logs.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON keeps the secret out of JSON.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
