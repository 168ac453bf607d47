package audit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/audit"
	"github.com/quorate/quorate/audit/audittest"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
)

// Every kind of event that is known is told: who adds one adds a line to the table.
func TestEveryKindIsTold(t *testing.T) {
	names, known := audit.Kinds(), 0
	for k := event.Kind(0); k < 4096; k++ {
		if event.NewBody(k) == nil {
			continue
		}
		known++
		if audit.NameOf(k) == "" {
			t.Errorf("the table of sentences has no line for events of kind %d, %T", k, event.NewBody(k))
		}
	}
	if len(names) != known {
		t.Errorf("%d kinds in the table, %d known", len(names), known)
	}
	slices.Sort(names)
	if len(slices.Compact(names)) != known {
		t.Error("two kinds of one name")
	}
}

// log is a reader of a group, as the first member sees it.
func log(g *audittest.Group) audit.Reader {
	return audit.Reader{State: g.State(0), Now: g.Clock, Entry: func(_ context.Context, id journal.EntryID) (*journal.Entry, error) {
		if e := g.Entry(id); e != nil {
			return e, nil
		}
		return nil, errors.New("no such entry")
	}}
}

// all reads every page of a query, each of at most some entries.
func all(t *testing.T, r audit.Reader, q audit.Query, limit int) (out []audit.Entry, pages int) {
	t.Helper()
	for q.Limit = limit; ; {
		page, next, err := r.Page(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) > limit {
			t.Fatalf("a page of %d, at most %d", len(page), limit)
		}
		out, pages = append(out, page...), pages+1
		if next == "" {
			return out, pages
		}
		if q.Cursor = next; pages > 10_000 {
			t.Fatal("pages without end")
		}
	}
}

