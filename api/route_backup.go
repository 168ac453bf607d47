package api

import (
	"context"
	"io"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quorate/quorate/api/access"
)

// BackupContent is the media type of a node's content, as package backup writes it.
const BackupContent = "application/vnd.quorate.backup"

// backupRoute streams what a backup holds of the store: epoch secrets and
// salts, in plain. No token may read that, only who reaches the Unix socket.
func (s *Server) backupRoute(h huma.API) {
	op := post("backup", "/v1/backup", "Stream everything that a backup holds of the store, as of one moment")
	op.Description = "Only on the Unix socket. The keystore is not in it: `quorate backup` adds it and seals the whole."
	stream(streams{s.untilClosing, s.log}, h, access.Local, op, BackupContent, func(ctx context.Context, _ *none, w io.Writer) error { return s.backend.Backup(ctx, w) })
}

// Backup copies what a backup holds of a running node's store to w (see
// NodeBackend). The stream says itself whether it is whole.
func (c *Client) Backup(ctx context.Context, w io.Writer) error {
	return c.receive(ctx, path("backup"), nil, w)
}
