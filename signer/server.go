package signer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/signer/ceiling"
	"github.com/quorate/quorate/wallet"
)

// Options of a signer process.
type Options struct {
	Network wallet.Network
	Keys    port.Signer
	// Users are the ids of users whose processes may ask.
	Users []uint32
	// Replacements lets a new node prove that it takes the place of a lost one.
	Replacements bool
	// Ceiling, if not nil, is what the operator lets be signed.
	Ceiling *ceiling.Ceiling
	Log     *slog.Logger
}

// Limits of a signer process. A node asks one thing at a time and waits.
const (
	maxAtOnce   = 4
	askTime     = 30 * time.Second
	idleTime    = 2 * time.Minute
	maxHeader   = 8 << 10
	closingTime = 3 * time.Second
)

// Listen makes the socket. Where group is not negative, the socket is that
// group's too: a node under another user is then in the group. A socket that a
// signer left behind is replaced; one that answers is an error.
func Listen(path string, group int) (net.Listener, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("listen for nodes: %w", err)
	}
	if fi, err := os.Lstat(path); err == nil && fi.Mode()&fs.ModeSocket != 0 {
		if c, err := net.Dial("unix", path); err == nil {
			_ = c.Close()
			return nil, fmt.Errorf("listen for nodes: %s: a signer is running already", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("remove the socket of a signer that died: %w", err)
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen for nodes: %w", err)
	}
	mode := fs.FileMode(0o600)
	if group >= 0 {
		mode = 0o660
		err = os.Lchown(path, -1, group)
	}
	// Whoever slips in before this is turned away by the check of users.
	if err = errors.Join(err, os.Chmod(path, mode)); err != nil {
		return nil, errors.Join(fmt.Errorf("listen for nodes: %w", err), l.Close())
	}
	return l, nil
}

// Serve answers nodes until ctx ends. It closes the listener.
func Serve(ctx context.Context, l net.Listener, o Options) error {
	s := &http.Server{
		Handler: handler(o), ReadTimeout: askTime, WriteTimeout: askTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan struct{})
	end := context.AfterFunc(ctx, func() {
		defer close(stopped)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closingTime)
		defer cancel()
		if s.Shutdown(ctx) != nil {
			_ = s.Close()
		}
	})
	err := s.Serve(&known{l, o})
	if !end() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("answer nodes: %w", err)
}

// known lets in processes of some users only.
type known struct {
	net.Listener
	o Options
}

func (k *known) Accept() (net.Conn, error) {
	for {
		c, err := k.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if err := allowed(c, k.o.Users); err != nil {
			k.o.Log.Warn("refused to sign for a process", "error", err)
			_ = c.Close()
			continue
		}
		return c, nil
	}
}

// spend signs, or says whether it would.
func (o Options) spend(s *wallet.Spend, check bool, sign func() ([]wallet.Signature, error)) ([]wallet.Signature, error) {
	switch {
	case check && o.Ceiling != nil:
		return nil, o.Ceiling.May(s, s.Own())
	case check:
		return nil, nil
	case o.Ceiling != nil:
		return o.Ceiling.Sign(s, s.Own(), sign)
	}
	return sign()
}

// errReplacement is answered unless whoever runs the signer said otherwise: the
// identity moves for good, so that a node which was taken over must not get it.
var errReplacement = errors.New("a new node asks to take a lost one's place for good, which this signer was not told to prove: start it with --allow-replacement for as long as the new node joins")

func handler(o Options) http.Handler {
	mux := http.NewServeMux()
	slots := make(chan struct{}, maxAtOnce)
	route := func(path string, f func(context.Context, *http.Request) (answer, error)) {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
			case <-r.Context().Done():
				return
			}
			status := http.StatusOK
			out, err := f(r.Context(), r)
			if err != nil {
				// Requests hold no secret of this process, and errors echo none.
				o.Log.Warn("refused to sign", "request", path, "error", err)
				out, status = answer{Error: err.Error()}, http.StatusBadRequest
				var r *ceiling.Refused
				if errors.As(err, &r) {
					// Whoever took over the node is not told how far he may go.
					out = answer{Error: "refused", Code: codeCeiling}
				}
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(out) // whoever asked has gone
		})
	}
	route(pathNetwork, func(context.Context, *http.Request) (answer, error) { return answer{Network: o.Network}, nil })
	route(pathAccount, func(ctx context.Context, r *http.Request) (answer, error) {
		var q account
		if err := decode(r.Body, &q); err != nil {
			return answer{}, fmt.Errorf("read request: %w", err)
		}
		key, err := o.Keys.AccountKey(ctx, q.Script, q.Account)
		if err != nil {
			return answer{}, err
		}
		return answer{Key: key.String()}, nil
	})
	route(pathHash, func(context.Context, *http.Request) (answer, error) {
		return answer{}, errors.New("this signer signs no hashes: the node is of an older version; run the node and the signer at the same one")
	})
	route(pathClaim, func(ctx context.Context, r *http.Request) (answer, error) {
		var q claimRequest
		if err := decode(r.Body, &q); err != nil {
			return answer{}, fmt.Errorf("read request: %w", err)
		}
		claim, err := q.claim()
		if err != nil {
			return answer{}, fmt.Errorf("read request: %w", err)
		}
		if claim.Replaces != nil && !o.Replacements {
			return answer{}, errReplacement
		}
		sig, err := o.Keys.SignClaim(ctx, q.Script, q.Account, claim)
		if err == nil && claim.Answers() {
			o.Log.Info("answered a ping", "script", q.Script, "account", q.Account, "node", claim.Identity)
		} else if err == nil && claim.Replaces != nil {
			o.Log.Warn("proved that another node takes the place of one with a key", "script", q.Script, "account", q.Account, "node", claim.Identity, "replaced", claim.Replaces.Old)
		} else if err == nil {
			o.Log.Info("proved that a node has a key", "script", q.Script, "account", q.Account, "node", claim.Identity)
		}
		return answer{Signature: sig}, err
	})
	route(pathSpend, func(ctx context.Context, r *http.Request) (answer, error) {
		var q spendRequest
		if err := decode(r.Body, &q); err != nil {
			return answer{}, fmt.Errorf("read request: %w", err)
		}
		spend, err := q.spend(o.Network)
		if err != nil {
			return answer{}, fmt.Errorf("read request: %w", err)
		}
		sign := func() ([]wallet.Signature, error) { return o.Keys.SignSpend(ctx, q.Script, q.Account, spend) }
		sigs, err := o.spend(spend, q.Check, sign)
		switch {
		case err != nil:
			return answer{}, fmt.Errorf("transaction %v: %w", spend.TxID(), err)
		case !q.Check:
			o.Log.Info("signed", "txid", spend.TxID())
		}
		return answer{Signatures: sigs}, nil
	})
	return mux
}
