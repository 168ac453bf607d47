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
	// bodyTimeout is how long a client may take to send a body.
	bodyTimeout = 10 * time.Second
)

// guardBody reads and checks the body of every request before the routes see
// it. The JSON decoder takes the last of two equal keys, and matches keys
// whatever their case; a request that two readers could read differently is
// refused here.
func guardBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			// No route reads the body of a GET.
			r.Body = http.NoBody
			next.ServeHTTP(w, r)
			return
		}
		body, err := readBody(w, r)
		if err != nil {
			writeError(w, err)
			return
		}
		if len(body) > 0 {
			if err := checkJSON(body); err != nil {
				writeError(w, Misuse("bad_json", "request body: "+err.Error(), "send one JSON object"))
				return
			}
		} else {
			// Every route takes an object; none at all means the empty one.
			body = []byte("{}")
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.ContentLength = int64(len(body))
		next.ServeHTTP(w, r)
	})
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
			return nil, Misuse("too_large", fmt.Sprintf("request body is over %d bytes", maxBody), "send less at once")
		}
		return nil, Misuse("bad_body", "request body could not be read", "")
	}
	_ = rc.SetReadDeadline(time.Time{})
	return body, nil
}

// checkJSON accepts exactly one JSON object without duplicate keys, with keys
// of lower case ASCII only, nested no deeper than maxDepth.
func checkJSON(body []byte) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	first, err := d.Token()
	if err != nil {
		return errNotJSON
	}
	if first != json.Delim('{') {
		return errors.New("not a JSON object")
	}
	if err := checkObject(d, 1); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	return nil
}

var errNotJSON = errors.New("not valid JSON")

func checkObject(d *json.Decoder, depth int) error {
	seen := make(map[string]struct{})
	for d.More() {
		t, err := d.Token()
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
		seen[key] = struct{}{}
		if err := checkValue(d, depth); err != nil {
			return err
		}
	}
	return closing(d)
}

func checkValue(d *json.Decoder, depth int) error {
	t, err := d.Token()
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
		return checkObject(d, depth+1)
	}
	for d.More() {
		if err := checkValue(d, depth+1); err != nil {
			return err
		}
	}
	return closing(d)
}

// closing reads the closing bracket of an object or array.
func closing(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
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

// writeError answers a request that ends before the routes.
func writeError(w http.ResponseWriter, e *Error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.GetStatus())
	// The client may be gone; there is nobody left to tell.
	_ = json.NewEncoder(display.Writer(w)).Encode(e)
}
