package api

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// maxEvent bounds one line of the event stream.
const maxEvent = 64 << 10

// defaultPage is how many events a list has where nothing else is asked for.
const defaultPage = 50

// Subscribe implements Backend: it returns once the node streams, so that
// nothing that happens later is missed. The channel is closed when ctx ends or
// the stream breaks.
func (c *Client) Subscribe(ctx context.Context) (<-chan Event, error) {
	return c.subscribe(ctx, nil, false)
}

// Events implements Backend.
func (c *Client) Events(ctx context.Context, q EventQuery) (EventPage, error) {
	return fetch[EventPage](ctx, c, path("events"), url.Values{
		"after": {strconv.FormatUint(q.After, 10)}, "limit": {strconv.Itoa(cmp.Or(q.Limit, defaultPage))},
	})
}

// again is how long Follow waits before it connects anew.
const again = time.Second

// Follow calls each with every event after one, or from now on where after is nil,
// until ctx ends or each returns an error. Where the connection is lost it goes on
// after the last event it had: none is missed, and one of type reset tells of those
// that are kept no more. It returns an error where the node cannot be reached at the
// beginning, or refuses.
func (c *Client) Follow(ctx context.Context, after *uint64, each func(Event) error) error {
	for begun := false; ; begun = true {
		events, err := c.subscribe(ctx, after, true)
		if err != nil {
			if !begun || kindOfError(err) != Unavailable {
				return err
			}
			none := make(chan Event)
			close(none)
			events = none // nobody answers: it is tried again
		}
		for e := range events {
			if e.ID > 0 {
				after = &e.ID
			}
			if e.Type == "" {
				continue // only says where the stream is
			}
			if err := each(e); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(again):
		}
	}
}

func kindOfError(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Failed
}

// subscribe streams what comes after an event. With where the first one that is
// passed on is only the place at which the stream begins: it has no type.
func (c *Client) subscribe(ctx context.Context, after *uint64, where bool) (<-chan Event, error) {
	var query url.Values
	if after != nil {
		query = url.Values{"after": {strconv.FormatUint(*after, 10)}}
	}
	resp, err := c.send(ctx, http.MethodGet, path("events"), query, nil, header{"Accept", "text/event-stream"})
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(io.LimitReader(resp.Body, maxEvent))
		if err != nil {
			return nil, unreachable(ctx, err)
		}
		return nil, answered(resp.StatusCode, b)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxEvent)
	if !lines.Scan() {
		_ = resp.Body.Close()
		return nil, Unreachable("not_reachable", "the node ended the event stream", "see whether it still runs")
	}
	out := make(chan Event)
	go func() {
		defer close(out)
		defer func() { _ = resp.Body.Close() }()
		for lines.Scan() {
			var e Event
			if data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: ")); ok {
				if err := json.Unmarshal(data, &e); err != nil {
					return
				}
			} else if id, ok := bytes.CutPrefix(lines.Bytes(), []byte("id: ")); ok && where {
				n, err := strconv.ParseUint(string(id), 10, 64)
				if err != nil {
					return
				}
				e.ID = n
			} else {
				continue
			}
			where = false // the first one only
			select {
			case out <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}
