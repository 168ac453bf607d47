package core

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/quorate/quorate/chain/follow"
)

// Errors of talking to a node. Each is one clear line for people.
var (
	ErrDown     = errors.New("nothing answers at the address of the Bitcoin node (is it running, and are host and port of chain.core.url right?)")
	ErrHungUp   = errors.New("the Bitcoin node closed the connection (is the port of chain.core.url that of its RPC, and http or https right?)")
	ErrLogin    = errors.New("the Bitcoin node refuses user and password: set chain.core.user and chain.core.password, or chain.core.cookie_file")
	ErrCookie   = errors.New("the cookie file of chain.core.cookie_file cannot be used")
	ErrForbid   = errors.New("the Bitcoin node does not allow this host or call (Bitcoin Core: rpcallowip, rpcwhitelist)")
	ErrNoTLS    = errors.New("the Bitcoin node does not speak TLS here: use http:// in chain.core.url")
	ErrNeedTLS  = errors.New("the Bitcoin node wants TLS: use https:// in chain.core.url")
	ErrCert     = errors.New("the certificate of the Bitcoin node is not trusted")
	ErrBusy     = errors.New("the Bitcoin node is too busy")
	ErrStarting = errors.New("the Bitcoin node is starting")
	ErrTimeout  = errors.New("the Bitcoin node does not answer in time")
	ErrTooLarge = errors.New("the answer of the Bitcoin node is too large")
	ErrGarbage  = errors.New("the answer is not that of a Bitcoin node (is the port of chain.core.url that of its RPC?)")
)

// JSON-RPC error codes that matter here, the same in Bitcoin Core and btcd.
const (
	codeMethodNotFound = -32601
	codeNoBlock        = -5
	codeOutOfRange     = -8 // Bitcoin Core
	codeMisc           = -1 // btcd for a height out of range; Core for pruned blocks
	codeMissing        = -25
	codeInChain        = -27
	codeWarmup         = -28 // Bitcoin Core, while it starts
)

// rpcError is an error that the node itself returned.
type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// UnmarshalJSON refuses an error that is a book.
func (e *rpcError) UnmarshalJSON(b []byte) error {
	if len(b) > maxAnswer {
		return ErrTooLarge
	}
	type plain rpcError
	return json.Unmarshal(b, (*plain)(e))
}

func (e *rpcError) Error() string { return fmt.Sprintf("%s (%d)", follow.OneLine(e.Message), e.Code) }

func (e *rpcError) refusal() error {
	if e.Code == codeWarmup {
		// Not as an error of the question: asked again, it may be answered.
		return fmt.Errorf("%w: %s", ErrStarting, follow.OneLine(e.Message))
	}
	return e
}

