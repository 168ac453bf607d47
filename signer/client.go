package signer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// Client asks a signer process. It is safe for concurrent use.
type Client struct {
	path    string
	network wallet.Network
	http    http.Client
}

var _ port.Signer = (*Client)(nil)

// Dial returns a client for the signer at a Unix socket. Nothing is asked yet:
// the signer may come up later, and may be started anew.
func Dial(path string, network wallet.Network) *Client {
	d := net.Dialer{Timeout: askTime}
	return &Client{path: path, network: network, http: http.Client{Timeout: askTime, Transport: &http.Transport{
		DialContext:     func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", path) },
		MaxIdleConns:    1,
		IdleConnTimeout: idleTime / 2,
	}}}
}

// Close gives up idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Detached says that keys are used in another process, so that what this one
// must remember has to be durable before it asks.
func (c *Client) Detached() bool { return true }

// Check asks whether the signer is there, and on which network. An error names
// what is wrong.
func (c *Client) Check(ctx context.Context) error {
	out, err := c.ask(ctx, pathNetwork, struct{}{})
	if err != nil {
		return err
	}
	if out.Network != c.network {
		return fmt.Errorf("the signer at %s holds keys of %s, this node is on %s", c.path, out.Network, c.network)
	}
	return nil
}

// AccountKey returns the public account key (BIP48).
func (c *Client) AccountKey(ctx context.Context, st wallet.ScriptType, n uint32) (wallet.Key, error) {
	out, err := c.ask(ctx, pathAccount, account{st, n})
	if err != nil {
		return wallet.Key{}, err
	}
	key, err := wallet.ParseKey(out.Key, c.network)
	if err != nil {
		return wallet.Key{}, fmt.Errorf("ask the signer: %w", err)
	}
	return key, nil
}

// SignClaim signs a claim with the account's own key. What comes back is not
// verified here: the group refuses a proof that is none.
func (c *Client) SignClaim(ctx context.Context, st wallet.ScriptType, n uint32, claim port.KeyClaim) ([]byte, error) {
	out, err := c.ask(ctx, pathClaim, newClaimRequest(account{st, n}, claim))
	return out.Signature, err
}

// MaySign asks whether a spend would be signed, and has nothing signed: an error is what
// SignSpend would say.
func (c *Client) MaySign(ctx context.Context, st wallet.ScriptType, n uint32, s *wallet.Spend) error {
	_, err := c.spend(ctx, st, n, s, true)
	return err
}

func (c *Client) spend(ctx context.Context, st wallet.ScriptType, n uint32, s *wallet.Spend, check bool) (answer, error) {
	p, err := s.PSBT(2, nil, s.Own()...)
	if err != nil {
		return answer{}, fmt.Errorf("ask the signer: %w", err)
	}
	raw, err := p.Bytes()
	if err != nil {
		return answer{}, fmt.Errorf("ask the signer: %w", err)
	}
	return c.ask(ctx, pathSpend, spendRequest{account{st, n}, s.Descriptor().String(), raw, check})
}

// SignSpend returns one signature for each input, each of which it has verified. It returns
// port.ErrCeiling where the signer's operator does not let it be signed.
func (c *Client) SignSpend(ctx context.Context, st wallet.ScriptType, n uint32, s *wallet.Spend) ([]wallet.Signature, error) {
	out, err := c.spend(ctx, st, n, s, false)
	if err != nil {
		return nil, err
	}
	if len(out.Signatures) != len(s.Inputs()) {
		return nil, fmt.Errorf("ask the signer: %d signatures for %d inputs", len(out.Signatures), len(s.Inputs()))
	}
	for _, sig := range out.Signatures {
		if err := s.Verify(sig, nil); err != nil {
			return nil, fmt.Errorf("ask the signer: %w", err)
		}
	}
	return out.Signatures, nil
}

func (c *Client) ask(ctx context.Context, path string, question any) (answer, error) {
	b, err := json.Marshal(question)
	if err != nil {
		return answer{}, fmt.Errorf("ask the signer: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://signer"+path, bytes.NewReader(b))
	if err != nil {
		return answer{}, fmt.Errorf("ask the signer: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op // without the made-up address
		}
		return answer{}, fmt.Errorf("ask the signer at %s: %w", c.path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusNotFound {
		return answer{}, fmt.Errorf("the signer at %s does not know the request %s: it is of an older version; run the node and the signer at the same one", c.path, path)
	}
	var out answer
	if err := decode(resp.Body, &out); err != nil {
		return answer{}, fmt.Errorf("ask the signer: status %d: %w", resp.StatusCode, err)
	}
	if out.Code == codeCeiling {
		return answer{}, fmt.Errorf("the signer at %s refused: %w", c.path, port.ErrCeiling)
	}
	if out.Error != "" || resp.StatusCode != http.StatusOK {
		return answer{}, fmt.Errorf("the signer refused: status %d: %s", resp.StatusCode, out.Error)
	}
	return out, nil
}
