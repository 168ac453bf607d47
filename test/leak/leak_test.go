package leak_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/chain/devnet"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// What is spent and why. The amount takes 9 bytes in CBOR: 0x1b and 0x1_3161_ff15.
const (
	spent = int64(5_123_456_789)
	note  = "seven sealed barrels of herring"
)

// Whoever carries a group's entries, or finds a store's, reads nothing of what
// is in them; and the same search finds everything once entries are not
// encrypted.
func TestNothingLeaks(t *testing.T) {
	ctx := context.Background()
	chain, err := devnet.New(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := chain.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &records{frames: map[string][][]byte{}, collector: newCollector(t)}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		t.Fatal(err)
	}
	a, b, c := newCosigner(t, "a", nil, chain, r), newCosigner(t, "b", nil, chain, r), newCosigner(t, "c", key, chain, r)
	w := ceremony(t, a, b, c)

	deposit, err := a.node.NewAddress(ctx, w.Wallet, api.NewAddress{})
	if err != nil {
		t.Fatal(err)
	}
	script, err := wallet.ParseAddress(deposit.Address, wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chain.Fund(script, spent+100_000_000); err != nil {
		t.Fatal(err)
	}
	mine(t, chain)
	to, err := wallet.AddressOf(chain.FaucetScript(), wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	secrets := secretsOf(t, *w.Descriptor, to, spent, note)
	if names := sortedNames(secrets); !slices.Equal(names, theNames) {
		t.Fatalf("looking for %v", names)
	}
	// C is away, so that the entries also travel by sync.
	c.stop()
	spend(t, chain, a, b, w.Wallet, to)
	c.start()
	proposals, err := a.node.Proposals(ctx, w.Wallet, api.ProposalQuery{})
	if err != nil {
		t.Fatal(err)
	}
	c.eventually("the spend", func(n *app.Node) bool {
		p, err := n.Proposal(ctx, proposals.Items[0].Proposal)
		return err == nil && p.Status == api.StatusConfirmed
	})
	r.collector.joins(t, proposals.Items[0].Proposal)
	for _, x := range []*cosigner{a, b, c} {
		x.stop()
	}
	if got := found(r.collector.all(), secrets); len(got) != 0 {
		t.Errorf("traces tell %v", got)
	}

	entries, bare := stored(t, a, w.Wallet), unsealed(t, a, w.Wallet)
	var open [][]byte
	for kind, frames := range map[string][][]byte{
		"pubsub": r.frames["pubsub"], "sync": r.frames["sync"], "store": entries,
	} {
		if got := found(frames, secrets); len(got) != 0 {
			t.Errorf("%s: an outsider reads %v", kind, got)
		}
		// The switch: the same frames with every entry as it is without encryption.
		plain := exposed(t, kind, frames, bare)
		if kind != "store" {
			open = append(open, plain...)
		} else if got := found(plain, secrets); !slices.Equal(got, inOrder(secrets)) {
			t.Errorf("store: without encryption the search finds only %v", got)
		}
	}
	// Which entries travel by pubsub and which by sync is a matter of luck.
	if got := found(open, secrets); !slices.Equal(got, inOrder(secrets)) {
		t.Errorf("frames: without encryption the search finds only %v", got)
	}
	if got := found(r.frames["join"], secrets); len(got) != 0 || len(r.frames["join"]) == 0 {
		t.Errorf("%d frames of the join protocol hold %v", len(r.frames["join"]), got)
	}
	if got := found([][]byte{r.log.Bytes()}, secrets); len(got) != 0 || r.log.Len() == 0 {
		t.Errorf("a log of %d bytes tells %v", r.log.Len(), got)
	}
	// At rest: the files of a store with a key, and of one without.
	if got := found(files(t, c.dir), secrets); len(got) != 0 {
		t.Errorf("the files of an encrypted store hold %v", got)
	}
	if got := found(files(t, a.dir), secrets); len(got) == 0 {
		t.Error("the files of a store without encryption hold nothing that the search knows")
	}
}

func mine(t testing.TB, chain *devnet.Devnet) {
	t.Helper()
	if _, err := chain.Mine(1, nil); err != nil {
		t.Fatal(err)
	}
}

func sortedNames(secrets []secret) []string {
	names := inOrder(secrets)
	slices.Sort(names)
	return names
}

func inOrder(secrets []secret) []string {
	var names []string
	for _, s := range secrets {
		names = append(names, s.name)
	}
	return names
}

// spend pays, with a note, from a to an address; b approves, and it is mined.
func spend(t testing.TB, chain *devnet.Devnet, a, b *cosigner, id, to string) {
	t.Helper()
	ctx := context.Background()
	a.eventually("the deposit", func(n *app.Node) bool {
		w, err := n.Wallet(ctx, id)
		return err == nil && w.Balance.Spendable > spent
	})
	p, err := a.node.Propose(ctx, id, api.Propose{To: []api.Recipient{{Address: to, Amount: spent, Label: note}}, FeeRate: 5, Note: note})
	if err != nil {
		t.Fatal(err)
	}
	b.eventually("the proposal", func(n *app.Node) bool {
		_, err := n.Approve(ctx, p.Proposal, api.Approve{})
		return err == nil
	})
	reaches := func(x *cosigner, status string) {
		x.eventually(status, func(n *app.Node) bool {
			got, err := n.Proposal(ctx, p.Proposal)
			return err == nil && got.Status == status
		})
	}
	reaches(a, api.StatusBroadcast)
	mine(t, chain)
	reaches(a, api.StatusConfirmed)
	reaches(b, api.StatusConfirmed)
}

func groupID(t testing.TB, s string) journal.GroupID {
	t.Helper()
	var id journal.GroupID
	if err := id.UnmarshalText([]byte(s)); err != nil {
		t.Fatal(err)
	}
	return id
}

// stored returns the entry values of a store.
func stored(t testing.TB, c *cosigner, id string) [][]byte {
	t.Helper()
	var out [][]byte
	for _, e := range walk(t, c, id) {
		out = append(out, e.Bytes())
	}
	return out
}

func walk(t testing.TB, c *cosigner, id string) []*journal.Entry {
	t.Helper()
	db := c.open()
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	var out []*journal.Entry
	err := db.Walk(context.Background(), groupID(t, id), func(e *journal.Entry) error {
		out = append(out, e)
		return nil
	})
	if err != nil || len(out) == 0 {
		t.Fatalf("%d entries, %v", len(out), err)
	}
	return out
}

// unsealed returns, by its sealed bytes, what each entry is without encryption:
// the same event at the same place under suite 0.
func unsealed(t testing.TB, c *cosigner, id string) map[string][]byte {
	t.Helper()
	epochs := map[journal.EpochID]journal.Epoch{}
	for _, ep := range epochsOf(t, c, id) {
		epochs[ep.ID()] = ep
	}
	out := map[string][]byte{}
	for _, e := range walk(t, c, id) {
		h := e.Header()
		if h.Suite == journal.SuitePlain {
			continue
		}
		event, err := journal.Open(epochs[h.Epoch], e)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := journal.SealPlain(journal.NewIdentity(c.parts.Secrets.Identity), h.Group, h.Epoch,
			journal.Next{Incarnation: h.Incarnation, Seq: h.Seq, Prev: h.Prev}, event, h.Nonce)
		if err != nil {
			t.Fatal(err)
		}
		out[string(e.Bytes())] = plain.Bytes()
	}
	return out
}

// epochsOf returns the epochs of a group: the first, and the current one.
func epochsOf(t testing.TB, c *cosigner, ref string) []journal.Epoch {
	t.Helper()
	db := c.open()
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	id := groupID(t, ref)
	recs, err := db.Records(context.Background(), id, "local")
	if err != nil {
		t.Fatal(err)
	}
	var local coordinator.Local
	if err := cbor.Unmarshal(recs["local"], &local); err != nil {
		t.Fatal(err)
	}
	sealing, err := journal.NewSealingKey(c.parts.Secrets.Sealing)
	if err != nil {
		t.Fatal(err)
	}
	m, err := coordinator.Load(context.Background(), db, &group.Self{
		Identity: journal.NewIdentity(c.parts.Secrets.Identity), Sealing: sealing, Verified: wallet.NewSigCache(1024),
	}, id)
	if err != nil {
		t.Fatal(err)
	}
	current, ok := m.State.Epoch()
	if !ok {
		t.Fatal("no epoch")
	}
	return []journal.Epoch{{Group: id, Secret: local.Secret}, current}
}

// exposed replaces every sealed entry in frames by its form without encryption.
func exposed(t testing.TB, kind string, frames [][]byte, bare map[string][]byte) [][]byte {
	t.Helper()
	replaced := 0
	var out [][]byte
	for _, f := range frames {
		for sealed, plain := range bare {
			if bytes.Contains(f, []byte(sealed)) {
				f = bytes.ReplaceAll(f, []byte(sealed), plain)
				replaced++
			}
		}
		out = append(out, f)
	}
	if replaced == 0 {
		t.Errorf("%s: the frames hold no entry at all", kind)
	}
	return out
}

// files returns what is in all files of a directory.
func files(t testing.TB, dir string) [][]byte {
	t.Helper()
	var out [][]byte
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		out = append(out, b)
		return err
	})
	if err != nil || len(out) == 0 {
		t.Fatalf("%d files, %v", len(out), err)
	}
	return out
}
