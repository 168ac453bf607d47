package p2p

import (
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"google.golang.org/protobuf/proto"

	"github.com/quorate/quorate/coordinator/port"
)

// tracer hands pubsub's raw messages to the tap and counts messages that
// pubsub refuses before validation.
type tracer struct {
	gossip *gossip
	tap    func(kind string, frame []byte)
}

// SendRPC taps a message as it is handed to the transport.
func (t *tracer) SendRPC(rpc *pubsub.RPC, _ peer.ID) { t.tapRPC(rpc) }

// RecvRPC taps a message as the transport handed it over.
func (t *tracer) RecvRPC(rpc *pubsub.RPC) { t.tapRPC(rpc) }

func (t *tracer) tapRPC(rpc *pubsub.RPC) {
	if t.tap == nil {
		return
	}
	if b, err := proto.Marshal(&rpc.RPC); err == nil {
		t.tap("pubsub", b)
	}
}

// RejectMessage counts what the validator does not see: messages that carry a
// signature or an author.
func (t *tracer) RejectMessage(m *pubsub.Message, reason string) {
	switch reason {
	case pubsub.RejectUnexpectedSignature, pubsub.RejectUnexpectedAuthInfo,
		pubsub.RejectInvalidSignature, pubsub.RejectSelfOrigin:
		if a, err := AuthorOf(m.ReceivedFrom); err == nil {
			t.gossip.talk.tally.count(a, port.RejectMalformed)
		}
	}
}

// The other events are of no interest.

func (t *tracer) OnNewOutboundStream(peer.ID, protocol.ID)             {}
func (t *tracer) OnClosedOutboundStream(peer.ID)                       {}
func (t *tracer) Join(string)                                          {}
func (t *tracer) Leave(string)                                         {}
func (t *tracer) Graft(peer.ID, string)                                {}
func (t *tracer) Prune(peer.ID, string)                                {}
func (t *tracer) ValidateMessage(*pubsub.Message)                      {}
func (t *tracer) DeliverMessage(*pubsub.Message)                       {}
func (t *tracer) DuplicateMessage(*pubsub.Message)                     {}
func (t *tracer) ThrottlePeer(peer.ID)                                 {}
func (t *tracer) SendRPCCompleted(*pubsub.RPC, peer.ID, time.Duration) {}
func (t *tracer) DropRPC(*pubsub.RPC, peer.ID)                         {}
func (t *tracer) UndeliverableMessage(*pubsub.Message)                 {}
