package audit

import "github.com/quorate/quorate/coordinator/event"

// NameOf returns the name of a kind in the table, or "".
func NameOf(k event.Kind) string { return byKind[k].name }
