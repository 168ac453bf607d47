package api_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

// overTCP serves tokens on a real listener and returns what asks it.
func overTCP(t *testing.T, b api.Backend) func(path string, head ...string) *http.Response {
	t.Helper()
	token, err := api.ParseToken("read:" + secretOf("read"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := api.NewServer(b, api.Options{Version: "test", Tokens: []api.Token{token}})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s.TokenHandler())
	t.Cleanup(func() {
		_ = s.Shutdown(context.Background())
		web.CloseClientConnections()
		web.Close()
	})
	return func(path string, head ...string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+secretOf("read"))
		for i := 0; i < len(head); i += 2 {
			r.Header.Set(head[i], head[i+1])
		}
		resp, err := web.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp
	}
}

// blocks reads so many blocks of a stream.
func blocks(t *testing.T, r *bufio.Reader, n int) (out []string) {
	t.Helper()
	for block := ""; len(out) < n; {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("the stream ends after %q: %v", out, err)
		}
		if block += line; line == "\n" {
			out, block = append(out, block), ""
		}
	}
	return out
}

// A stream goes on after the last id that its reader saw, says where it is, and says
// where events are kept no more.
func TestEventStreamGoesOn(t *testing.T) {
	b := apitest.New()
	ask := overTCP(t, b)
	for i := range 5 {
		b.Tell(api.Event{Type: "wallet", Message: api.Text(fmt.Sprint("m", i+1))})
	}
	for _, c := range []struct {
		name, path string
		head       []string
		want       []string // in the blocks after the first
	}{
		{"from now on", "/v1/events", nil, []string{"id: 5\n\n"}},
		{"a header", "/v1/events", []string{"Last-Event-ID", "3"}, []string{"id: 3\n\n", "id: 4\ndata: {", "id: 5\ndata: {"}},
		{"a query", "/v1/events?after=4", []string{"Accept", "text/event-stream"}, []string{"id: 4\n\n", "id: 5\ndata: {"}},
		{"the header counts", "/v1/events?after=1", []string{"Accept", "text/event-stream", "Last-Event-ID", "4"}, []string{"id: 4\n\n", "id: 5\ndata: {"}},
		{"of another outbox", "/v1/events", []string{"Last-Event-ID", "77"}, []string{"id: 77\n\n", "event: reset\nid: 5\ndata: {"}},
	} {
		resp := ask(c.path, c.head...)
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
			t.Fatalf("%s: %s, %s", c.name, resp.Status, resp.Header.Get("Content-Type"))
		}
		got := blocks(t, bufio.NewReader(resp.Body), 1+len(c.want))
		for i, want := range c.want {
			if !strings.HasPrefix(got[i+1], want) {
				t.Errorf("%s: block %d is %q, want %q", c.name, i, got[i+1], want)
			}
		}
	}
	b.Drop(3)
	r := bufio.NewReader(ask("/v1/events", "Last-Event-ID", "2").Body)
	if got := blocks(t, r, 3)[2]; !strings.HasPrefix(got, "event: reset\nid: 5\ndata: {") {
		t.Errorf("after what is kept no more: %q", got)
	}
	b.Tell(api.Event{Type: "sync", Live: true})
	if got := blocks(t, r, 1)[0]; !strings.HasPrefix(got, `data: {"id":0,"type":"sync"`) {
		t.Errorf("what is only shown: %q", got)
	}
	b.Tell(api.Event{Type: "wallet"})
	if got := blocks(t, r, 1)[0]; !strings.HasPrefix(got, "id: 6\ndata: {") {
		t.Errorf("after the reset: %q", got)
	}
}

func TestEventList(t *testing.T) {
	b := apitest.New()
	ask := overTCP(t, b)
	c, _, _ := start(t, b)
	for range 5 {
		b.Tell(api.Event{Type: "wallet"})
	}
	var ids []uint64
	q := api.EventQuery{Limit: 2}
	for pages := 1; ; pages++ {
		page, err := c.Events(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Items {
			ids = append(ids, e.ID)
		}
		if page.Last != 5 || page.Reset {
			t.Errorf("%+v", page)
		}
		if page.Next == "" {
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			break
		}
		if _, err := fmt.Sscan(string(page.Next), &q.After); err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(ids) != "[1 2 3 4 5]" {
		t.Errorf("ids %v", ids)
	}
	b.Drop(2)
	if page, err := c.Events(t.Context(), api.EventQuery{After: 1, Limit: 10}); err != nil || !page.Reset || len(page.Items) != 3 {
		t.Errorf("%+v, %v", page, err)
	}
	for path, code := range map[string]string{"/v1/events?after=x": "400", "/v1/events?after=-1": "400", "/v1/events?after=1&limit=0": "400", "/v1/events?after=1&limit=501": "400", "/v1/events?after=99999999999999999999": "400"} {
		resp := ask(path)
		if body, _ := io.ReadAll(resp.Body); fmt.Sprint(resp.StatusCode) != code {
			t.Errorf("%s: %s %s", path, resp.Status, body)
		}
	}
	if resp := ask("/v1/events", "Last-Event-ID", "x"); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a wrong id: %s", resp.Status)
	}
}

// Who follows is cut off, and misses nothing.
func TestFollowGoesOnAfterACut(t *testing.T) {
	b := &cutting{Backend: apitest.New()}
	c, _, _ := start(t, b)
	enough := errors.New("enough")
	var ids []uint64
	b.Tell(api.Event{Type: "wallet"})
	zero := uint64(0)
	err := c.Follow(t.Context(), &zero, func(e api.Event) error {
		ids = append(ids, e.ID)
		if e.ID == 3 {
			return enough
		}
		b.Tell(api.Event{Type: "wallet"})
		return nil
	})
	if !errors.Is(err, enough) || fmt.Sprint(ids) != "[1 2 3]" {
		t.Errorf("%v, ids %v", err, ids)
	}
	b.Fail("Subscribe", api.Refuse("role", "no", ""))
	if err := c.Follow(t.Context(), nil, func(api.Event) error { return nil }); err == nil {
		t.Error("a refusal is no error")
	}
}

// cutting ends each stream as soon as it is there.
type cutting struct{ *apitest.Backend }

func (c *cutting) Subscribe(ctx context.Context) (<-chan api.Event, error) {
	if _, err := c.Backend.Subscribe(ctx); err != nil {
		return nil, err
	}
	out := make(chan api.Event)
	close(out)
	return out, nil
}
