package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/multiformats/go-multiaddr"

	"github.com/quorate/quorate/api"
)

// Validate checks every value, and those that depend on each other. Errors
// name the key; they are *api.Error of kind Usage.
func (c *Config) Validate() error {
	for _, check := range []func(*Config) error{checkNode, checkAddrs, checkChain, checkListeners, checkTraces, checkRobot} {
		if err := check(c); err != nil {
			return err
		}
	}
	return nil
}

func checkNode(c *Config) error {
	if b := c.Chain.Backend; b == "electrum" || b == "esplora" {
		return bad("chain.backend "+b+" is not in this version", "set it to neutrino, core or none")
	}
	for _, p := range []struct{ key, path string }{{"signer", c.Signer}, {"chain.core.cookie_file", c.Chain.Core.CookieFile}} {
		switch {
		case strings.HasPrefix(p.path, "~"):
			return bad(p.key+" begins with ~, which a shell alone knows", "write the whole path, from / on")
		case p.path != "" && p.path != NoSigner && !filepath.IsAbs(p.path):
			return bad(p.key+" is a path from nowhere: a service is not started where you are", "write the whole path, from / on")
		}
	}
	for _, e := range []struct {
		key, value string
		of         []string
	}{
		{"network", c.Network, []string{"mainnet", "testnet4", "signet", "regtest"}},
		{"chain.backend", c.Chain.Backend, []string{"neutrino", "core", "none"}},
		{"log.level", c.Log.Level, []string{"debug", "info", "warn", "error"}},
		{"log.format", c.Log.Format, []string{"text", "json"}},
	} {
		if !slices.Contains(e.of, e.value) {
			return bad(fmt.Sprintf("%s is %.40q", e.key, e.value), "it is one of "+strings.Join(e.of, ", "))
		}
	}
	if utf8.RuneCountInString(c.Name) > 64 || !utf8.ValidString(c.Name) || strings.ContainsFunc(c.Name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return bad("name is not text of at most 64 printable characters", "choose another")
	}
	return nil
}

func checkAddrs(c *Config) error {
	if len(c.Listen) == 0 && len(c.Relays) == 0 {
		return bad("listen is empty", "give at least one multiaddr, as /ip4/127.0.0.1/tcp/0, or a relay to be reached at")
	}
	for _, l := range []struct {
		key    string
		addrs  []string
		peerID bool
	}{
		{"listen", c.Listen, false}, {"external_addrs", c.ExternalAddrs, false},
		{"bootstrap", c.Bootstrap, true}, {"relays", c.Relays, true},
	} {
		for _, a := range l.addrs {
			m, err := multiaddr.NewMultiaddr(a)
			if err != nil {
				return bad(fmt.Sprintf("%s: %.80q is not a multiaddr", l.key, a), "write it as /ip4/192.0.2.1/tcp/4001")
			}
			_, err = m.ValueForProtocol(multiaddr.P_P2P)
			if has := err == nil; has != l.peerID {
				if l.peerID {
					return bad(fmt.Sprintf("%s: %.80q has no peer id", l.key, a), "add /p2p/PEER_ID at its end")
				}
				return bad(fmt.Sprintf("%s: %.80q has a peer id", l.key, a), "leave /p2p/PEER_ID out")
			}
		}
	}
	for _, t := range c.ToldNetworks {
		if _, err := netip.ParsePrefix(t); err != nil {
			return bad(fmt.Sprintf("told_networks: %.80q is not a range of IP addresses", t), "write it as 10.0.0.0/8")
		}
	}
	return nil
}

// Told returns the ranges of told_networks, of a configuration that is valid.
func (c *Config) Told() []netip.Prefix {
	var out []netip.Prefix
	for _, t := range c.ToldNetworks {
		if p, err := netip.ParsePrefix(t); err == nil {
			out = append(out, p)
		}
	}
	return out
}

