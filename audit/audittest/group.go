// Package audittest makes the journal of a whole wallet for tests: members with
// keys, a ratified roster, and whatever they are made to write.
package audittest

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// Member is one cosigner: an identity that writes, and the key behind it.
type Member struct {
	Identity *journal.Identity
	Sealing  *journal.SealingKey
	Account  *wallet.AccountKey
	Next     journal.Next
}

// Author returns the member's identity.
func (m *Member) Author() journal.Author { return m.Identity.Author() }

// Group is a wallet, and every entry of it.
type Group struct {
	tb      testing.TB
	Members []*Member
	Genesis []byte
	Epoch   journal.Epoch
	Entries []*journal.Entry
	// Clock is what the next entry claims; each moves it on by a minute.
	Clock  time.Time
	Pin    [32]byte
	nonces uint64
	coins  uint32
}

// New returns a wallet of k of n that all have ratified. Members are named A, B, …
func New(tb testing.TB, k, n int) *Group {
	tb.Helper()
	g := &Group{tb: tb, Clock: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	for i := range n {
		seed := func(c byte) [32]byte { return sha256.Sum256([]byte{byte(i), c}) }
		m := &Member{Identity: journal.NewIdentity(seed('i')), Next: journal.Next{Incarnation: 1, Seq: 1}}
		var err error
		if m.Sealing, err = journal.NewSealingKey(seed('k')); err != nil {
			tb.Fatal(err)
		}
		bip32 := seed('s')
		if m.Account, err = wallet.DeriveAccount(bip32[:], wallet.Regtest, wallet.ScriptWSH, 0); err != nil {
			tb.Fatal(err)
		}
		g.Members = append(g.Members, m)
	}
	founder := g.Members[0]
	var err error
	g.Genesis, err = event.EncodeGenesis(event.Genesis{
		Version: 1, Threshold: k, Cosigners: n, Script: "wsh", Network: "regtest",
		Founder: founder.Author(), SealingKey: founder.Sealing.Public(), Random: [32]byte{7},
	})
	if err != nil {
		tb.Fatal(err)
	}
	g.Epoch = journal.Epoch{Group: event.GroupID(g.Genesis), Secret: [32]byte{42}}
	g.setUp()
	return g
}

// setUp writes everything that makes the wallet active.
func (g *Group) setUp() {
	g.tb.Helper()
	g.Write(0, &event.GroupCreated{Genesis: g.Genesis, Name: "treasury"})
	for _, m := range g.Members[1:] {
		g.Write(0, &event.MemberAdmitted{Identity: m.Author()})
	}
	var records []journal.EntryID
	for i, m := range g.Members {
		r := &event.MemberRecord{
			Name: string(rune('A' + i)), SealingKey: m.Sealing.Public(), Key: m.Account.Key().String(), Commitment: group.Commitment(salt(i)),
		}
		hash, _ := r.Claim(g.Epoch.Group, m.Author())
		r.Proof = m.Account.SignHash(hash)
		records = append(records, g.Write(i, r).ID())
	}
	roster := g.Write(0, &event.RosterClosed{Records: records}).ID()
	for i := range g.Members {
		g.Write(i, &event.RosterRevealed{Roster: roster, Salt: salt(i)})
	}
	r, ok := g.State(0).Roster()
	if !ok || !r.Complete() {
		g.tb.Fatal("the roster is not complete")
	}
	g.Pin = r.Hash
	for i := range g.Members {
		g.Write(i, &event.RosterRatified{Hash: r.Hash})
	}
	if g.State(0).Active() == nil {
		g.tb.Fatal("the wallet is not active")
	}
}

func salt(i int) [32]byte { return [32]byte{byte(i + 1)} }

// Write has a member write an event.
func (g *Group) Write(member int, body event.Body) *journal.Entry {
	g.tb.Helper()
	return g.WriteAt(member, body, g.Clock)
}

// WriteAt is Write with a time that the member claims.
func (g *Group) WriteAt(member int, body event.Body, at time.Time) *journal.Entry {
	g.tb.Helper()
	plain, err := event.Encode(event.Event{Time: at.UnixMilli(), Body: body})
	if err != nil {
		g.tb.Fatal(err)
	}
	m := g.Members[member]
	e := g.Seal(member, g.Epoch, m.Next, plain)
	m.Next = journal.Next{Incarnation: m.Next.Incarnation, Seq: m.Next.Seq + 1, Prev: e.ID()}
	g.Keep(e)
	return e
}

// Seal makes an entry of a member that nobody holds yet.
func (g *Group) Seal(member int, ep journal.Epoch, at journal.Next, plain []byte) *journal.Entry {
	g.tb.Helper()
	g.nonces++
	nonce := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("nonce"), g.nonces))
	return g.SealWith(member, ep, at, plain, [24]byte(nonce[:24]))
}

