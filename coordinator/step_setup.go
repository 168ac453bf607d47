package coordinator

import (
	"crypto/hmac"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// CosignerKey is this node's Bitcoin key for a new group, and a function that
// proves possession of it: a signature by the key itself over a claim. For a key
// whose private part lives elsewhere it is nil: the record then waits for Prove.
type CosignerKey struct {
	Account uint32
	Key     wallet.Key
	Prove   func(event.KeyClaim) ([]byte, error)
}

// Found begins a group: genesis, the founder's entries, and the effects that
// make them durable. invites are its first ones. Birthday is the height of the
// chain now: no address of the wallet can be older.
func Found(self *group.Self, in Input, g event.Genesis, name, cosigner string, ck CosignerKey, birthday int32, addresses []string, expires time.Time) (Machine, []port.Invite, []Effect, error) {
	s := &step{in: in}
	g.Version, g.Founder, g.SealingKey, g.Random = 1, self.Identity.Author(), self.Sealing.Public(), s.draw()
	raw, err := event.EncodeGenesis(g)
	if err != nil {
		return Machine{}, nil, nil, err
	}
	local := Local{
		Genesis: raw, Secret: s.draw(), Salt: s.draw(), Script: wallet.ScriptType(g.Script), Account: ck.Account,
		Incarnation: 1, Created: in.Now.Unix(), Birthday: birthday, Name: name,
	}
	if err := s.begin(self, local, ck); err != nil {
		return Machine{}, nil, nil, err
	}
	if _, err := s.write(&event.GroupCreated{Genesis: raw, Name: name}); err != nil {
		return Machine{}, nil, nil, err
	}
	if err := s.begun(cosigner, ck); err != nil {
		return Machine{}, nil, nil, err
	}
	var invites []port.Invite
	for range g.Cosigners - 1 {
		inv, err := s.issue(addresses, expires)
		if err != nil {
			return Machine{}, nil, nil, err
		}
		invites = append(invites, inv)
	}
	if err := s.settle(); err != nil {
		return Machine{}, nil, nil, err
	}
	return s.m, invites, s.finish(), nil
}

// Enter joins the group that a founder handed over: it checks that the genesis
// is the invite's, and writes this node's record. It returns ErrEvent when
// what the founder handed over is not the group of the invite.
func Enter(self *group.Self, in Input, inv port.Invite, grant port.Grant, network wallet.Network, cosigner string, ck CosignerKey, birthday int32) (Machine, []Effect, error) {
	s := &step{in: in}
	g, err := event.DecodeGenesis(grant.Genesis)
	if err != nil {
		return Machine{}, nil, fmt.Errorf("join: %w", err)
	}
	if event.GroupID(grant.Genesis) != inv.Group || g.Founder != inv.Founder {
		return Machine{}, nil, fmt.Errorf("join: %w", fmt.Errorf("%w: the founder handed over another group than the invite names", event.ErrEvent))
	}
	if g.Network != string(network) {
		return Machine{}, nil, refuse("wrong_network", "the wallet is on %s, this node is on %s", g.Network, network)
	}
	local := Local{
		Genesis: grant.Genesis, Secret: grant.Secret, Salt: s.draw(), Script: wallet.ScriptType(g.Script), Account: ck.Account,
		Incarnation: 1, Created: in.Now.Unix(), Birthday: birthday, Hints: inv.Addresses,
	}
	if err := s.begin(self, local, ck); err != nil {
		return Machine{}, nil, err
	}
	if err := s.begun(cosigner, ck); err != nil {
		return Machine{}, nil, err
	}
	if err := s.settle(); err != nil {
		return Machine{}, nil, err
	}
	return s.m, s.finish(), nil
}

func (s *step) begin(self *group.Self, local Local, ck CosignerKey) error {
	if ck.Prove == nil {
		local.External = ck.Key.String()
	}
	st, err := group.NewState(self, local.Genesis, local.Secret, [32]byte{})
	if err != nil {
		return err
	}
	st = local.inPlace(st)
	s.m.State, s.m.local = st, local
	s.m.View = s.m.View.BornAt(local.Birthday)
	s.batch = port.Batch{Group: st.Group(), Puts: map[string][]byte{}}
	return s.put(recLocal, local)
}

// writeRecord proves possession of the key and commits to the salt.
func (s *step) writeRecord(name string, ck CosignerKey) error {
	st := s.m.State
	b := &event.MemberRecord{Name: name, SealingKey: st.Self().Sealing.Public(), Key: ck.Key.String(), Commitment: group.Commitment(s.m.local.Salt)}
	var err error
	if b.Proof, err = ck.Prove(event.KeyClaim{Group: st.Group(), Identity: st.Me(), Sealing: b.SealingKey, Key: b.Key}); err != nil {
		return fmt.Errorf("prove possession of the key: %w", err)
	}
	if _, err := s.m.State.CheckRecord(st.Me(), b); err != nil {
		return fmt.Errorf("own record: %w", err)
	}
	_, err = s.write(b)
	return err
}

func (s *step) issue(addresses []string, expires time.Time) (port.Invite, error) {
	inv := port.Invite{Group: s.m.State.Group(), Founder: s.m.State.Me(), Addresses: addresses, Secret: s.draw(), Expires: expires.UTC().Truncate(time.Second)}
	rec := inviteRecord{Secret: inv.Secret, Expires: inv.Expires.Unix()}
	s.m.invites = s.m.invites.Set(inv.ID(), rec)
	return inv, s.put(recInvite+inv.ID(), rec)
}

// forming refuses what only makes sense before the wallet is active.
func (s *step) forming() error {
	if s.m.State.Active() != nil {
		return refuse(RuleAlreadyActive, "the wallet is active already")
	}
	if s.m.State.Abandoned() {
		return refuse(RuleAbandoned, "the wallet was abandoned")
	}
	return nil
}

// newInvite issues a further invite for a place nobody took.
func (s *step) newInvite(x NewInvite) error {
	if x.Replace != nil {
		return s.inviteReplacement(x)
	}
	if err := s.forming(); err != nil {
		return err
	}
	if s.m.State.Me() != s.m.State.Genesis().Founder {
		return refuse(RuleNotFounder, "only the founder of the wallet invites")
	}
	if _, taken := s.m.State.Places(); taken >= s.m.State.Genesis().Cosigners || s.m.State.Closed() {
		return refuse(RuleNoPlace, "every place of the wallet is taken").hint("`wallet abandon` it and create a new one")
	}
	inv, err := s.issue(x.Addresses, x.Expires)
	if err != nil {
		return err
	}
	s.do(Reply{inv})
	return nil
}

// admit binds an invite to the first identity that proves it. A retry of the
// same identity gets the same answer.
func (s *step) admit(x Admit) error {
	st := s.m.State
	if st.Active() != nil {
		return s.admitReplacement(x)
	}
	if err := s.forming(); err != nil {
		return port.ErrInviteUnknown
	}
	for id, rec := range s.m.invites.All() {
		inv := port.Invite{Group: st.Group(), Founder: st.Me(), Secret: rec.Secret}
		want := inv.Proof(x.Joiner, x.Nonce)
		if !hmac.Equal(want[:], x.Proof[:]) {
			continue
		}
		switch {
		case rec.Taken && rec.By != x.Joiner:
			return &secondTakerError{id, rec.By}
		case !rec.Taken && s.in.Now.Unix() >= rec.Expires:
			return port.ErrInviteExpired
		case !rec.Taken:
			if st.Admitted(x.Joiner) || x.Joiner == st.Me() {
				return port.ErrInviteUsed // one place for each node
			}
			if _, taken := st.Places(); taken >= st.Genesis().Cosigners || st.Closed() {
				return port.ErrInviteExpired // a late one: all places are taken
			}
			rec.Taken, rec.By = true, x.Joiner
			s.m.invites = s.m.invites.Set(id, rec)
			if err := s.put(recInvite+id, rec); err != nil {
				return err
			}
			if _, err := s.write(&event.MemberAdmitted{Identity: x.Joiner}); err != nil {
				return err
			}
		}
		s.do(Reply{port.Grant{Genesis: s.m.local.Genesis, Secret: s.m.local.Secret, Names: s.m.namesTaken(x.Joiner)}})
		return nil
	}
	return port.ErrInviteProof
}

// openInvites says whether a stranger may still prove an invite.
func (m Machine) openInvites(now time.Time) bool {
	forming := m.State.Active() == nil && !m.State.Abandoned() && !m.State.Closed()
	for _, r := range m.invites.All() {
		if replaces := r.Replaces != (journal.Author{}); replaces != (m.State.Active() != nil) || !replaces && !forming {
			continue
		}
		// A taken one stays open to its taker, who may have lost the answer.
		if r.Taken || now.Unix() < r.Expires {
			return true
		}
	}
	return false
}

// ratify pins the roster whose words the user gives, once, and says so.
func (s *step) ratify(x Ratify) error {
	if s.m.State.Abandoned() {
		return refuse(RuleAbandoned, "the wallet was abandoned")
	}
	words := strings.Join(strings.Fields(strings.ToLower(x.Words)), " ")
	r, ok := s.m.State.Worded(words)
	if !ok {
		r, ok = s.m.State.Roster()
	}
	if !ok || !r.Complete() {
		return refuse(RuleNotReady, "the words are not there yet: %s", s.m.Missing()).hint("wait until `wallet show` gives six words")
	}
	if words != r.Words() {
		return refuse(RuleWordsDiffer, "the words differ from this node's").
			hint("do not go on: somebody may sit between you; compare again in person, or abandon the wallet")
	}
	in := r.Has(s.m.State.Me())
	if !in && !s.m.takesPlace(r) {
		return refuse(RuleNotReady, "this node is not in the roster")
	}
	pinned := slices.ContainsFunc(r.Members, func(m group.Member) bool { return m.Identity == s.m.State.Me() && r.Ratified[m.Record] })
	if in && !pinned { // who takes a place in an active wallet has nothing to choose
		if err := checkNames(r.Members); err != nil {
			return err
		}
	}
	if x.For != "" {
		return s.ratifyFor(x.For, r)
	}
	if who := r.HostedNames(s.m.State.Me()); len(who) > 0 && !x.AcceptHosted {
		return refuse(RuleHosted, "cosigners without a node: %s; nothing shows that the key is not the host's own", strings.Join(who, ", ")).
			hint("who holds two keys has two votes: ask each of them in person, then repeat with --accept-hosted")
	}
	if who := r.UnprovenNames(s.m.State.Me()); len(who) > 0 && !x.AcceptUnproven {
		return refuse(RuleUnprovenKey, "nothing shows that anybody holds the key of %s", strings.Join(who, ", ")).
			hint("money is lost where too many keys are held by nobody: be sure of it, then repeat with --accept-unproven")
	}
	if pinned {
		s.do(Reply{})
		return nil
	}
	s.m.State = s.m.State.WithPin(r.Hash)
	s.batch.Puts[recPin] = r.Hash[:]
	if in { // one who takes a lost member's place rests on what that one ratified
		if _, err := s.write(&event.RosterRatified{Hash: r.Hash}); err != nil {
			return err
		}
	}
	s.m.State = s.m.State.Activated()
	s.do(Reply{})
	return nil
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

func (s *step) abandon(x Abandon) error {
	if err := s.forming(); err != nil {
		return err
	}
	if _, err := s.write(&event.GroupAbandoned{Reason: x.Reason}); err != nil {
		return err
	}
	s.do(Reply{})
	return nil
}

// rotate writes an epoch's secret, sealed to members.
func (s *step) rotate(ep journal.Epoch, to []group.Member) error {
	b := &event.EpochRotated{Number: ep.Number, Parent: ep.Parent}
	for _, m := range to {
		if m.Identity == (journal.Author{}) {
			continue // contested
		}
		sealed, err := journal.SealSecret(ep, s.m.State.Me(), m.Identity, m.Sealing)
		if err != nil {
			return fmt.Errorf("seal epoch to %q: %w", m.Name, err)
		}
		b.Stanzas = append(b.Stanzas, event.Stanza{To: m.Identity, Sealed: sealed})
	}
	plain, err := event.Encode(event.Event{Time: s.in.Now.UnixMilli(), Body: b})
	if err != nil {
		return err
	}
	next, err := s.next()
	if err != nil {
		return err
	}
	e, err := journal.SealPlain(s.m.State.Self().Identity, s.m.State.Group(), ep.ID(), next, plain, s.nonce())
	if err != nil {
		return fmt.Errorf("seal entry: %w", err)
	}
	return s.append(e)
}
