package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
)

// maxEvent bounds one line of the event stream.
const maxEvent = 64 << 10

// Subscribe implements Backend: it returns once the node streams, so that
// nothing that happens later is missed. The channel is closed when ctx ends or
// the stream breaks.
func (c *Client) Subscribe(ctx context.Context) (<-chan Event, error) {
	resp, err := c.send(ctx, http.MethodGet, path("events"), nil, nil)
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
			data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
			if !ok {
				continue
			}
			var e Event
			if err := json.Unmarshal(data, &e); err != nil {
				return
			}
			select {
			case out <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}
