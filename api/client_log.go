package api

import (
	"context"
	"io"
	"net/url"
	"strings"
	"time"
)

// Log implements Backend.
func (c *Client) Log(ctx context.Context, wallet string, q LogQuery) (Page[LogEntry], error) {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("by", q.By)
	set("kind", strings.Join(q.Kinds, ","))
	set("proposal", q.Proposal)
	for name, t := range map[string]time.Time{"since": q.Since, "until": q.Until} {
		if !t.IsZero() {
			v.Set(name, t.UTC().Format(time.RFC3339Nano))
		}
	}
	return onWallet(wallet, func() (Page[LogEntry], error) {
		return fetch[Page[LogEntry]](ctx, c, path("wallets", wallet, "log"), page(v, q.Cursor, q.Limit))
	})
}

// ExportLog implements Backend.
func (c *Client) ExportLog(ctx context.Context, wallet string, r ExportLog, w io.Writer) error {
	if err := CheckWallet(wallet); err != nil {
		return err
	}
	return c.receive(ctx, path("wallets", wallet, "log", "export"), r, w)
}

// Presence implements Backend.
func (c *Client) Presence(ctx context.Context, wallet string) (Presence, error) {
	return onWallet(wallet, func() (Presence, error) {
		return fetch[Presence](ctx, c, path("wallets", wallet, "presence"), nil)
	})
}
