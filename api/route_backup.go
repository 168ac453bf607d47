package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// backupTimeout is how long a reader may block a piece of a backup before it
// is cut off.
const backupTimeout = time.Minute

// BackupContent is the media type of a node's content, as package backup writes it.
const BackupContent = "application/vnd.quorate.backup"

// backupRoute streams what a backup holds of the store: epoch secrets and
// salts, in plain. No token may read that, only who reaches the Unix socket.
func (s *Server) backupRoute(h huma.API) {
	op := post("backup", "/v1/backup", "Stream everything that a backup holds of the store, as of one moment")
	op.Description = "Only on the Unix socket. The keystore is not in it: `quorate backup` adds it and seals the whole."
	describe(h, RoleLocal, &op)
	op.Responses["200"] = &huma.Response{
		Description: "The stream; one without its manifest is truncated.",
		Content:     map[string]*huma.MediaType{BackupContent: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
	}
	huma.Register(h, op, func(_ context.Context, _ *none) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			r, w := humago.Unwrap(hc)
			ctx, stop := s.untilClosing(r.Context())
			defer stop()
			out := &backupWriter{w: w, rc: http.NewResponseController(w)}
			if err := s.backend.Backup(ctx, out); err != nil {
				if !out.begun {
					writeError(w, spoken(ctx, AsError(err)))
					return
				}
				// The reader sees that it ends early; the log says why.
				s.log.Error("backup ended early", "err", err)
			}
		}}, nil
	})
}

// backupWriter gives each piece its time, and the answer its type with the first one.
type backupWriter struct {
	w     http.ResponseWriter
	rc    *http.ResponseController
	begun bool
}

func (b *backupWriter) Write(p []byte) (int, error) {
	if !b.begun {
		b.begun = true
		b.w.Header().Set("Content-Type", BackupContent)
		b.w.WriteHeader(http.StatusOK)
	}
	_ = b.rc.SetWriteDeadline(time.Now().Add(backupTimeout))
	return b.w.Write(p)
}

// Backup copies what a backup holds of a running node's store to w (see
// NodeBackend). The stream says itself whether it is whole.
func (c *Client) Backup(ctx context.Context, w io.Writer) error {
	resp, err := c.send(ctx, http.MethodPost, path("backup"), nil, nil)
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
