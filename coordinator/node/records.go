package node

import (
	"strings"

	"github.com/quorate/quorate/journal"
)

// Names of node-level records, under the zero group.
const (
	recGroup   = "group/"
	recAccount = "account/"
)

// GroupOf returns the group that a node-level record lists, if it does.
func GroupOf(record string) (journal.GroupID, bool) {
	var id journal.GroupID
	hex, ok := strings.CutPrefix(record, recGroup)
	return id, ok && id.UnmarshalText([]byte(hex)) == nil
}
