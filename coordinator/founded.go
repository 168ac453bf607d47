package coordinator

import (
	"errors"
	"fmt"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/wallet"
)

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
	effects, err := s.finish()
	return s.m, invites, effects, err
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
		return Machine{}, nil, refusal.New(refusal.WrongNetwork, "the wallet is on %s, this node is on %s", g.Network, network)
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
	effects, err := s.finish()
	return s.m, effects, err
}

// EnterSuccession joins an active group in the place of a lost member: it
// checks what was handed over, and begins as one that reads until it is let in.
func EnterSuccession(self *group.Self, in Input, inv port.Invite, grant port.Grant, network wallet.Network, ck CosignerKey) (Machine, []Effect, error) {
	s := &step{in: in}
	if grant.Genesis == nil && grant.Challenge != nil {
		return Machine{}, nil, errAwaitsApproval
	}
	g, err := event.DecodeGenesis(grant.Genesis)
	if err != nil {
		return Machine{}, nil, fmt.Errorf("join: %w", err)
	}
	if event.GroupID(grant.Genesis) != inv.Group || grant.Challenge == nil {
		return Machine{}, nil, fmt.Errorf("join: %w", fmt.Errorf("%w: the member handed over another group than the invite names", event.ErrEvent))
	}
	if b := grant.Challenge.Birthday; b < 0 || b > event.MaxBirthday {
		return Machine{}, nil, fmt.Errorf("join: %w", fmt.Errorf("%w: birthday %d", event.ErrEvent, b))
	}
	if g.Network != string(network) {
		return Machine{}, nil, refusal.New(refusal.WrongNetwork, "the wallet is on %s, this node is on %s", g.Network, network)
	}
	local := Local{
		Genesis: grant.Genesis, Secret: grant.Secret, Salt: s.draw(), Script: wallet.ScriptType(g.Script), Account: ck.Account,
		Incarnation: 1, Created: in.Now.Unix(), Birthday: grant.Challenge.Birthday, Hints: inv.Addresses,
		Inviter: inv.Founder, Replaces: grant.Challenge.Old, Key: ck.Key.String(),
	}
	if err := s.begin(self, local, ck); err != nil {
		return Machine{}, nil, err
	}
	s.m.restored = &restoredRecord{At: in.Now.Unix(), Replacement: true}
	if err := errors.Join(s.put(recRestored, *s.m.restored), s.settle()); err != nil {
		return Machine{}, nil, err
	}
	effects, err := s.finish()
	return s.m, effects, err
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

// Unlinked returns the machine as one whose transport was told of no topic or
// member yet: what Found and Enter return had none to tell.
func (m Machine) Unlinked() Machine {
	m.linked = ""
	return m
}
