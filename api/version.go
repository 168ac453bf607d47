package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/quorate/quorate/api/access"
)

// etag names a version of what is shown: a hash of its bytes (RFC 9110, 8.8.3).
func etag(body []byte) string {
	h := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(h[:16]) + `"`
}

// etagOf is the version of an answer.
func etagOf(v any) (string, error) {
	var b bytes.Buffer
	if err := jsonFormat().Marshal(&b, v); err != nil {
		return "", fmt.Errorf("write an answer: %w", err)
	}
	return etag(b.Bytes()), nil
}

// matches says whether an If-None-Match or If-Match header names a version.
func matches(header, tag string) bool {
	for _, t := range strings.Split(header, ",") {
		if t = strings.TrimSpace(t); t == tag || t == "W/"+tag {
			return true
		}
	}
	return false
}

// IfMatch is the version that a request acts upon; exported because the router skips
// what is not.
type IfMatch struct {
	Version string `header:"If-Match" maxLength:"100" doc:"The ETag of the proposal as its user saw it: refused (changed) where it is another now. A token has to give it."`
}

// unless is what refuses to act upon a proposal that is another than its user saw.
func (x IfMatch) unless(ctx context.Context) (func(Proposal) error, error) {
	c := callerOf(ctx)
	if x.Version == "" {
		if c.May(access.Local) {
			return nil, nil
		}
		return nil, Misuse("if_match_needed", "no If-Match header says which version of the proposal was looked at", "send the ETag that GET /v1/proposals/{proposal} answered with").as(http.StatusPreconditionRequired)
	}
	return func(p Proposal) error {
		unseen(c, &p)
		now, err := etagOf(p)
		if err != nil {
			return err
		}
		if !matches(x.Version, now) {
			return Refuse("changed", fmt.Sprintf("proposal %.12s is not as it was looked at: it is %s, with %d of %d signatures", p.Proposal, p.Status, p.Signed, p.Threshold), "look at it again").as(http.StatusPreconditionFailed)
		}
		return nil
	}, nil
}

// How often a request looks that waits for a resource to change.
const (
	lookAgain = time.Second
	lookIdle  = 5 * time.Second
)

// versions give every resource its version, and have a request wait for the next one.
type versions struct {
	backend interface {
		Subscribe(context.Context) (<-chan Event, error)
	}
	until func(context.Context) (context.Context, context.CancelFunc)
	watch func(context.Context) (func(), *Error)
	// calm says whether a caller may look once more now.
	calm func(ctx context.Context, pattern string) bool
}

// guard comes before the routes that look at something.
func (x versions) guard(routes *http.ServeMux, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := routes.Handler(r)
		if r.Method != http.MethodGet || slices.Contains(unversioned, pattern) {
			next.ServeHTTP(w, r)
			return
		}
		query := r.URL.Query()
		after, wait, bad := waitOf(query)
		if bad != nil {
			refuse(w, r, bad)
			return
		}
		of := r
		if wait > 0 {
			u, plain := *r.URL, *r
			u.RawQuery, plain.URL = query.Encode(), &u
			of = &plain
		}
		look := func() *held {
			out := &held{ResponseWriter: w}
			next.ServeHTTP(out, of)
			return out
		}
		out := look()
		if wait > 0 && out.isVersion(after) {
			var err *Error
			if out, err = x.wait(r.Context(), wait, after, pattern, look); err != nil {
				writeError(w, spoken(r.Context(), err))
				return
			}
		}
		if out.status == http.StatusOK {
			tag := etag(out.body.Bytes())
			w.Header().Set("ETag", tag)
			if matches(r.Header.Get("If-None-Match"), tag) || wait > 0 && tag == after {
				w.Header().Del("Content-Type")
				w.WriteHeader(http.StatusNotModified)
				return
			}
		}
		if out.status != 0 {
			w.WriteHeader(out.status)
		}
		_, _ = w.Write(out.body.Bytes()) // the client may be gone
	})
}

func (h *held) isVersion(tag string) bool {
	return h.status == http.StatusOK && etag(h.body.Bytes()) == tag
}

// waitOf takes what a request waits for out of its query.
func waitOf(q url.Values) (after string, wait time.Duration, bad *Error) {
	if !q.Has("wait") && !q.Has("after") {
		return "", 0, nil
	}
	after = q.Get("after")
	wait, err := time.ParseDuration(q.Get("wait"))
	if err != nil || wait <= 0 || wait > maxWait || after == "" {
		return "", 0, Misuse("bad_wait", "wait and after go together: how long, and after which version", fmt.Sprintf("give wait=30s, of %s at most, and after=ETAG", maxWait))
	}
	q.Del("wait")
	q.Del("after")
	return after, wait, nil
}

// wait looks again when something happened, at most each second, until there is another
// version or the time is over.
func (x versions) wait(ctx context.Context, wait time.Duration, after, pattern string, look func() *held) (*held, *Error) {
	ctx, stop := x.until(ctx)
	defer stop()
	release, busy := x.watch(ctx)
	if busy != nil {
		return nil, busy
	}
	defer release()
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	events, err := x.backend.Subscribe(ctx)
	if err != nil {
		return nil, AsError(err)
	}
	idle, calm := time.NewTicker(lookIdle), time.NewTicker(lookAgain)
	defer idle.Stop()
	defer calm.Stop()
	// What came between the look and the subscription is seen by this one.
	out := look()
	for out.isVersion(after) {
		select {
		case <-ctx.Done():
			return out, nil
		case _, ok := <-events:
			if !ok {
				events = nil // it ended early; what is left are the looks in between
			}
			select {
			case <-ctx.Done():
				return out, nil
			case <-calm.C:
			}
			events = drained(events)
		case <-idle.C:
		}
		if x.calm(ctx, pattern) { // else it looks the next time
			out = look()
		}
	}
	return out, nil
}
