package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/quorate/quorate/display"
)

const (
	// maxBody holds the largest request that could fit an entry: 256 KiB of
	// CBOR, at up to 4 bytes of JSON for each.
	maxBody = 1 << 20
	// maxDepth is the nesting of JSON allowed; no request needs more than 3.
	maxDepth = 16
	// maxKeys is how many fields an object may have; no request has more than 10.
	maxKeys = 64
	// maxValues is how many values a body may have, objects and arrays among
	// them. The largest request that its fields allow is a proposal: 1,000
	// recipients of 4 (the object and its 3 fields), 2,000 coins, 64 proposals
	// replaced, 16 rules, and the 10 fields are 6,090.
	maxValues = 8192
	// maxBodies is how many bodies are read at once, of those who come through
	// the same door: 8 MiB.
	maxBodies = 8
	// bodyTimeout is how long a client may take to send a body.
	bodyTimeout = 10 * time.Second
)

// guardBody reads and checks the body of every request before the routes see
// it. The JSON decoder takes the last of two equal keys, and matches keys
// whatever their case; a request that two readers could read differently is
// refused here.
func guardBody(next http.Handler) http.Handler {
	places := make(chan struct{}, maxBodies)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			// No route reads the body of a GET.
			r.Body = http.NoBody
			next.ServeHTTP(w, r)
			return
		}
		body, err := takeBody(w, r, places)
		if err != nil {
			refuse(w, r, err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.ContentLength = int64(len(body))
		next.ServeHTTP(w, r)
	})
}

// takeBody reads and checks a body once there is a place for it.
func takeBody(w http.ResponseWriter, r *http.Request, places chan struct{}) ([]byte, *Error) {
	wait := time.NewTimer(bodyTimeout)
	defer wait.Stop()
	select {
	case places <- struct{}{}:
		defer func() { <-places }()
	case <-wait.C:
		return nil, Unreachable("busy", fmt.Sprintf("%d requests are being read, and none of them came to its end within %s", maxBodies, bodyTimeout), "try again")
	case <-r.Context().Done():
		return nil, AsError(r.Context().Err())
	}
	body, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	if len(body) == 0 {
		// Every route takes an object; none at all means the empty one.
		return []byte("{}"), nil
	}
	if err := checkJSON(body); err != nil {
		return nil, Misuse("bad_json", "request body: "+err.Error(), "send one JSON object")
	}
	return body, nil
}

// readBody reads at most maxBody bytes within bodyTimeout. The deadline is
// lifted afterwards: left in place it would end the request's context.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, *Error) {
	rc := http.NewResponseController(w)
	// A writer without deadlines (in tests) is no reason to fail.
	_ = rc.SetReadDeadline(time.Now().Add(bodyTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var tooBig *http.MaxBytesError
		if errors.As(err, &tooBig) {
			return nil, Misuse("too_large", fmt.Sprintf("request body is over %d bytes", maxBody), "send less at once").as(http.StatusRequestEntityTooLarge)
		}
		return nil, Misuse("bad_body", "request body could not be read", "")
	}
	_ = rc.SetReadDeadline(time.Time{})
	return body, nil
}

// checkJSON accepts exactly one JSON object without duplicate keys, with keys
// of lower case ASCII only, nested no deeper than maxDepth, of at most
// maxValues values.
func checkJSON(body []byte) error {
	c := checker{Decoder: json.NewDecoder(bytes.NewReader(body))}
	c.UseNumber()
	first, err := c.Token()
	if err != nil {
		return errNotJSON
	}
	if first != json.Delim('{') {
		return errors.New("not a JSON object")
	}
	if err := c.object(1); err != nil {
		return err
	}
	if _, err := c.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	return nil
}

var errNotJSON = errors.New("not valid JSON")

// checker goes through a body and counts its values.
type checker struct {
	*json.Decoder
	values int
}

func (c *checker) object(depth int) error {
	seen := make(map[string]struct{})
	for c.More() {
		t, err := c.Token()
		if err != nil {
			return errNotJSON
		}
		key, _ := t.(string)
		if !plainKey(key) {
			return fmt.Errorf("unknown field %.40q", key)
		}
		if _, ok := seen[key]; ok {
			return fmt.Errorf("field %q is given twice", key)
		}
		if len(seen) == maxKeys {
			return fmt.Errorf("an object has more than %d fields", maxKeys)
		}
		seen[key] = struct{}{}
		if err := c.value(depth); err != nil {
			return err
		}
	}
	return c.closing()
}

func (c *checker) value(depth int) error {
	if c.values++; c.values > maxValues {
		return fmt.Errorf("more than %d values", maxValues)
	}
	t, err := c.Token()
	if err != nil {
		return errNotJSON
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	if depth >= maxDepth {
		return errors.New("nested too deeply")
	}
	if delim == '{' {
		return c.object(depth + 1)
	}
	for c.More() {
		if err := c.value(depth + 1); err != nil {
			return err
		}
	}
	return c.closing()
}

// closing reads the closing bracket of an object or array.
func (c *checker) closing() error {
	if _, err := c.Token(); err != nil {
		return errNotJSON
	}
	return nil
}

// plainKey says whether a key is one that a request may have at all. With lower
// case only, no two different keys match the same field.
func plainKey(k string) bool {
	if k == "" || len(k) > 40 {
		return false
	}
	for i := range len(k) {
		if c := k[i]; c != '_' && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// refuse answers a request whose body is not wanted. The connection is closed
// where there is one: else the library would read it to reach the next request.
func refuse(w http.ResponseWriter, r *http.Request, e *Error) {
	if r.ContentLength != 0 {
		w.Header().Set("Connection", "close")
	}
	writeError(w, spoken(r.Context(), e))
}

// writeError answers a request that ends before the routes.
func writeError(w http.ResponseWriter, e *Error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.GetStatus())
	// The client may be gone; there is nobody left to tell.
	_ = json.NewEncoder(display.Writer(w)).Encode(e)
}
