// Package core follows a Bitcoin node over JSON-RPC. It needs only calls that
// Bitcoin Core and btcd both have, by polling: no websocket, no ZMQ, no index
// and no wallet of the node. Where the node has more, it is used: block filters
// to skip blocks of no interest, and Core's call that waits for a block.
package core

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/quorate/quorate/wallet"
)

// Limits of what a server can make this node do.
const (
	// callTimeout bounds one call.
	callTimeout = 30 * time.Second
	// answerTime bounds what a follower asks in one go, which may take several calls.
	answerTime = 90 * time.Second
	// maxCalls at a time: btcd serves ten clients in all by default.
	maxCalls = 4
	// maxBackoff is the longest wait between attempts to reach the node.
	maxBackoff = 30 * time.Second
)

// ErrConfig is returned by New for settings that cannot work.
var ErrConfig = errors.New("chain backend settings")

// Config says which node to ask, and how.
type Config struct {
	// URL is http://host:port or https://host:port. With neither scheme, http.
	URL string
	// User and Password, or else CookieFile, which is read at each connection
	// because the node writes a new one at each start.
	User, Password string
	CookieFile     string
	// CAFile is the certificate to trust with https (btcd's rpc.cert);
	// without it, those of the system.
	CAFile  string
	Network wallet.Network
	// Poll is the time between looks at the node: 1 s by default, 200 ms on regtest.
	Poll time.Duration
	// Timeout bounds one call; 30 s by default.
	Timeout time.Duration
	// Grace is how long a transaction must be missing from the mempool, seen whole
	// and without a break, before it is said to have left: 10 minutes by default.
	Grace time.Duration
	// NoLongPoll leaves it to the polling to find new blocks.
	NoLongPoll bool
	// Slow is how long a call may take before the node is taken to be short of RPC
	// threads, one of which the long poll holds: 1 s by default.
	Slow time.Duration
	Log  *slog.Logger
}

// normal fills in the defaults and checks what can be checked without the node.
func (c Config) normal() (Config, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Network.Params() == nil {
		return c, fmt.Errorf("%w: unknown network %q", ErrConfig, c.Network)
	}
	if c.Poll <= 0 {
		c.Poll = time.Second
		if c.Network == wallet.Regtest {
			c.Poll = 200 * time.Millisecond
		}
	}
	if c.Slow <= 0 {
		c.Slow = time.Second
	}
	if c.Timeout <= 0 {
		c.Timeout = callTimeout
	}
	if !strings.Contains(c.URL, "://") {
		c.URL = "http://" + c.URL
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		// The URL may hold a password: it is not repeated.
		return c, fmt.Errorf("%w: the URL must be http://host:port or https://host:port", ErrConfig)
	}
	if u.User != nil {
		if c.User == "" {
			c.User = u.User.Username()
			c.Password, _ = u.User.Password()
		}
		u.User = nil
	}
	c.URL = u.String()
	return c, nil
}

// transport connects without any proxy of the environment: the password must
// not travel where the user did not send it.
func (c Config) transport() (*http.Transport, error) {
	t := &http.Transport{
		// One more, for the call that waits for a block.
		MaxConnsPerHost: maxCalls + 1, MaxIdleConnsPerHost: maxCalls + 1, IdleConnTimeout: time.Minute,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: c.Timeout,
		MaxResponseHeaderBytes: 64 << 10,
	}
	if c.CAFile == "" {
		return t, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("%w: read certificate: %w", ErrConfig, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%w: %s holds no certificate", ErrConfig, c.CAFile)
	}
	t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return t, nil
}

// login returns the name and password for the next call.
func (c Config) login() (user, password string, err error) {
	if c.CookieFile == "" {
		return c.User, c.Password, nil
	}
	return readCookie(c.CookieFile)
}
