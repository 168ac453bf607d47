package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// maxAnswer bounds what the client takes in: the hex of a standard transaction
// of 400,000 weight units is 800 KB, a page of 500 proposals of 100 inputs 10 MB.
const maxAnswer = 64 << 20

// Client speaks to a running node. It offers what a Backend does, over the
// wire; every error is an *Error. It is safe for concurrent use.
type Client struct {
	http *http.Client
	base string
}

var _ Backend = (*Client)(nil)

// Dial returns a client of the node of a data directory. It does not connect
// yet; a node that is not running is an Unavailable error of the first call.
func Dial(dataDir string) (*Client, error) {
	path, err := SocketPath(dataDir)
	if err != nil {
		return nil, Fail("failed", fmt.Sprintf("find the socket in %s: %v", dataDir, err), "")
	}
	return NewClient("http://quorate", func(ctx context.Context, _, _ string) (net.Conn, error) {
		if len(path) > maxSocketPath {
			// Too long to exist; the node would have recorded another.
			return nil, syscall.ECONNREFUSED
		}
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}), nil
}

// NewClient returns a client that connects by dial and asks for URLs below base.
func NewClient(base string, dial func(ctx context.Context, network, address string) (net.Conn, error)) *Client {
	return &Client{
		base: base,
		http: &http.Client{Transport: &http.Transport{DialContext: dial, MaxIdleConns: 4, IdleConnTimeout: time.Minute}},
	}
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// do sends a request and decodes the answer into what into points to.
func (c *Client) do(ctx context.Context, method, path string, query url.Values, body, into any) error {
	resp, err := c.send(ctx, method, path, query, body)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return unreachable(ctx, err)
	}
	if len(b) > maxAnswer {
		return Fail("bad_answer", fmt.Sprintf("the node's answer is over %d bytes", maxAnswer), "ask for less at once")
	}
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusCreated {
		return answered(resp.StatusCode, b)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return Fail("bad_answer", "the node's answer could not be read: "+err.Error(), "is the node of another version?")
	}
	return nil
}

// header is a line of a request's head.
type header struct{ name, value string }

type clientKey struct{}

// WithKey has the requests of a context sent as one that is done once, however often it
// is sent: give each request a random key of its own, and its repeats the same.
func WithKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, clientKey{}, key)
}

func (c *Client) send(ctx context.Context, method, path string, query url.Values, body any, head ...header) (*http.Response, error) {
	u := c.base + path
	if len(query) > 0 {
		u += "?" + query.Encode()
	}
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, Misuse("bad_request", "the request could not be written: "+err.Error(), "")
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, u, r)
	if err != nil {
		return nil, Misuse("bad_request", "the request could not be written: "+err.Error(), "")
	}
	req.Header.Set(wordsHeader, "command")
	if key, ok := ctx.Value(clientKey{}).(string); ok && method == http.MethodPost {
		req.Header.Set(keyHeader, key)
	}
	for _, h := range head {
		req.Header.Set(h.name, h.value)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, unreachable(ctx, err)
	}
	return resp, nil
}

// unreachable is the error for a request that got no answer.
func unreachable(ctx context.Context, err error) *Error {
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return TimedOut("timeout", "the node did not answer in time", "")
	case ctx.Err() != nil:
		return Fail("canceled", "stopped before the node answered", "")
	case notRunning(err):
		return Unreachable("not_running", "no node is running on this data directory", "start it with `quorate start`, or name another with --data-dir; if `start` says that it runs already, its socket was removed: end it with SIGTERM, and start it again")
	case errors.Is(err, syscall.EACCES):
		return Unreachable("no_access", "the node's socket belongs to another user", "run this as the user who runs the node")
	default:
		return Unreachable("not_reachable", "the node did not answer: "+err.Error(), "see whether it still runs")
	}
}

// answered is the error that a node answered with.
func answered(status int, b []byte) *Error {
	var body ErrorBody
	e := &Error{Kind: kindOf(status)}
	if e.GetStatus() != status {
		e.Status = status
	}
	if err := json.Unmarshal(b, &body); err != nil || body.Error.Message == "" {
		e.Code, e.Message = "bad_answer", fmt.Sprintf("the node answered %d", status)
		return e
	}
	e.Code, e.Message, e.Hint = body.Error.Code, body.Error.Message, string(body.Error.Hint)
	return e
}

// path joins escaped segments.
func path(segments ...string) string {
	var b strings.Builder
	b.WriteString("/v1")
	for _, s := range segments {
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String()
}

func fetch[T any](ctx context.Context, c *Client, p string, query url.Values) (T, error) {
	var v T
	err := c.do(ctx, http.MethodGet, p, query, nil, &v)
	return v, err
}

func send[T any](ctx context.Context, c *Client, p string, body any) (T, error) {
	var v T
	err := c.do(ctx, http.MethodPost, p, nil, body, &v)
	return v, err
}

// onWallet checks the name of a wallet before it becomes part of a path.
func onWallet[T any](wallet string, do func() (T, error)) (T, error) {
	if err := CheckWallet(wallet); err != nil {
		var zero T
		return zero, err
	}
	return do()
}

func onProposal[T any](proposal string, acts bool, do func() (T, error)) (T, error) {
	if err := CheckProposal(proposal, acts); err != nil {
		var zero T
		return zero, err
	}
	return do()
}
