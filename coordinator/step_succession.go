package coordinator

import (
	"crypto/hmac"
	"fmt"
	"slices"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// inviteSuccessor issues an invite for a new device of a member.
func (s *step) inviteSuccessor(x NewInvite) error {
	a := s.m.State.Active()
	if a == nil {
		return refusal.New(refusal.NotActive, "the wallet is not active: %s", s.m.Missing()).WithHint("`wallet invite` without --replace")
	}
	at, ok := a.Index(*x.Replace)
	if !ok {
		return fmt.Errorf("%w: no member to replace", refusal.ErrBadRequest)
	}
	if *x.Replace == s.m.State.Me() {
		return fmt.Errorf("%w: this node cannot be replaced from itself", refusal.ErrBadRequest)
	}
	if (x.Online || s.isOnline(*x.Replace)) && !slices.Contains(x.Allow, refusal.MemberOnline) {
		return refusal.New(refusal.MemberOnline, "the node of %q is online: it is not lost", a.Members[at].Called()).
			WithHint("if it was stolen, or runs without its owner, repeat with --allow %s", refusal.MemberOnline).MayOverride()
	}
	// Where this one was restored and all the others are gone, nobody is left to catch
	// up with: it begins again because its user says so, or nobody ever could.
	if err := s.overrideRestored(x.Allow); err != nil {
		return err
	}
	if s.m.catchingUp() {
		return refusal.New(refusal.Restored, "this node was restored, and has not synced since with another member, who may hold what it wrote after the backup was made").
			WithHint("wait until one is online; if all of them are gone for good, repeat with --allow %s", refusal.Restored).MayOverride()
	}
	if _, err := s.next(); err != nil {
		return err
	}
	inv := port.Invite{Group: s.m.State.Group(), Founder: s.m.State.Me(), Addresses: x.Addresses, Secret: s.draw(), Expires: x.Expires.UTC().Truncate(time.Second)}
	rec := inviteRecord{Secret: inv.Secret, Expires: inv.Expires.Unix(), Replaces: *x.Replace}
	s.m.invites = s.m.invites.Set(inv.ID(), rec)
	if err := s.put(recInvite+inv.ID(), rec); err != nil {
		return err
	}
	answer(s, x, inv)
	return nil
}

// admitSuccessor answers who presents the invite for a new device. The first
// answer is the challenge, which binds nothing: who found the invite and has no
// seed can neither read nor use it up. A claim that proves the key is carried.
func (s *step) admitSuccessor(x Admit) error {
	for id, rec := range s.m.invites.All() {
		inv := port.Invite{Group: s.m.State.Group(), Founder: s.m.State.Me(), Secret: rec.Secret}
		want := inv.Proof(x.Joiner, x.Nonce)
		if rec.Replaces == (journal.Author{}) || !hmac.Equal(want[:], x.Proof[:]) {
			continue
		}
		switch {
		case rec.Taken && rec.By != x.Joiner:
			return &SecondTakerError{id, rec.By}
		case rec.Taken && x.Claim != nil:
			answer(s, x, port.Grant{Genesis: s.m.local.Genesis, Secret: s.m.local.Secret, Challenge: s.challenge(rec)})
			return nil
		case !rec.Taken && slices.Contains(rec.Claimed, x.Joiner):
			return s.answerUnproven(x, id, rec)
		case !rec.Taken && s.in.Now.Unix() >= rec.Expires:
			return port.ErrInviteExpired
		}
		if _, member := s.m.State.Active().Index(rec.Replaces); !member && !rec.Taken {
			return port.ErrInviteUsed // replaced meanwhile
		}
		if !rec.Fixed {
			// Where the old log ends, as this node knows it now, for good.
			rec.Fixed, rec.Cuts = true, s.cutsOf(rec.Replaces)
			s.m.invites = s.m.invites.Set(id, rec)
			if err := s.put(recInvite+id, rec); err != nil {
				return err
			}
		}
		c := s.challenge(rec)
		if x.Claim == nil {
			answer(s, x, port.Grant{Challenge: c})
			return nil
		}
		return s.carrySuccession(x, id, rec, c)
	}
	return port.ErrInviteProof
}

func (s *step) challenge(rec inviteRecord) *event.Challenge {
	k, ok := s.m.State.Active().KeyOf(rec.Replaces)
	if !ok {
		return nil
	}
	m := s.m.State.Active().Members[k]
	return &event.Challenge{
		Key: uint32(k), Old: rec.Replaces, Account: event.AccountHash(s.m.State.Group(), m.Key.String()),
		Script: wallet.ScriptType(s.m.State.Genesis().Script), Cuts: rec.Cuts, Birthday: s.m.View.Birthday(),
	}
}

// cutsOf is where the chains of an identity end here.
func (s *step) cutsOf(who journal.Author) []event.ReplacedCut {
	var out []event.ReplacedCut
	for k, at := range s.m.State.Chains().Frontier() {
		if k.Author == who {
			out = append(out, event.ReplacedCut{Incarnation: k.Incarnation, Seq: at.Seq, Last: at.ID})
		}
	}
	slices.SortFunc(out, func(a, b event.ReplacedCut) int { return int(a.Incarnation) - int(b.Incarnation) })
	return out
}

// carrySuccession enters a claim that proves the key, rekeys the epoch, and
// seals those of before to the new identity, which has the history to read.
func (s *step) carrySuccession(x Admit, id string, rec inviteRecord, c *event.Challenge) error {
	b := c.Event(x.Joiner, x.Claim)
	if err := b.Check(); err != nil {
		return port.ErrInviteProof
	}
	if _, known := s.m.State.Active().KeyOf(x.Joiner); known || !s.m.State.CheckSuccession(b) {
		return port.ErrInviteProof
	}
	if len(b.Proof) == 0 {
		if len(rec.Claimed) >= maxUnproven {
			return port.ErrInviteUsed
		}
		rec.Claimed = append(slices.Clone(rec.Claimed), x.Joiner)
	} else {
		rec.Taken, rec.By = true, x.Joiner
	}
	s.m.invites = s.m.invites.Set(id, rec)
	if err := s.put(recInvite+id, rec); err != nil {
		return err
	}
	if _, err := s.write(b); err != nil {
		return err
	}
	if len(b.Proof) == 0 {
		answer(s, x, port.Grant{Challenge: c})
		return nil
	}
	answer(s, x, port.Grant{Genesis: s.m.local.Genesis, Secret: s.m.local.Secret, Challenge: c})
	return nil
}

// maxUnproven is how many devices may claim one invite and prove nothing: each
// is an entry, and somebody has to look at it.
const maxUnproven = 4

// answerUnproven answers a device again that claimed and proved nothing. It gets
// no more than the challenge before the others have made it the member: then it
// takes the invite.
func (s *step) answerUnproven(x Admit, id string, rec inviteRecord) error {
	c := s.challenge(rec)
	if _, member := s.m.State.Active().Index(x.Joiner); !member || x.Claim == nil {
		answer(s, x, port.Grant{Challenge: c})
		return nil
	}
	rec.Taken, rec.By = true, x.Joiner
	s.m.invites = s.m.invites.Set(id, rec)
	if err := s.put(recInvite+id, rec); err != nil {
		return err
	}
	answer(s, x, port.Grant{Genesis: s.m.local.Genesis, Secret: s.m.local.Secret, Challenge: c})
	return nil
}

// tellMembers tells what this step changed among the members, whatever brought it
// about, and looks at everything anew: entries may have lost their effect, or
// have it again.
func (s *step) tellMembers() {
	s.m.State = s.m.State.TakeReweighed()
	began := s.before.State.Self() == nil // a wallet that is only being made
	if !began && !s.before.superseded() && s.m.superseded() {
		s.do(Tell{port.Notice{Type: "alarm", Group: s.m.State.Group(), Status: AlarmSuperseded, Detail: errSuperseded.Error()}})
	}
	s.tellUnproven()
	before, now := s.before.State.Active(), s.m.State.Active()
	if before == nil || now == nil || before == now || !now.Changed() {
		return
	}
	for i, m := range now.Members {
		was := before.Members[i].Identity
		contested := len(now.Contested(i))
		switch {
		case contested > 0 && len(before.Contested(i)) != contested:
			s.tellAlarm(s.m.contestedAlarm(i))
		case m.Identity != was && m.Identity != (journal.Author{}):
			s.tellAlarm(Alarm{Kind: AlarmReplaced, Text: fmt.Sprintf("%q goes on with another node, %s: the one before it, %s, is no member any more", m.Called(), m.Identity, lastOf(now.Identities(i)))})
		default:
			continue
		}
		for _, who := range now.Identities(i) {
			for c := range s.m.State.Chains().KeysOf(who) {
				s.lookChain(c, 0) // its votes and declarations may be another member's
			}
		}
		if k, ok := before.Index(s.m.State.Me()); ok && k == i {
			s.do(Tell{port.Notice{Type: "alarm", Group: s.m.State.Group(), Status: AlarmReplaced, Detail: errReplaced.Error()}})
		}
	}
}

// tellUnproven tells of devices that claim to be a member and prove nothing, as
// soon as this node hears of them.
func (s *step) tellUnproven() {
	if s.before.State.Self() == nil || s.before.State.SuccessionCount() == s.m.State.SuccessionCount() {
		return
	}
	known := map[[32]byte]bool{}
	for _, r := range s.before.unproven() {
		known[r.ID] = true
	}
	for _, r := range s.m.unproven() {
		if !known[r.ID] {
			s.tellAlarm(unprovenAlarm(r))
		}
	}
}

// Succession is one that waits for other members to approve it.
type Succession struct {
	ID [32]byte
	// Member is whom it replaces, New the identity it names.
	Member   group.Member
	New      journal.Author
	At       time.Time // as its carrier claims
	Proven   bool      // by the member's key
	Approved []group.Member
	Needed   int
}

// Successions returns those that wait: of a contested member, and of an
// external key that proves nothing, by id.
func (m *Machine) Successions() []Succession {
	a := m.State.Active()
	if a == nil || !a.Changed() {
		return nil
	}
	var out []Succession
	told := m.State.Ballot()
	for f := range m.State.CountingSuccessions {
		k := int(f.Body.Key)
		open := len(a.Contested(k)) > 0 || len(f.Body.Proof) == 0
		line := a.Identities(k)
		if !open || f.Body.Old != line[len(line)-1] {
			continue
		}
		r := Succession{ID: f.Body.ID(m.State.Group()), Member: a.Members[k], New: f.Body.New, At: time.UnixMilli(f.Ref.Time), Proven: len(f.Body.Proof) > 0, Needed: m.State.ApprovalsNeeded()}
		for by := range told.Approvers(f.Body.ID(m.State.Group())) {
			r.Approved = append(r.Approved, a.Members[by])
		}
		if !slices.ContainsFunc(out, func(o Succession) bool { return o.ID == r.ID }) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(x, y Succession) int { return slices.Compare(x.ID[:], y.ID[:]) })
	return out
}

// approveSuccession says that this member takes a succession for true.
func (s *step) approveSuccession(x ApproveSuccession) error {
	if s.m.State.Active() == nil {
		return refusal.New(refusal.NotActive, "the wallet is not active: %s", s.m.Missing())
	}
	me, ok := s.m.State.Active().Index(s.m.State.Me())
	if !ok {
		return refusal.New(refusal.NoKey, "this node holds no key of the wallet")
	}
	for _, r := range s.m.Successions() {
		if r.ID != x.Succession {
			continue
		}
		if r.Member.Index == me {
			return refusal.New(refusal.NoKey, "a replacement of this node's own key is approved by the others")
		}
		if !slices.ContainsFunc(r.Approved, func(m group.Member) bool { return m.Index == me }) {
			if _, err := s.write(&event.ReplacementApproved{Replacement: x.Succession}); err != nil {
				return err
			}
		}
		answer(s, x, Done{})
		return nil
	}
	return refusal.New(refusal.NoRival, "no replacement of this id waits for approval").WithHint("`wallet show` lists those that do")
}

// AwaitsMyApproval says whether a new device waits for this node's approval.
func (m *Machine) AwaitsMyApproval(r Succession) bool {
	me, ok := m.State.Active().Index(m.State.Me())
	return ok && r.Member.Index != me && !slices.ContainsFunc(r.Approved, func(x group.Member) bool { return x.Index == me })
}