// rpcCode returns the node's own error code, or 0.
func rpcCode(err error) int {
	var e *rpcError
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

type request struct {
	Version string `json:"jsonrpc"`
	ID      int    `json:"id"`
	Method  string `json:"method"`
	Params  []any  `json:"params"`
}

type response struct {
	ID     *int            `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *rpcError       `json:"error"`
}

// client speaks JSON-RPC over HTTP POST.
type client struct {
	cfg  Config
	http *http.Client
	slot chan struct{}
}

func newClient(cfg Config) (*client, error) {
	t, err := cfg.transport()
	if err != nil {
		return nil, err
	}
	return &client{
		cfg: cfg, slot: make(chan struct{}, maxCalls),
		http: &http.Client{
			Transport: t,
			// A redirect would carry the password elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// call asks one question and decodes its answer into result: text in hex where
// that is a *[]byte.
func (c *client) call(ctx context.Context, result any, method string, params ...any) error {
	if err := c.enter(ctx); err != nil {
		return err
	}
	defer c.leave()
	return c.wait(ctx, result, method, params...)
}

// wait is call for a question that the node takes its time to answer: it does
// not keep others from being asked.
func (c *client) wait(ctx context.Context, result any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	return naming(method, c.send(ctx, request{"1.0", 1, method, params}, mostBytes(method), func(r io.Reader, size int64) error {
		body, err := readAll(r, size)
		if err != nil {
			return err
		}
		return decode(body, result, method)
	}))
}

// naming adds to an error which call it was that is not allowed: rpcwhitelist has calls.
func naming(method string, err error) error {
	if errors.Is(err, ErrForbid) {
		return fmt.Errorf("%w: %s", err, method)
	}
	return err
}

func decode(body []byte, result any, method string) error {
	r, err := parseResponse(body)
	if err != nil {
		return err
	}
	if r.Error != nil {
		return r.Error.refusal()
	}
	if raw, ok := result.(*[]byte); ok {
		return decodeHex(r.Result, raw, method)
	}
	if err := json.Unmarshal(r.Result, result); err != nil {
		return fmt.Errorf("%w: result of %s is of another kind", ErrGarbage, method)
	}
	return nil
}

// decodeHex decodes text in hex where it is: a block is megabytes, which need not
// be there several times.
func decodeHex(text []byte, raw *[]byte, method string) error {
	n := len(text)
	if n < 2 || text[0] != '"' || text[n-1] != '"' {
		return fmt.Errorf("%w: result of %s is of another kind", ErrGarbage, method)
	}
	n, err := hex.Decode(text, text[1:n-1])
	if err != nil {
		return fmt.Errorf("%w: result of %s is not hex", ErrGarbage, method)
	}
	*raw = text[:n]
	return nil
}

// batch asks one method with many parameters, and gives take each answer that is
// no error, as text in hex, with the number of its question.
func (c *client) batch(ctx context.Context, method string, params []string, take func(i int, raw []byte) error) error {
	reqs := make([]request, len(params))
	for i, p := range params {
		reqs[i] = request{"2.0", i, method, []any{p}}
	}
	if err := c.enter(ctx); err != nil {
		return err
	}
	defer c.leave()
	return naming(method, c.send(ctx, reqs, int64(len(params))*maxBatched, func(r io.Reader, _ int64) error {
		return parseBatch(r, len(params), take)
	}))
}

// list asks for the ids of the mempool: see readList.
func (c *client) list(ctx context.Context, most int) (l listing, err error) {
	if err := c.enter(ctx); err != nil {
		return l, err
	}
	defer c.leave()
	const method = "getrawmempool"
	err = naming(method, c.send(ctx, request{"1.0", 1, method, []any{}}, mostBytes(method), func(r io.Reader, _ int64) error {
		l, err = readList(r, most)
		return err
	}))
	return l, err
}

// parseResponse reads one answer. It must hold a result or an error.
func parseResponse(body []byte) (*response, error) {
	var r response
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, fmt.Errorf("%w: no JSON-RPC answer", ErrGarbage)
	}
	if r.Error == nil && len(r.Result) == 0 {
		return nil, fmt.Errorf("%w: neither result nor error", ErrGarbage)
	}
	return &r, nil
}

// enter waits until there is room for one more question.
func (c *client) enter(ctx context.Context) error {
	select {
	case c.slot <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *client) leave() { <-c.slot }

// send sends a body and has read take the answer's, bounded in time and size;
// size is how many bytes it has, or -1 where that is not known.
func (c *client) send(ctx context.Context, body any, most int64, read func(r io.Reader, size int64) error) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	callCtx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(callCtx, http.MethodPost, c.cfg.URL, bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("build request: %w", err)
	}
	user, password, err := c.cfg.login()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCookie, err)
	}
	req.SetBasicAuth(user, password)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return explain(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		// Bitcoin Core answers errors of JSON-RPC 1.0 with status 500 or 404.
		page, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if err != nil {
			return explain(ctx, err)
		}
		if err := explainStatus(resp.StatusCode, page); err != nil {
			return err
		}
		return read(bytes.NewReader(page), int64(len(page)))
	}
	if resp.ContentLength > most {
		return ErrTooLarge
	}
	answer := &bounded{r: resp.Body, left: most}
	return answer.explain(ctx, read(answer, resp.ContentLength))
}

// explain says in one line why there is no answer.
func explain(ctx context.Context, err error) error {
	var record tls.RecordHeaderError
	var cert *tls.CertificateVerificationError
	var timeout net.Error
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, syscall.ECONNREFUSED):
		return ErrDown
	case errors.As(err, &record), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return ErrNoTLS
	case strings.Contains(err.Error(), `malformed HTTP response "\x15\x03`): // a TLS alert
		return ErrNeedTLS
	case strings.Contains(err.Error(), "malformed"):
		return fmt.Errorf("%w: no HTTP", ErrGarbage)
	case errors.As(err, &cert):
		return ErrCert
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return ErrHungUp
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return ErrTimeout
	}
	return fmt.Errorf("%w (%s)", ErrDown, follow.OneLine(err.Error()))
}

// explainStatus is nil where the body may be a JSON-RPC answer.
func explainStatus(status int, body []byte) error {
	switch {
	case status == http.StatusOK:
		return nil
	case status == http.StatusUnauthorized:
		return ErrLogin
	case status == http.StatusForbidden:
		return ErrForbid
	case status == http.StatusServiceUnavailable, bytes.Contains(body, []byte("Work queue depth exceeded")): // 500 before v24
		return ErrBusy
	case bytes.Contains(body, []byte("HTTP request to an HTTPS server")), // Go, and so btcd
		bytes.Contains(body, []byte("plain HTTP request was sent to HTTPS port")): // nginx
		return ErrNeedTLS
	case bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")):
		return nil
	}
	return fmt.Errorf("%w: HTTP status %d", ErrGarbage, status)
}
