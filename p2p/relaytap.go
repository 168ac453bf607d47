package p2p

import (
	"context"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// tappedHost shows what is read from every stream of a relay.
type tappedHost struct {
	host.Host
	tap func([]byte)
}

// SetStreamHandler taps streams that peers open.
func (h tappedHost) SetStreamHandler(p protocol.ID, handle network.StreamHandler) {
	h.Host.SetStreamHandler(p, func(s network.Stream) { handle(tappedStream{s, h.tap}) })
}

// NewStream taps streams to peers.
func (h tappedHost) NewStream(ctx context.Context, p peer.ID, protos ...protocol.ID) (network.Stream, error) {
	s, err := h.Host.NewStream(ctx, p, protos...)
	if err != nil {
		return nil, err
	}
	return tappedStream{s, h.tap}, nil
}

type tappedStream struct {
	network.Stream
	tap func([]byte)
}

// Read shows what it read.
func (s tappedStream) Read(b []byte) (int, error) {
	n, err := s.Stream.Read(b)
	s.tap(b[:n])
	return n, err
}
