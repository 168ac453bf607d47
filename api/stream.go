package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/quorate/quorate/api/access"
)

// streamTimeout is how long a reader may block a piece of a stream before it
// is cut off.
const streamTimeout = time.Minute

// streams are what a stream needs of its server.
type streams struct {
	// until ends a context when the server closes.
	until func(context.Context) (context.Context, context.CancelFunc)
	log   *slog.Logger
}

// stream registers an operation that answers with bytes of a media type as they are
// written. What fails before the first of them is answered as an error; later, the
// stream ends early, which whoever reads it has to see in it.
func stream[I any](s streams, h huma.API, verb access.Verb, op huma.Operation, content string, write func(context.Context, *I, io.Writer) error) {
	describe(h, verb, &op)
	op.Middlewares = append(op.Middlewares, plainStatus)
	if !takesBody[I]() {
		op.Middlewares = append(op.Middlewares, noBody)
	}
	op.Responses["200"] = &huma.Response{
		Description: "The stream; it says itself where it ends.",
		Content:     map[string]*huma.MediaType{content: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
	}
	huma.Register(h, op, func(_ context.Context, in *I) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			if p, ok := hc.(plain); ok {
				hc = p.answerer
			}
			r, w := humago.Unwrap(hc)
			ctx, stop := s.until(r.Context())
			defer stop()
			out := &streamWriter{w: w, rc: http.NewResponseController(w), content: content}
			if err := write(ctx, in, out); err != nil {
				if !out.begun {
					writeError(w, spoken(ctx, AsError(err)))
					return
				}
				// The reader sees that it ends early; the log says why.
				s.log.Error("a stream ended early", "operation", op.OperationID, "err", err)
			}
		}}, nil
	})
}

// streamWriter gives each piece its time, and the answer its type with the first one.
type streamWriter struct {
	w       http.ResponseWriter
	rc      *http.ResponseController
	content string
	begun   bool
}

func (b *streamWriter) Write(p []byte) (int, error) {
	if !b.begun {
		b.begun = true
		b.w.Header().Set("Content-Type", b.content)
		b.w.WriteHeader(http.StatusOK)
	}
	_ = b.rc.SetWriteDeadline(time.Now().Add(streamTimeout))
	return b.w.Write(p)
}

// receive copies a stream to w.
func (c *Client) receive(ctx context.Context, path string, body any, w io.Writer) error {
	resp, err := c.send(ctx, http.MethodPost, path, nil, body)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		b, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
		if err != nil {
			return unreachable(ctx, err)
		}
		return answered(resp.StatusCode, b)
	}
	if _, err := io.Copy(w, resp.Body); err != nil {
		return unreachable(ctx, err)
	}
	return nil
}
