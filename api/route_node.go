package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quorate/quorate/api/access"
)

type addPeerInput struct{ Body AddPeer }

func (s *Server) nodeRoutes(h huma.API) {
	b := s.backend
	route(h, access.Read, get("status", "/v1/status", "Show the node"), func(ctx context.Context, _ *none) (Status, error) {
		return b.Status(ctx)
	})
	route(h, access.Read, get("list-peers", "/v1/peers", "List members and whether they are connected"), func(ctx context.Context, in *PageQuery) (Page[Peer], error) {
		items, err := b.Peers(ctx)
		return listed(*in, func(x Peer) string { return x.PeerID }, items, err)
	})
	route(h, access.Read, get("list-pending-peers", "/v1/peers/pending", "List strangers who were refused"), func(ctx context.Context, in *PageQuery) (Page[Peer], error) {
		items, err := b.PendingPeers(ctx)
		return listed(*in, func(x Peer) string { return x.PeerID }, items, err)
	})
	route(h, access.Manage, post("add-peer", "/v1/peers", "Make a member's address known"), func(ctx context.Context, in *addPeerInput) (Peer, error) {
		return b.AddPeer(ctx, in.Body)
	})
	route(h, access.Local, get("doctor", "/v1/doctor", "Look at everything that the node holds"), func(ctx context.Context, _ *none) (Examination, error) {
		return b.Doctor(ctx)
	})
	s.eventRoute(h)
	s.backupRoute(h)
}