func checkChain(c *Config) error {
	for _, p := range c.Chain.Neutrino.Peers {
		if err := hostPort(p, false); err != nil {
			return bad(fmt.Sprintf("chain.neutrino.peers: %.80q %v", p, err), "write it as HOST:PORT")
		}
	}
	core := c.Chain.Core
	if core.URL != "" {
		if err := checkURL(core.URL); err != nil {
			return err
		}
	}
	if core.CookieFile != "" && (core.User != "" || core.Password != "") {
		return bad("chain.core.cookie_file and chain.core.user or password are both set", "set one of them")
	}
	if (core.User == "") != (core.Password == "") {
		return bad("chain.core.user and chain.core.password are not both set", "set both, or cookie_file")
	}
	if c.Chain.Backend == "core" && core.URL == "" {
		return bad("chain.backend is core, but chain.core.url is not set", "set it to the HOST:PORT of the node's JSON-RPC interface")
	}
	return nil
}

// checkURL never repeats the value: it may hold a password.
func checkURL(s string) error {
	const hint = "write it as HOST:PORT, http://HOST:PORT or https://HOST:PORT"
	if !strings.Contains(s, "://") {
		s = "http://" + s
	}
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return bad("chain.core.url is not an address", hint)
	}
	if u.User != nil {
		return bad("chain.core.url holds a user name", "set chain.core.user and chain.core.password instead")
	}
	if u.RawQuery != "" || u.Fragment != "" || hostPort(u.Host, false) != nil {
		return bad("chain.core.url is not an address with a port", hint)
	}
	return nil
}

func checkListeners(c *Config) error {
	for _, t := range c.API.Tokens {
		if _, err := api.ParseToken(string(t)); err != nil {
			return bad("api.tokens: "+err.Error(), "write ROLE:SECRET, with a random secret")
		}
	}
	if c.API.Listen != "" {
		if err := hostPort(c.API.Listen, true); err != nil {
			return bad(fmt.Sprintf("api.listen: %.80q %v", c.API.Listen, err), "write it as 127.0.0.1:PORT, and put a TLS proxy in front to serve others")
		}
	}
	if c.Metrics.Listen != "" {
		if err := hostPort(c.Metrics.Listen, !c.Metrics.Public); err != nil {
			return bad(fmt.Sprintf("metrics.listen: %.80q %v", c.Metrics.Listen, err), "write it as 127.0.0.1:PORT, or set metrics.public to serve other machines")
		}
	}
	return nil
}

// checkTraces never repeats the value: what somebody wrote into it may be a password.
func checkTraces(c *Config) error {
	const hint = "write it as http://127.0.0.1:4318, or https://HOST of another machine"
	if c.Traces.Endpoint == "" {
		return nil
	}
	u, err := url.Parse(c.Traces.Endpoint)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" {
		return bad("traces.endpoint is not an address", hint)
	}
	if u.User != nil {
		return bad("traces.endpoint holds a user name", "have a collector on this machine pass them on, with what that needs")
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	if err := hostPort(net.JoinHostPort(u.Hostname(), port), u.Scheme == "http"); err != nil {
		return bad("traces.endpoint: its address "+err.Error(), hint)
	}
	return nil
}

// hostPort checks HOST:PORT; local also asks that only this machine can
// connect, because a bearer token over plain HTTP is read by everybody else.
func hostPort(s string, local bool) error {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("is not HOST:PORT")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("has no port from 0 to 65535")
	}
	if host == "" || strings.ContainsAny(host, "/ @") {
		return fmt.Errorf("has no host")
	}
	if ip := net.ParseIP(host); local && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("is not an address of this machine alone")
	}
	return nil
}

func checkRobot(c *Config) error {
	switch c.Robot.Mode {
	case RobotOff, RobotShadow:
		return nil
	case RobotSign:
		if c.Signer == NoSigner {
			return bad("robot.mode = \"sign\" with signer = \"none\": this node has no keys", "a robot signs by itself: make its node with a seed, or with a signer process")
		}
		return nil
	}
	return bad(fmt.Sprintf("robot.mode: %.80q is no mode", c.Robot.Mode), "write off, shadow or sign")
}
