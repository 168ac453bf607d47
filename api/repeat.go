package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"

	"github.com/quorate/quorate/api/access"
	"github.com/quorate/quorate/api/once"
)

// secretAnswers are the routes whose answers are not kept, since they hold a secret.
var secretAnswers = []string{"POST /v1/wallets", "POST /v1/wallets/{wallet}/invites", "POST /v1/tokens"}

// repeats has a request with a key done once, however often it is sent.
type repeats struct {
	book *once.Book
	log  *slog.Logger
}

type requestKey struct{}

// requestOr is the request id that a request names, or one that its key stands for: it
// is kept in the commit of what is done, where a crash before the answer leaves it.
func requestOr(ctx context.Context, named string) string {
	if id, ok := ctx.Value(requestKey{}).(string); ok && named == "" {
		return "key:" + id
	}
	return named
}

// ownRequest is a request id that stands for a request of this caller alone: two that
// count their orders do not get one address.
func ownRequest(ctx context.Context, named string) string {
	if c := callerOf(ctx); named != "" && !c.May(access.Local) {
		return "by:" + once.ID(owner(c), named)
	}
	return requestOr(ctx, named)
}

// owner is whose key it is.
func owner(c access.Caller) string {
	switch {
	case c.May(access.Local):
		return "local"
	case c.Token != "":
		return "token " + c.Token
	}
	return "role " + c.Name
}

func checkKey(keys []string) (string, *Error) {
	bad := Misuse("bad_idempotency_key", "the "+keyHeader+" header is not one of 1 to 128 printable characters", "send a random one with each request, and the same with a repeat of it")
	if len(keys) != 1 || keys[0] == "" || len(keys[0]) > 128 {
		return "", bad
	}
	for _, c := range []byte(keys[0]) {
		if c <= ' ' || c > '~' {
			return "", bad
		}
	}
	return keys[0], nil
}

// guard does requests with a key once. It comes last before the routes: who may not ask,
// or sends no request, leaves nothing.
func (x repeats) guard(routes *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		keys, sent := r.Header[keyHeader]
		_, pattern := routes.Handler(r)
		if !sent || x.book == nil || r.Method != http.MethodPost || slices.Contains(keyless, pattern) {
			routes.ServeHTTP(w, r)
			return
		}
		key, bad := checkKey(keys)
		if bad != nil {
			refuse(w, r, bad)
			return
		}
		body, err := io.ReadAll(r.Body) // guardBody has it
		if err != nil {
			refuse(w, r, Misuse("bad_body", "request body could not be read", ""))
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		id := once.ID(owner(callerOf(r.Context())), key)
		content := once.Content([]byte(r.Method), []byte(r.URL.Path), []byte(r.URL.RawQuery), body)
		before, err := x.book.Begin(r.Context(), id, content)
		switch {
		case err != nil:
			writeError(w, spoken(r.Context(), beginError(err)))
		case before != nil:
			replay(w, r, *before)
		default:
			x.do(w, r, routes, id, slices.Contains(secretAnswers, pattern))
		}
	})
}

func beginError(err error) *Error {
	switch {
	case errors.Is(err, once.ErrMismatch):
		return Refuse("idempotency_mismatch", "the "+keyHeader+" was used for another request", "give each request a key of its own; a repeat says the same again")
	case errors.Is(err, once.ErrRunning):
		return Refuse("in_progress", "the request with this "+keyHeader+" is being done", "ask again in a moment, with the same key")
	case errors.Is(err, once.ErrFull):
		return Refuse("too_many_keys", fmt.Sprintf("%v, each for %s", err, once.Keep), "send no key, or wait").as(http.StatusTooManyRequests)
	}
	return AsError(err)
}

func replay(w http.ResponseWriter, r *http.Request, a once.Answer) {
	w.Header().Set(replayedHeader, "true")
	if a.Body == nil {
		writeError(w, spoken(r.Context(), Refuse("already_done", "this request was done before, and its answer is not kept",
			"an answer with a secret is given once, and one that is too large is not kept: look at what it made")))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body)
}

// held is an answer that waits for its being kept.
type held struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (h *held) WriteHeader(status int) {
	if h.status == 0 {
		h.status = status
	}
}

func (h *held) Write(b []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	return h.body.Write(b)
}

func (x repeats) do(w http.ResponseWriter, r *http.Request, routes http.Handler, id string, secret bool) {
	out := &held{ResponseWriter: w}
	ended := false
	end := func(a once.Answer, unknown bool) {
		ended = true
		// The client may be gone; what was done is noted all the same.
		if err := x.book.End(context.WithoutCancel(r.Context()), id, a, unknown); err != nil {
			x.log.Error("an answer could not be kept: its repeat does the request again", "error", err)
		}
	}
	defer func() {
		if !ended { // it panicked
			end(once.Answer{}, true)
		}
	}()
	routes.ServeHTTP(out, r.WithContext(context.WithValue(r.Context(), requestKey{}, id)))
	a := once.Answer{Status: out.status, Body: bytes.Clone(out.body.Bytes())}
	if a.Body == nil {
		a.Body = []byte{}
	}
	if secret {
		a.Body = nil
	}
	end(a, out.status == 0 || out.status >= http.StatusInternalServerError)
	if out.status != 0 {
		w.WriteHeader(out.status)
	}
	_, _ = w.Write(out.body.Bytes())
}
