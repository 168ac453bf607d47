package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/quorate/quorate/api/access"
	"github.com/quorate/quorate/display"
)

const (
	// heartbeat is how often a comment goes down an idle stream, so that both
	// ends find out when the other one is gone.
	heartbeat = 15 * time.Second
	// eventTimeout is how long a reader may block one event before it is cut off.
	eventTimeout = 5 * time.Second
)

// eventsInput is exported in its fields because the router skips what is not.
type eventsInput struct {
	After  string `query:"after" pattern:"^[0-9]{0,19}$" doc:"Answer with a list of what came after the event of this id; 0 is the oldest that is kept."`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"Of a list: how many at most."`
	Last   string `header:"Last-Event-ID" pattern:"^[0-9]{0,19}$" doc:"Of a stream: go on after the event of this id."`
	Accept string `header:"Accept" doc:"text/event-stream streams what comes after the event given with after, too."`
}

// query says what is asked for, and whether as a stream.
func (in *eventsInput) query() (q EventQuery, from, stream bool) {
	text := in.After
	stream = text == "" || strings.Contains(in.Accept, "text/event-stream")
	if stream && in.Last != "" {
		text = in.Last // a stream that goes on says where it is
	}
	after, err := strconv.ParseUint(text, 10, 64) // the pattern leaves only the empty one
	return EventQuery{After: after, Limit: in.Limit}, err == nil, stream
}

// eventRoute streams events as server-sent events: "id:" with the number of the
// event and "data:" with one Event in JSON. Who is cut off goes on after the last id
// it saw; where events in between are kept no more, "event: reset" says so.
func (s *Server) eventRoute(h huma.API) {
	op := get("events", "/v1/events", "Stream everything that changes (SSE), or list what changed")
	describe(h, access.Read, &op)
	op.Middlewares = append(op.Middlewares, plainStatus)
	schemas := h.OpenAPI().Components.Schemas
	op.Responses["200"] = &huma.Response{
		Description: "Server-sent events, the data of each being one Event; with after, a list.",
		Content: map[string]*huma.MediaType{
			"text/event-stream": {Schema: schemas.Schema(reflect.TypeFor[Event](), true, "")},
			"application/json":  {Schema: schemas.Schema(reflect.TypeFor[EventPage](), true, "")},
		},
	}
	huma.Register(h, op, func(_ context.Context, in *eventsInput) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			if p, ok := hc.(plain); ok {
				hc = p.answerer
			}
			r, w := humago.Unwrap(hc)
			q, from, stream := in.query()
			if stream {
				s.stream(r.Context(), w, q.After, from)
				return
			}
			s.listEvents(r.Context(), w, q)
		}}, nil
	})
}

func (s *Server) listEvents(ctx context.Context, w http.ResponseWriter, q EventQuery) {
	page, err := s.backend.Events(ctx, q)
	page.Items = seen(ctx, page.Items)
	var b []byte
	if err == nil {
		b, err = json.Marshal(page)
	}
	if err != nil {
		writeError(w, spoken(ctx, AsError(err)))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(display.JSON(b), '\n')) // the client may be gone
}

// sees says whether a caller may be told of an event. Of the node itself only those are
// who are bound to no wallet.
func sees(c access.Caller, e Event) bool { return len(c.Wallets) == 0 || c.Sees(string(e.Wallet)) }

func seen(ctx context.Context, events []Event) []Event {
	c := callerOf(ctx)
	return slices.DeleteFunc(slices.Clone(events), func(e Event) bool { return !sees(c, e) })
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
	if callerOf(ctx).May(access.Local) {
		places = s.localWatchers
	}
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	default:
		return nil, Unreachable("too_many_watchers", fmt.Sprintf("%d streams of events and waits are open already", cap(places)), "end some, and try again")
	}
}

func (s *Server) stream(ctx context.Context, w http.ResponseWriter, after uint64, from bool) {
	ctx, stop := s.untilClosing(ctx)
	defer stop()
	release, busy := s.watch(ctx)
	if busy != nil {
		writeError(w, spoken(ctx, busy))
		return
	}
	defer release()
	bell, err := s.backend.Subscribe(ctx)
	var page EventPage
	if err == nil {
		page, err = s.backend.Events(ctx, EventQuery{After: after, Limit: 1})
	}
	if err != nil {
		writeError(w, spoken(ctx, AsError(err)))
		return
	}
	out := eventStream{s: s, w: w, rc: http.NewResponseController(w), at: after}
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	// The first comment tells the client that from here on nothing is missed.
	if !out.send(": subscribed\n\n") {
		return
	}
	if !from {
		out.at = page.Last
	}
	if !out.send(fmt.Sprintf("id: %d\n\n", out.at)) {
		return
	}
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for more := true; more; {
		if !out.pump(ctx) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case e, ok := <-bell:
			more = ok && (!e.Live || !sees(callerOf(ctx), e) || out.event(e))
		case <-tick.C:
			more = out.send(": still here\n\n")
		}
	}
}

// eventStream is one reader, and how far it is.
type eventStream struct {
	s  *Server
	w  http.ResponseWriter
	rc *http.ResponseController
	at uint64
}

func (o *eventStream) send(text string) bool {
	_ = o.rc.SetWriteDeadline(time.Now().Add(eventTimeout))
	if _, err := o.w.Write([]byte(text)); err != nil {
		return false
	}
	return o.rc.Flush() == nil
}

// pump sends all that is there.
func (o *eventStream) pump(ctx context.Context) bool {
	for {
		page, err := o.s.backend.Events(ctx, EventQuery{After: o.at, Limit: MaxPage})
		if err != nil {
			if ctx.Err() == nil {
				o.s.log.Error("events could not be read", "err", err)
			}
			return false
		}
		if page.Reset {
			o.at = page.Last
			if !o.event(Event{ID: page.Last, Type: "reset", Time: Time(time.Now()), Message: "events were kept no more: read the state again"}) {
				return false
			}
			continue
		}
		mine := callerOf(ctx)
		for _, e := range page.Items {
			if o.at = e.ID; sees(mine, e) && !o.event(e) {
				return false
			}
		}
		if page.Next == "" {
			return true
		}
	}
}

func (o *eventStream) event(e Event) bool {
	b, err := json.Marshal(e)
	if err != nil {
		o.s.log.Error("event could not be encoded", "type", e.Type, "err", err)
		return false
	}
	var head string
	if e.Type == "reset" {
		head = "event: reset\n"
	}
	if e.ID > 0 {
		head += fmt.Sprintf("id: %d\n", e.ID)
	}
	return o.send(head + "data: " + string(display.JSON(b)) + "\n\n")
}
