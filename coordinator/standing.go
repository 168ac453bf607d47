package coordinator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// catchingUp says whether the node was restored and does not write yet.
func (m Machine) catchingUp() bool { return m.restored != nil && !m.restored.Started }

// superseded says whether this node's identity goes on as a later incarnation
// somewhere else: what this one writes has no effect any more.
func (m Machine) superseded() bool {
	if m.catchingUp() {
		return false // it will go on after whatever it finds
	}
	return m.State.Superseded(journal.ChainKey{Author: m.State.Me(), Incarnation: m.local.Incarnation})
}

// unsynced lists the other members that a restored node has not synced with.
func (m Machine) unsynced() []journal.Author {
	if m.restored == nil {
		return nil
	}
	others := m.State.Members()
	if a := m.State.Active(); a != nil {
		// A contested member is nobody's now, and may still hold what is looked for.
		for k := range a.Members {
			if len(a.Contested(k)) > 0 {
				line := a.Identities(k)
				others = append(others, line[len(line)-1])
			}
		}
	}
	var out []journal.Author
	for _, a := range others {
		if a != m.State.Me() && !slices.Contains(m.restored.Synced, a) {
			out = append(out, a)
		}
	}
	return out
}

// External says whether the private part of this node's key lives elsewhere.
func (m Machine) External() bool {
	if m.local.External != "" {
		return true
	}
	r, ok := m.ownRecord()
	return ok && r.Body.How != event.ProofOwn
}

// ownRecord returns this node's record, once it is written.
func (m Machine) ownRecord() (group.Record, bool) {
	return m.State.OwnRecord(m.State.Me())
}

// AwaitsProof says whether this node's place waits for the proof of its key.
func (m Machine) AwaitsProof() bool {
	_, done := m.ownRecord()
	return m.local.External != "" && !done && m.local.Replaces == (journal.Author{}) && m.State.Active() == nil && !m.State.Abandoned()
}

// Phase is the state of a wallet as people see it.
func (m Machine) Phase() string {
	switch {
	case m.local.Archived:
		return "archived"
	case m.State.Active() != nil:
		return "active"
	case m.State.Abandoned():
		return "abandoned"
	}
	if r, ok := m.State.Roster(); ok && r.Complete() {
		return "verifying"
	}
	return "forming"
}

// noSeat says why this node is no member of the active wallet.
func (m Machine) noSeat() error {
	switch {
	case m.State.Succeeded():
		return errReplaced
	case m.State.Active().Changed() && m.State.IsNewcomer(m.State.Me()) && m.local.Replaces != (journal.Author{}):
		return refusal.New(refusal.NoKey, "this node is no member of the wallet until the other cosigners approve it").WithHint("`wallet show` on their nodes lists who waits")
	}
	return refusal.New(refusal.NoKey, "this node holds no key of the wallet")
}

// hostsAny says whether this node hosts any.
func (m Machine) hostsAny() bool {
	a := m.State.Active()
	return a != nil && slices.ContainsFunc(a.Members, m.State.HostsMember)
}

// forming refuses what only makes sense before the wallet is active.
func (s *step) forming() error {
	if s.m.State.Active() != nil {
		return refusal.New(refusal.AlreadyActive, "the wallet is active already")
	}
	if s.m.State.Abandoned() {
		return refusal.New(refusal.Abandoned, "the wallet was abandoned")
	}
	return nil
}

// notArchived refuses what an archived wallet does not do.
func (m *Machine) notArchived() error {
	if m.local.Archived {
		return refusal.New(refusal.Archived, "the wallet is archived on this node").WithHint("`wallet archive --undo` takes it up again")
	}
	return nil
}

func (s *step) isOnline(a journal.Author) bool { return slices.Contains(s.m.online, a) }

// takesPlace says whether this node takes the place of a lost member of a
// roster, by the key that both hold: who is lost may have been a replacement itself.
func (m Machine) takesPlace(r *group.Roster) bool {
	return m.local.Replaces != (journal.Author{}) && slices.ContainsFunc(r.Members, func(x group.Member) bool { return x.Key.String() == m.local.Key })
}

// existed says whether the wallet is older than its group: it has a history.
func (m Machine) existed() bool { return m.State.Genesis().Descriptor != "" }

