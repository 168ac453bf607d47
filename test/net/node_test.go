package net_test

import (
	"context"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/test/nodes"
)

// node is a cosigner at a site.
type node struct {
	*nodes.Node
	site *site
}

// newNode makes a node with more settings, each KEY=VALUE.
func newNode(t testing.TB, s *site, name string, settings ...string) *node {
	t.Helper()
	s.chain()
	return &node{world.New(t, nodes.Config{
		Name: name, Through: s.inside(), RPC: "http://" + chainPort, Settings: settings,
		Listen: "/ip4/0.0.0.0/udp/4001/quic-v1,/ip4/0.0.0.0/tcp/4001",
	}), s}
}

// start runs the node with more settings, and returns when it is ready.
func (n *node) start(settings ...string) *node {
	n.T.Helper()
	n.Start(settings...)
	return n
}

// propose proposes a payment at a node.
func (n *node) propose(sat int64, more ...string) api.Proposed {
	n.T.Helper()
	return nodes.Ask[api.Proposed](n.Synced(), nodes.Pay(n.T, sat, more...)...)
}

func (n *node) approve(proposal string) {
	n.T.Helper()
	n.Synced().Reaches(proposal, api.StatusPending)
	nodes.Ask[api.Proposal](n.Node, "approve", proposal)
}

// connection is how a node reaches another: "", "relayed" or "direct".
func (n *node) connection(to *node) string {
	n.T.Helper()
	peers, err := n.Client.Peers(context.Background())
	if err != nil {
		n.T.Fatalf("%s: list peers: %v", n.Name, err)
	}
	for _, p := range peers {
		switch {
		case p.PeerID != to.PeerID || !p.Connected:
		case p.Relayed:
			return "relayed"
		default:
			return "direct"
		}
	}
	return ""
}
