package coordinator

import (
	"crypto/hmac"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

func (s *step) issue(addresses []string, expires time.Time) (port.Invite, error) {
	inv := port.Invite{Group: s.m.State.Group(), Founder: s.m.State.Me(), Addresses: addresses, Secret: s.draw(), Expires: expires.UTC().Truncate(time.Second)}
	rec := inviteRecord{Secret: inv.Secret, Expires: inv.Expires.Unix()}
	s.m.invites = s.m.invites.Set(inv.ID(), rec)
	return inv, s.put(recInvite+inv.ID(), rec)
}

// newInvite issues a further invite for a place nobody took.
func (s *step) newInvite(x NewInvite) error {
	if x.Replace != nil {
		return s.inviteSuccessor(x)
	}
	if err := s.forming(); err != nil {
		return err
	}
	if s.m.State.Me() != s.m.State.Genesis().Founder {
		return refusal.New(refusal.NotFounder, "only the founder of the wallet invites")
	}
	if _, taken := s.m.State.Places(); taken >= s.m.State.Genesis().Cosigners || s.m.State.Closed() {
		return refusal.New(refusal.NoPlace, "every place of the wallet is taken").WithHint("`wallet abandon` it and create a new one")
	}
	inv, err := s.issue(x.Addresses, x.Expires)
	if err != nil {
		return err
	}
	answer(s, x, inv)
	return nil
}

// admit binds an invite to the first identity that proves it. A retry of the
// same identity gets the same answer.
func (s *step) admit(x Admit) error {
	st := s.m.State
	if st.Active() != nil {
		return s.admitSuccessor(x)
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
			return &SecondTakerError{id, rec.By}
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
		answer(s, x, port.Grant{Genesis: s.m.local.Genesis, Secret: s.m.local.Secret, Names: s.m.namesTaken(x.Joiner)})
		return nil
	}
	return port.ErrInviteProof
}

// OpenInvites says whether a stranger may still prove an invite.
func (m Machine) OpenInvites(now time.Time) bool {
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

func (s *step) abandon(x Abandon) error {
	if err := s.forming(); err != nil {
		return err
	}
	if _, err := s.write(&event.GroupAbandoned{Reason: x.Reason}); err != nil {
		return err
	}
	answer(s, x, Done{})
	return nil
}