// SealWith is Seal with a nonce.
func (g *Group) SealWith(member int, ep journal.Epoch, at journal.Next, plain []byte, nonce [24]byte) *journal.Entry {
	g.tb.Helper()
	e, err := journal.Seal(g.Members[member].Identity, ep, at, plain, nonce)
	if err != nil {
		g.tb.Fatal(err)
	}
	return e
}

// Keep takes an entry in.
func (g *Group) Keep(e *journal.Entry) {
	g.Entries = append(g.Entries, e)
	g.Clock = g.Clock.Add(time.Minute)
}

// Entry returns an entry by id, as a store does.
func (g *Group) Entry(id journal.EntryID) *journal.Entry {
	for _, e := range g.Entries {
		if e.ID() == id {
			return e
		}
	}
	return nil
}

// State is what a member's node makes of all entries.
func (g *Group) State(member int) group.State {
	g.tb.Helper()
	m := g.Members[member]
	self := &group.Self{Identity: m.Identity, Sealing: m.Sealing, Verified: wallet.NewSigCache(1 << 10), Fault: func(err error) { panic(err) }}
	s, err := group.NewState(self, g.Genesis, g.Epoch.Secret, g.Pin)
	if err != nil {
		g.tb.Fatal(err)
	}
	for _, e := range g.Entries {
		if s, _, err = s.Add(e, true); err != nil {
			g.tb.Fatal(err)
		}
	}
	return s.Activated().Work(1 << 40).Derived().Told()
}

// Propose has a member propose to pay from a coin of its own.
func (g *Group) Propose(member int, amount int64, note string) journal.EntryID {
	g.tb.Helper()
	g.coins++
	change := g.coins
	b := &event.ProposalCreated{
		Inputs: []event.ProposalInput{{TxID: chainhash.Hash{byte(g.coins), byte(g.coins >> 8), 1}, Amount: amount + 50_000, Index: g.coins}},
		Outputs: []event.ProposalOutput{
			{PkScript: append([]byte{0, 20}, make([]byte, 20)...), Amount: amount, Label: "rent"},
			{Change: &change, Amount: 49_000},
		},
		Note: note,
	}
	return g.Write(member, b).ID()
}

// Signatures are those of a member's key on a proposal.
func (g *Group) Signatures(member int, proposal journal.EntryID) []event.PartialSignature {
	g.tb.Helper()
	s := g.State(member)
	p, ok := s.Proposal(proposal)
	if !ok {
		g.tb.Fatal("no such proposal")
	}
	spend, err := p.Spend(s.Active())
	if err != nil {
		g.tb.Fatal(err)
	}
	sigs, err := spend.Sign(g.Members[member].Account)
	if err != nil {
		g.tb.Fatal(err)
	}
	var out []event.PartialSignature
	for _, x := range sigs {
		out = append(out, event.PartialSignature{Input: x.Input, Key: x.Key, Bytes: x.Bytes})
	}
	return out
}

// Approve has a member sign a proposal.
func (g *Group) Approve(member int, proposal journal.EntryID) *journal.Entry {
	g.tb.Helper()
	return g.Write(member, &event.ProposalApproved{Proposal: proposal, Signatures: g.Signatures(member, proposal)})
}

// Reject has a member vote against a proposal.
func (g *Group) Reject(member int, proposal journal.EntryID, reason string) *journal.Entry {
	g.tb.Helper()
	return g.Write(member, &event.ProposalRejected{Proposal: proposal, Reason: reason})
}
