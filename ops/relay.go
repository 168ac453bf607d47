package ops

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/app/keystore"
	"github.com/quorate/quorate/app/metrics"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
)

// relayKeyName is the file of a relay's own key. It is not sealed: a relay has
// no money and reads nothing, and whoever has the key can at most stand in its
// place, where it reads nothing either.
const relayKeyName = "relay.key"

// RelayOptions say which relay to run.
type RelayOptions struct {
	DataDir  string
	Listen   []string
	External []string
	// Allow are peer IDs, each by itself or as GROUP=PEER_ID.
	Allow []string
	// AllowFile lists more of them, and is read again when it changes.
	AllowFile string
	// Metrics is a TCP address to serve metrics on; empty is none.
	Metrics string
	Log     *slog.Logger
	// Reload, if not nil, has AllowFile read again now.
	Reload <-chan os.Signal
	// Ready, if not nil, is called once the relay takes connections.
	Ready func(RelayInfo)
}

// RelayInfo is what others need to know of a relay.
type RelayInfo struct {
	PeerID string
	// Addresses are what goes into the `relays` of those who use it.
	Addresses []string
	// Allowed is how many peers may use it.
	Allowed int
	// Metrics is where metrics are served, or empty.
	Metrics string
}

// relayPoll is how often the list of who may use a relay is looked at.
const relayPoll = 2 * time.Second

// RunRelay runs a relay until ctx ends. Errors are *api.Error.
func RunRelay(ctx context.Context, o RelayOptions) (err error) {
	list, err := readRelayList(o)
	if err != nil {
		return err
	}
	if err := app.OwnDir(o.DataDir); err != nil {
		return err
	}
	id, err := relayIdentity(o.DataDir)
	if err != nil {
		return err
	}
	r, err := p2p.NewRelay(p2p.RelayConfig{
		Identity: id, Listen: o.Listen, ExternalAddrs: o.External, Allow: list.groups, Log: o.Log,
	})
	if err != nil {
		return relayError(err)
	}
	defer func() {
		if stop := r.Close(); stop != nil {
			err = errors.Join(err, api.Fail("stop", "the relay stopped with an error: "+stop.Error(), ""))
		}
	}()
	failed, metrics := make(chan error, 1), ""
	if o.Metrics != "" {
		s, at, err := serveRelayMetrics(o, r, failed)
		if err != nil {
			return err
		}
		metrics = at
		defer func() { _ = s.Close() }() // a scrape is nothing to wait for
	}
	o.Log.Info("relay is running", "peer_id", r.PeerID(), "allowed", list.peers, "version", app.Version())
	if o.Ready != nil {
		o.Ready(RelayInfo{PeerID: r.PeerID(), Addresses: r.Addresses(), Allowed: list.peers, Metrics: metrics})
	}
	poll := time.NewTicker(relayPoll)
	defer poll.Stop()
	crowded := ""
	for {
		select {
		case <-ctx.Done():
			o.Log.Info("stopping", "carried_bytes", r.Stats().Bytes)
			return nil
		case err := <-failed:
			return api.Fail("metrics", "metrics are served no more: "+err.Error(), "")
		case <-o.Reload:
			list = reloadRelayList(o, r, list, true)
		case <-poll.C:
			list = reloadRelayList(o, r, list, false)
			crowded = sayCrowded(o, r.Stats().Handshakes.Problem(), crowded)
		}
	}
}

// sayCrowded warns once when connections that say nothing crowd a relay's door,
// and tells when they no longer do.
func sayCrowded(o RelayOptions, now, before string) string {
	switch {
	case now != "" && before == "":
		o.Log.Warn("the relay's door is crowded", "problem", now)
	case now == "" && before != "":
		o.Log.Info("the relay's door is free again")
	}
	return now
}

// relayIdentity reads the relay's own key, or draws one the first time.
func relayIdentity(dir string) (*journal.Identity, error) {
	path := filepath.Join(dir, relayKeyName)
	b, err := os.ReadFile(path)
	var seed [32]byte
	defer clear(seed[:])
	switch {
	case err == nil:
		if fi, err := os.Stat(path); err == nil && fi.Mode().Perm()&0o077 != 0 {
			return nil, api.Refuse("relay_key_permissions", "the relay's key was not read: others may read or write it", "chmod 600 "+path)
		}
		if n, err := hex.Decode(seed[:], []byte(strings.TrimSpace(string(b)))); err != nil || n != len(seed) {
			return nil, api.Fail("relay_key_corrupt", path+" holds no relay's key", "restore it; or remove it, and give everybody the new address")
		}
	case errors.Is(err, fs.ErrNotExist):
		if _, err := rand.Read(seed[:]); err != nil {
			return nil, api.Fail("no_entropy", "random bytes could not be drawn: "+err.Error(), "")
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, notWritten(err)
		}
		if err := keystore.WriteFile(path, []byte(hex.EncodeToString(seed[:])+"\n")); err != nil {
			return nil, notWritten(err)
		}
	default:
		if e := app.SystemError("the relay's key was not read", dir, err); e != nil {
			return nil, e
		}
		return nil, api.Fail("relay_key", "the relay's key was not read: "+err.Error(), "")
	}
	return journal.NewIdentity(seed), nil
}

func relayError(err error) error {
	if errors.Is(err, p2p.ErrRelayGroups) {
		return api.Misuse("bad_allow", err.Error(), "`quorate status` shows a node's peer id")
	}
	var l *p2p.ListenError
	if errors.As(err, &l) {
		return app.NotListening("the relay", l.Addr, "--listen", l.Err)
	}
	return api.Fail("not_started", "the relay did not start: "+err.Error(), "")
}

func serveRelayMetrics(o RelayOptions, r *p2p.Relay, failed chan<- error) (*http.Server, string, error) {
	s, err := metrics.Server(newRelayCollector(r), func(next http.Handler) http.Handler { return next })
	if err != nil {
		return nil, "", api.Fail("not_started", "metrics: "+err.Error(), "")
	}
	l, err := net.Listen("tcp", o.Metrics)
	if err != nil {
		return nil, "", app.NotListening("the server of metrics", o.Metrics, "--metrics", err)
	}
	o.Log.Info("serving metrics", "address", l.Addr().String())
	go func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed <- err
		}
	}()
	return s, l.Addr().String(), nil
}
