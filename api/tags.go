package api

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// tags are the parts of the document, in the order in which it lists them.
func tags() []*huma.Tag {
	return []*huma.Tag{
		{Name: "node", Description: "The node itself, its peers and its events."},
		{Name: "tokens", Description: "Who may ask for what over TCP."},
		{Name: "wallets", Description: "Founding, joining and looking after wallets."},
		{Name: "money", Description: "Addresses, coins, labels and what moved."},
		{Name: "proposals", Description: "Payments, from the draft to the block."},
		{Name: "log", Description: "Who did what, and who was seen."},
	}
}

// tagOf is the part that a path belongs to.
func tagOf(path string) string {
	parts := strings.Split(strings.TrimPrefix(path, "/v1/"), "/")
	if parts[0] == "wallets" && len(parts) > 2 {
		switch parts[2] {
		case "proposals", "policy", "robot":
			return "proposals"
		case "addresses", "coins", "labels", "history":
			return "money"
		case "log", "presence", "ping":
			return "log"
		}
	}
	switch parts[0] {
	case "tokens", "wallets":
		return parts[0]
	case "proposals", "psbt", "pending":
		return "proposals"
	}
	return "node"
}