// importing says whether a block is of the past of an existing wallet, while
// that is still being found: its addresses are then looked for from the birthday
// before the chain counts as seen. A payment of after this node took the wallet
// in is none of its past: whoever makes one must not stop this node.
func (m Machine) importing(b port.BlockRef) bool {
	return m.existed() && b.Height > 0 && b.Time <= m.local.Created && !m.View.Synced()
}

// hostedRecord returns the record of a cosigner that this node hosts, once it is written.
func (m Machine) hostedRecord(name string) (group.Record, bool) {
	for r := range m.State.HostedBy(m.State.Me()) {
		if r.Body.Name == name {
			return r, true
		}
	}
	return group.Record{}, false
}

// began is when the group was made, as far as this node knows: when it entered,
// or, of one that took a lost member's place, when the first of all entered. A
// member who lies makes the scan longer, not shorter.
func (m Machine) began() time.Time {
	at := m.local.Created
	if m.local.Replaces != (journal.Author{}) {
		for r := range m.State.Records {
			at = min(at, r.Ref.Time/1000) // it is in milliseconds
		}
	}
	return time.Unix(max(0, at), 0)
}

// Began returns when the group was made, as far as this node knows, and whether
// that says where in the chain the wallet begins: not where it is older than its
// group, nor where its user said where.
func (m *Machine) Began() (at time.Time, dated bool) {
	return m.began(), !m.existed() && !m.local.Rescanned
}

// Missing says in words what a forming wallet waits for.
func (m Machine) Missing() string {
	st := m.State
	if r, ok := st.Roster(); ok {
		if !r.Complete() {
			return fmt.Sprintf("%d of %d cosigners have revealed", r.Revealed, len(r.Members))
		}
		return fmt.Sprintf("%d of %d cosigners have ratified", len(r.Ratified), len(r.Members))
	}
	if m.AwaitsProof() {
		return "this node's external key is not proved yet (`wallet proof` says what to sign)"
	}
	if who := m.AwaitingHosted(); len(who) > 0 {
		return fmt.Sprintf("the key of %s is not proved yet (`wallet proof --for` says what to sign)", strings.Join(who, ", "))
	}
	if a, b, same := st.SameKeys(); same {
		return fmt.Sprintf("%q and %q brought the same key: abandon the wallet", a, b)
	}
	var members []group.Member
	for _, c := range m.Cosigners() {
		members = append(members, c.Member)
	}
	if err := checkNames(members); err != nil {
		return err.Error() + ": abandon the wallet and found another"
	}
	return fmt.Sprintf("%d of %d cosigners have joined", st.RecordCount(), st.Genesis().Cosigners)
}

// AwaitingHosted lists the hosted cosigners whose keys wait for their proof.
func (m Machine) AwaitingHosted() []string {
	if m.State.Active() != nil || m.State.Abandoned() || m.State.Closed() {
		return nil
	}
	var out []string
	for _, p := range m.local.Hosted {
		if _, entered := m.hostedRecord(p.Name); !entered {
			out = append(out, p.Name)
		}
	}
	return out
}

// heardWith counts the keys of other nodes, and of those the ones whose node said since this
// one started what it holds, a chain up to a place among it, and all of it is held here.
func (m *Machine) heardWith(chain journal.ChainKey, seq uint64) (heard, others int) {
	for _, x := range m.State.Active().Members {
		who := m.State.NodeOf(x)
		if who == m.State.Me() {
			continue
		}
		others++
		if f, ok := m.claims.Get(mapkey.Of(who)); ok && f[chain].Seq >= seq && m.State.Covers(m.claims, who) {
			heard++
		}
	}
	return heard, others
}

// awaited says whether a robot waits for what cannot be read: see robot.Desk.Awaits. What its
// own line wrote may be signatures by its key, and is waited for without end.
func (m *Machine) awaited() bool {
	return slices.ContainsFunc(m.State.UnreadBy(), func(a journal.Author) bool {
		return m.State.SameMember(a, m.State.Me()) || m.desk.Awaits(a, m.ticks)
	})
}

// unreadable says whether an entry is held of which it is not known what it says, as its
// epoch was not sealed to this node: it may be a vote.
func (m *Machine) unreadable() bool {
	u := group.UnreadEntries{Most: 1}
	m.State.CountUnreadSealed(&u)
	return u.N > 0
}