func lines(s group.State, es []audit.Entry) string {
	var b strings.Builder
	for _, x := range es {
		fmt.Fprintf(&b, "%s %s", audit.Called(s, x.Chain.Author), x.Text)
		if x.Tainted {
			b.WriteString(" [tainted]")
		}
		if x.Inert != "" {
			b.WriteString(" [inert: " + x.Inert + "]")
		}
		if x.Unread != "" {
			b.WriteString("[unread: " + x.Unread + "]")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestWhatWasDone(t *testing.T) {
	g := audittest.New(t, 2, 3)
	p := g.Propose(0, 1_000_000, "for \x22March\x22")
	q := g.Propose(1, 2_000, "")
	g.Approve(0, p)
	g.Reject(1, p, "wrong address")
	g.Write(1, &event.RejectionWithdrawn{Proposal: p})
	g.Approve(1, p)
	g.Write(1, &event.ProposalWithdrawn{Proposal: q})
	g.Write(0, &event.ProposalCommented{Proposal: p, Text: "paid\nat last"})
	g.Write(2, &event.AddressLeased{Index: 5})
	// Signed by another's key: it counts for that one, and against its author.
	g.Write(2, &event.SignatureCarried{Proposal: p, Signatures: g.Signatures(0, p)})
	bad := g.Signatures(2, p)
	bad[0].Bytes = g.Signatures(2, q)[0].Bytes
	g.Write(2, &event.ProposalApproved{Proposal: p, Signatures: bad})
	other := g.Epoch
	other.Number, other.Parent, other.Secret = 1, g.Epoch.ID(), [32]byte{9}
	sealed := g.Seal(2, other, g.Members[2].Next, []byte("x"))
	g.Keep(sealed)
	r := log(g)
	es, pages := all(t, r, audit.Query{}, 4)
	got := lines(r.State, es)
	want := fmt.Sprintf(`C [unread: epoch_not_held]
C approved %[1]s with 1 signature [inert: bad_bitcoin_signature]
C brought 1 signature of others on %[1]s
C handed out receiving address 5
A commented on %[1]s: "paid at last"
B withdrew %[2]s
B approved %[1]s with 1 signature
B took the rejection of %[1]s back
B rejected %[1]s: "wrong address"
A approved %[1]s with 1 signature
B proposed to pay 2,000 sat to bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202 "rent", fee 1,000 sat
A proposed to pay 0.01000000 BTC to bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202 "rent", fee 1,000 sat: "for \"March\""
C ratified the roster
B ratified the roster
A ratified the roster
`, p.String()[:12], q.String()[:12])
	if head, _, _ := strings.Cut(got, "C opened"); head != want {
		t.Errorf("got\n%swant\n%s", head, want)
	}
	if len(es) != len(g.Entries) || pages != (len(es)+3)/4+boolInt(len(es)%4 == 0) {
		t.Errorf("%d entries on %d pages, of %d", len(es), pages, len(g.Entries))
	}
	for _, limit := range []int{1, 3, 7, 500} {
		if again, _ := all(t, r, audit.Query{}, limit); lines(r.State, again) != got {
			t.Errorf("pages of %d list\n%s", limit, lines(r.State, again))
		}
	}
	b := g.Members[1].Author()
	for name, x := range map[string]struct {
		q    audit.Query
		want int
	}{
		"by B":              {audit.Query{Authors: []journal.Author{b}}, 8},
		"rejected":          {audit.Query{Kinds: []string{"rejected"}}, 1},
		"votes":             {audit.Query{Kinds: []string{"rejected", "approved"}}, 4},
		"of p":              {audit.Query{Proposal: p}, 8},
		"of p, by B":        {audit.Query{Proposal: p, Authors: []journal.Author{b}}, 3},
		"of q":              {audit.Query{Proposal: q}, 2},
		"of nothing":        {audit.Query{Proposal: journal.EntryID{1}}, 0},
		"by nobody":         {audit.Query{Authors: []journal.Author{{1}}}, 0},
		"since the end":     {audit.Query{Since: g.Clock}, 0},
		"since the last 2":  {audit.Query{Since: g.Clock.Add(-3 * time.Minute)}, 2},
		"until the first":   {audit.Query{Until: time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)}, 1},
		"a minute, ends it": {audit.Query{Since: es[5].Time, Until: es[5].Time.Add(time.Minute)}, 1},
	} {
		for _, limit := range []int{1, 500} {
			if got, _ := all(t, r, x.q, limit); len(got) != x.want {
				t.Errorf("%s: %d, want %d:\n%s", name, len(got), x.want, lines(r.State, got))
			}
		}
	}
}

// What an approval says besides its signatures is told, too.
func TestBumpsAreTold(t *testing.T) {
	g := audittest.New(t, 2, 3)
	p := g.Propose(0, 1_000_000, "")
	sigs := event.ProposalApproved{Proposal: p, Signatures: g.Signatures(1, p)}
	upTo, err := sigs.WithUpTo(event.BumpUpTo{Fee: 20_000, Until: 1_800_000_000})
	if err != nil {
		t.Fatal(err)
	}
	none, err := sigs.WithUpTo(event.BumpUpTo{})
	if err != nil {
		t.Fatal(err)
	}
	via, err := sigs.Via(chainhash.Hash{1})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []event.ProposalApproved{upTo, none, via} {
		g.Write(1, &b)
	}
	r := log(g)
	es, _ := all(t, r, audit.Query{Kinds: []string{"approved"}}, 50)
	want := fmt.Sprintf(`B approved %[1]s with 1 signature, by the node itself, since transaction %[2]s was approved with bumps
B approved %[1]s with 1 signature, and no bump of it without being asked
B approved %[1]s with 1 signature, and any bump of it up to a fee of 20,000 sat until 2027-01-15
`, p.String()[:12], chainhash.Hash{1})
	if got := lines(r.State, es); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A fork: both sides are listed, marked, on whatever pages they come.
func TestForkIsListed(t *testing.T) {
	g := audittest.New(t, 2, 3)
	p := g.Propose(0, 1_000_000, "")
	at := g.Members[1].Next
	g.Reject(1, p, "one")
	g.Reject(1, p, "two")
	plain, err := event.Encode(event.Event{Time: g.Clock.UnixMilli(), Body: &event.ProposalRejected{Proposal: p, Reason: "the other"}})
	if err != nil {
		t.Fatal(err)
	}
	g.Keep(g.Seal(1, g.Epoch, at, plain))
	r := log(g)
	for _, limit := range []int{1, 2, 500} {
		es, _ := all(t, r, audit.Query{Authors: []journal.Author{g.Members[1].Author()}}, limit)
		if n := strings.Count(lines(r.State, es), "[tainted]"); n != 3 || len(es) != 6 {
			t.Errorf("%d tainted in pages of %d:\n%s", n, limit, lines(r.State, es))
		}
		of, _ := all(t, r, audit.Query{Proposal: p}, limit)
		if len(of) != 4 {
			t.Errorf("of the proposal, in pages of %d:\n%s", limit, lines(r.State, of))
		}
	}
}

// Who floods, whatever time he claims, keeps nobody else's entries from being found.
func TestFloodStarvesNobody(t *testing.T) {
	for name, at := range map[string]func(*audittest.Group, int) time.Time{
		"in the far future": func(*audittest.Group, int) time.Time { return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) },
		"just now":          func(g *audittest.Group, _ int) time.Time { return g.Clock },
		"at random":         func(g *audittest.Group, i int) time.Time { return time.UnixMilli(int64(i) * 7919 * 1e7 % 4e12) },
		"in 1970":           func(*audittest.Group, int) time.Time { return time.UnixMilli(1) },
	} {
		t.Run(name, func(t *testing.T) {
			g := audittest.New(t, 2, 3)
			p := g.Propose(0, 1_000_000, "")
			g.Approve(0, p)
			for i := range 3000 {
				g.WriteAt(2, &event.AddressLeased{Index: uint32(i)}, at(g, i))
			}
			r := log(g)
			es, _ := all(t, r, audit.Query{}, 50)
			if len(es) != len(g.Entries) {
				t.Fatalf("%d of %d listed", len(es), len(g.Entries))
			}
			others := len(g.Entries) - 3000
			at := slices.IndexFunc(es, func(x audit.Entry) bool { return x.Kind == "founded" })
			if at > 500+2*others+50 {
				t.Errorf("the first entry of all is number %d of %d", at, len(es))
			}
			// One page finds what is looked for: it is by another.
			page, _, err := r.Page(context.Background(), audit.Query{Kinds: []string{"approved"}, Limit: 10})
			if err != nil || len(page) != 1 {
				t.Errorf("%d, %v", len(page), err)
			}
			// His own order is that of his chain.
			var seqs []uint64
			for _, x := range es {
				if x.Chain.Author == g.Members[2].Author() {
					seqs = append(seqs, x.Seq)
				}
			}
			slices.Reverse(seqs)
			if !slices.IsSorted(seqs) {
				t.Error("one author's entries are out of their order")
			}
		})
	}
}

// A page costs what a page costs, whatever is held.
func TestPageIsBounded(t *testing.T) {
	g := audittest.New(t, 2, 3)
	for i := range 6000 {
		g.Write(i%3, &event.AddressLeased{Index: uint32(i)})
	}
	r, reads := log(g), 0
	by := map[journal.EntryID]*journal.Entry{}
	for _, e := range g.Entries {
		by[e.ID()] = e
	}
	r.Entry = func(_ context.Context, id journal.EntryID) (*journal.Entry, error) { reads++; return by[id], nil }
	for name, x := range map[string]struct {
		q    audit.Query
		most int
	}{
		"newest":         {audit.Query{Limit: 50}, 50 + 3},
		"none of a kind": {audit.Query{Limit: 50, Kinds: []string{"abandoned"}}, audit.MaxLooked + 3},
		"of a proposal":  {audit.Query{Limit: 50, Proposal: journal.EntryID{1}}, 0},
		"of late":        {audit.Query{Limit: 50, Since: g.Clock.Add(-10 * time.Minute)}, 10 + 3*201},
	} {
		reads = 0
		if _, _, err := r.Page(context.Background(), x.q); err != nil || reads > x.most {
			t.Errorf("%s: %d reads, at most %d; %v", name, reads, x.most, err)
		}
	}
}

func TestNamesOfMembers(t *testing.T) {
	g := audittest.New(t, 2, 3)
	s := g.State(0)
	m := s.Active().Members[1]
	for text, want := range map[string]int{m.Name: 1, m.ID(): 1, fmt.Sprintf("%x", m.Key.Fingerprint): 1, "D": 0, "": 0} {
		if got := audit.ByMember(s, text); len(got) != want {
			t.Errorf("%q names %d", text, len(got))
		}
	}
}

func FuzzCursor(f *testing.F) {
	g := audittest.New(f, 1, 2)
	r := log(g)
	_, next, err := r.Page(context.Background(), audit.Query{Limit: 3})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(next)
	f.Add("AQ")
	f.Add("")
	f.Fuzz(func(t *testing.T, cursor string) {
		page, _, err := r.Page(context.Background(), audit.Query{Cursor: cursor, Limit: 500})
		if err != nil && !errors.Is(err, audit.ErrCursor) || len(page) > len(g.Entries) {
			t.Errorf("%d, %v", len(page), err)
		}
	})
}
