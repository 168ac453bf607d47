package p2p

import pb "github.com/libp2p/go-libp2p-pubsub/pb"

// MessageID is the message ID function, for hostile peers.
func MessageID(m *pb.Message) string { return messageID(m) }
