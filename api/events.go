package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/quorate/quorate/display"
)

const (
	// heartbeat is how often a comment goes down an idle stream, so that both
	// ends find out when the other one is gone.
	heartbeat = 15 * time.Second
	// eventTimeout is how long a reader may block one event before it is cut off.
	eventTimeout = 5 * time.Second
)

// eventRoute streams events as server-sent events: "data:" with one Event in
// JSON, without names or ids. There is no replay: who connects reads the state
// first; who is cut off connects again and reads again.
func (s *Server) eventRoute(h huma.API) {
	op := get("events", "/v1/events", "Stream everything that changes (SSE)")
	describe(h, RoleRead, &op)
	schema := h.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Event](), true, "")
	op.Responses["200"] = &huma.Response{
		Description: "Server-sent events; the data of each is one Event.",
		Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: schema}},
	}
	huma.Register(h, op, func(_ context.Context, _ *none) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			r, w := humago.Unwrap(hc)
			s.stream(r.Context(), w)
		}}, nil
	})
}

// How many streams and waits there are at once: of callers on the Unix socket,
// and of those with a token, who together have half of the TCP connections.
const (
	maxLocalWatchers = 128
	maxTokenWatchers = maxConns / 2
)

// watch takes a place for a stream or a wait, or says that there is none.
func (s *Server) watch(ctx context.Context) (release func(), err *Error) {
	places := s.tokenWatchers
	if roleOf(ctx) == RoleLocal {
		places = s.localWatchers
	}
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	default:
		return nil, Unreachable("too_many_watchers", fmt.Sprintf("%d streams of events and waits are open already", cap(places)), "end some, and try again")
	}
}

func (s *Server) stream(ctx context.Context, w http.ResponseWriter) {
	ctx, stop := s.untilClosing(ctx)
	defer stop()
	release, busy := s.watch(ctx)
	if busy != nil {
		writeError(w, spoken(ctx, busy))
		return
	}
	defer release()
	events, err := s.backend.Subscribe(ctx)
	if err != nil {
		writeError(w, spoken(ctx, AsError(err)))
		return
	}
	rc := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	send := func(line []byte) bool {
		_ = rc.SetWriteDeadline(time.Now().Add(eventTimeout))
		if _, err := w.Write(line); err != nil {
			return false
		}
		return rc.Flush() == nil
	}
	// The first comment tells the client that from here on nothing is missed.
	if !send([]byte(": subscribed\n\n")) {
		return
	}
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		line := []byte(": still here\n\n")
		select {
		case <-ctx.Done():
			return
		case e, ok := <-events:
			if !ok {
				return
			}
			b, err := json.Marshal(e)
			if err != nil {
				s.log.Error("event could not be encoded", "type", e.Type, "err", err)
				return
			}
			line = append(append([]byte("data: "), display.JSON(b)...), "\n\n"...)
		case <-tick.C:
		}
		if !send(line) {
			return
		}
	}
}
