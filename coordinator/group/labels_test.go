package group

import (
	"strings"
	"testing"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
)

// What a member has others keep by labels is no more than by other entries of
// the same size: see quota.
func TestALabelIsKeptAtItsSize(t *testing.T) {
	g := activeInside(t, 2, 2)
	evil := g.all[1]
	b := &event.LabelSet{Target: event.LabelAddress, Of: make([]byte, event.MaxAddressScript), Text: strings.Repeat("x", event.MaxLabelBytes)}
	for i := range event.MaxSupersedes {
		b.Supersedes = append(b.Supersedes, journal.EntryID{byte(i)})
	}
	e := g.write(evil, b)
	if g.st.labels.Len() != 1 {
		t.Fatal("the label is not kept")
	}
	snap, err := record.Encode(record.Dump(g.st.labels))
	if err != nil {
		t.Fatal(err)
	}
	if len(snap) > len(e.Bytes()) {
		t.Errorf("an entry of %d bytes is kept as %d", len(e.Bytes()), len(snap))
	}
}
