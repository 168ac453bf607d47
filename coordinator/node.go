package coordinator

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// InviteLife is how long an invite is open.
const InviteLife = 7 * 24 * time.Hour

// Node is all wallets of this node: it opens them, founds and joins further
// ones, and answers strangers at the door.
type Node struct {
	ports   Ports
	self    *group.Self
	network wallet.Network
	name    string
	ctx     context.Context
	stop    context.CancelFunc

	mu     sync.Mutex // guards actors and what creates them
	actors map[journal.GroupID]*Actor
	failed map[journal.GroupID]FailedWallet // stored, and not opened
}

// NewNode returns a node without wallets; Open opens those that are stored.
// The transport may be set later, with SetTransport, but before Open: the two need each other.
func NewNode(ctx context.Context, ports Ports, self *group.Self, network wallet.Network, name string) *Node {
	ctx, stop := context.WithCancel(ctx)
	ports.names = newWalletNames()
	own, told := *self, &faults{}
	own.Fault = func(err error) { told.log(ports.Log, err) }
	self = &own
	return &Node{ports: ports, self: self, network: network, name: name, ctx: ctx, stop: stop, actors: map[journal.GroupID]*Actor{}, failed: map[journal.GroupID]FailedWallet{}}
}

// SetTransport completes the ports.
func (n *Node) SetTransport(t port.Transport) { n.ports.Transport = t }

// Open starts every wallet that is stored. One that cannot be opened keeps none
// of the others from running: see Failed.
func (n *Node) Open(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	recs, err := n.ports.Store.Records(ctx, journal.GroupID{}, recGroup)
	if err != nil {
		return fmt.Errorf("read the list of wallets: %w", err)
	}
	defer n.ports.names.completed()
	for k := range recs {
		var id journal.GroupID
		if err := id.UnmarshalText([]byte(strings.TrimPrefix(k, recGroup))); err != nil {
			return fmt.Errorf("read the list of wallets: %w", err)
		}
		m, err := n.load(ctx, id)
		if errors.Is(err, ErrNoGroup) {
			continue // the node died between naming it and founding it: nothing was acknowledged
		}
		if ctx.Err() != nil {
			return fmt.Errorf("open wallets: %w", ctx.Err())
		}
		if err != nil {
			n.hasFailed(ctx, id, err)
			n.ports.Log.Error("a wallet could not be opened; the others run", "error", err)
			n.ports.Log.Debug("a wallet could not be opened", "wallet", id)
			continue
		}
		n.actors[id] = NewActor(n.ctx, n.ports, m)
	}
	return nil
}

// Close stops all wallets.
func (n *Node) Close() {
	n.stop()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range n.actors {
		a.Close()
	}
}

// Wallets returns the open wallets, by group.
func (n *Node) Wallets() []*Actor {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := make([]*Actor, 0, len(n.actors))
	for _, a := range n.actors {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *Actor) int { return slices.Compare(a.group[:], b.group[:]) })
	return out
}

// Wallet returns an open wallet.
func (n *Node) Wallet(g journal.GroupID) (*Actor, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	a, ok := n.actors[g]
	return a, ok
}

// Founding is what a new wallet is to be.
type Founding struct {
	Name                 string
	Threshold, Cosigners int
	Script               wallet.ScriptType
	// Addresses of this node, for its invites.
	Addresses []string
	// Descriptor is that of an existing wallet, or nil; it then says threshold,
	// keys and script. Birthday is the height before which it was not paid.
	Descriptor *wallet.Descriptor
	Birthday   int32
	// External is this node's key with its origin, where its private part lives
	// elsewhere; else empty.
	External string
}

// Create founds a wallet and returns its first invites. With an external key
// this node's own place waits for Prove.
func (n *Node) Create(ctx context.Context, f Founding) (*Actor, []port.Invite, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := CheckName(n.name); err != nil {
		return nil, nil, fmt.Errorf("create wallet: %w", err)
	}
	founding := journal.GroupID{} // no wallet's id: the name is kept for the one to come
	if err := n.ports.names.take(founding, f.Name); err != nil {
		return nil, nil, fmt.Errorf("create wallet: %w", err)
	}
	defer n.ports.names.hold(founding, "")
	g := event.Genesis{Threshold: f.Threshold, Cosigners: f.Cosigners, Script: string(f.Script), Network: string(n.network)}
	if d := f.Descriptor; d != nil {
		g.Threshold, g.Cosigners, g.Script = d.Threshold(), len(d.Keys()), string(d.ScriptType())
		g.Descriptor, g.Birthday = d.String(), f.Birthday
	}
	if err := g.Check(); err != nil {
		return nil, nil, err
	}
	ck, err := n.cosignerKey(ctx, g, f.External)
	if err != nil {
		return nil, nil, err
	}
	in, err := n.input()
	if err != nil {
		return nil, nil, err
	}
	m, invites, effects, err := Found(n.self, in, g, f.Name, n.name, ck, n.birthdayOf(ctx, g), f.Addresses, in.Now.Add(InviteLife))
	if err != nil {
		return nil, nil, fmt.Errorf("create wallet: %w", err)
	}
	a, err := n.begin(ctx, m, effects)
	return a, invites, err
}

// Join presents an invite and enters the group. A repeat, or one after a crash
// in the middle, goes on where it stopped: a node has one record in a group.
// With an external key ("" for none) this node's place waits for Prove; a
// repeat may bring another one until then.
func (n *Node) Join(ctx context.Context, inv port.Invite, external string) (*Actor, error) {
	if inv.Founder == n.self.Identity.Author() {
		return nil, fmt.Errorf("%w: the invite is this node's own", refusal.ErrBadRequest)
	}
	n.mu.Lock()
	a, ok := n.actors[inv.Group]
	failed := n.notFailed(inv.Group)
	n.mu.Unlock()
	if ok {
		return a, a.rekey(ctx, external)
	}
	if failed != nil {
		return nil, failed // before the founder hears of it
	}
	if n.ports.Clock.Now().After(inv.Expires) {
		return nil, port.ErrInviteExpired
	}
	grant, err := n.ports.Transport.Join(ctx, inv, nil)
	if err != nil {
		return nil, fmt.Errorf("present the invite: %w", err)
	}
	if grant.Challenge != nil {
		return n.takePlace(ctx, inv, *grant.Challenge, external)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if a, ok := n.actors[inv.Group]; ok {
		return a, a.rekey(ctx, external)
	}
	if err := freeName(n.name, grant.Names); err != nil {
		var r *refusal.Refusal
		if errors.As(err, &r) {
			return nil, r.WithHint("give this node another name (`name` in its configuration) and join again: the invite is kept for it")
		}
		return nil, fmt.Errorf("join: %w", err)
	}
	g, err := event.DecodeGenesis(grant.Genesis)
	if err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	ck, err := n.cosignerKey(ctx, g, external)
	if err != nil {
		return nil, err
	}
	in, err := n.input()
	if err != nil {
		return nil, err
	}
	m, effects, err := Enter(n.self, in, inv, grant, n.network, n.name, ck, n.birthdayOf(ctx, g))
	if err != nil {
		return nil, err
	}
	return n.begin(ctx, m, effects)
}

// begin makes a new group durable, first its name in the list, and starts it.
func (n *Node) begin(ctx context.Context, m Machine, effects []Effect) (*Actor, error) {
	if err := n.notFailed(m.State.Group()); err != nil {
		return nil, err
	}
	list := port.Batch{Puts: map[string][]byte{recGroup + m.State.Group().String(): {1}}}
	if err := n.ports.Store.Commit(ctx, list); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	for _, e := range effects {
		if p, ok := e.(Persist); ok {
			if err := n.ports.Store.Commit(ctx, p.Batch); err != nil {
				return nil, fmt.Errorf("store: %w", err)
			}
		}
	}
	m.linked = "" // the actor links anew: no other effect of the first step matters
	a := NewActor(n.ctx, n.ports, m)
	n.actors[m.State.Group()] = a
	return a, nil
}

// newKey takes the next account of the seed. The number is used up durably
// first: two wallets must never share a key.
func (n *Node) newKey(ctx context.Context, script wallet.ScriptType) (CosignerKey, error) {
	name := recAccount + string(script)
	recs, err := n.ports.Store.Records(ctx, journal.GroupID{}, name)
	if err != nil {
		return CosignerKey{}, fmt.Errorf("read account number: %w", err)
	}
	var next uint64
	if b := recs[name]; len(b) == 8 {
		next = binary.BigEndian.Uint64(b)
	}
	if next >= event.MaxIndex {
		return CosignerKey{}, fmt.Errorf("%w: no account number left", refusal.ErrBadRequest)
	}
	if err := n.ports.Store.Commit(ctx, port.Batch{Puts: map[string][]byte{name: binary.BigEndian.AppendUint64(nil, next+1)}}); err != nil {
		return CosignerKey{}, fmt.Errorf("store: %w", err)
	}
	account := uint32(next)
	key, err := n.ports.Signer.AccountKey(ctx, script, account)
	if err != nil {
		return CosignerKey{}, fmt.Errorf("derive account key: %w", err)
	}
	return CosignerKey{Account: account, Key: key, Prove: n.prover(ctx, script, account)}, nil
}

func (n *Node) input() (Input, error) {
	in := Input{Now: n.ports.Clock.Now()}
	if err := n.ports.Clock.Entropy(in.Entropy[:]); err != nil {
		return in, fmt.Errorf("draw entropy: %w", err)
	}
	return in, nil
}

// Open says whether a stranger may prove an invite (see Doorman).
func (d Door) Open() bool {
	now := d.node.ports.Clock.Now()
	for _, a := range d.node.Wallets() {
		if a.Machine().openInvites(now) {
			return true
		}
	}
	return false
}

// Door is a node's Doorman.
type Door struct{ node *Node }

// Door returns the node's Doorman.
func (n *Node) Door() Door { return Door{n} }

// Admit checks the proof of an invite (see Doorman).
func (d Door) Admit(ctx context.Context, group journal.GroupID, joiner journal.Author, nonce, proof [32]byte, claim *event.ReplacementClaim) (port.Grant, error) {
	a, ok := d.node.Wallet(group)
	if !ok {
		return port.Grant{}, port.ErrInviteUnknown
	}
	g, err := Do(ctx, a, Admit{Joiner: joiner, Nonce: nonce, Proof: proof, Claim: claim})
	if err != nil {
		var second *secondTakerError
		if errors.As(err, &second) {
			a.tellSecondTaker(joiner, second)
		}
		return port.Grant{}, err
	}
	return g, nil
}

// searchAccounts is how many accounts of the seed are looked at for a key that
// was ratified before.
const searchAccounts = 256

// takePlace answers the challenge of an invite that replaces a lost member: it
// finds the ratified key among the accounts of the seed, proves it, and enters.
func (n *Node) takePlace(ctx context.Context, inv port.Invite, c event.Challenge, external string) (*Actor, error) {
	var ck CosignerKey
	var prove func(event.KeyClaim) ([]byte, error)
	if external != "" {
		key, err := externalKey(external, n.network, c.Script)
		if err != nil {
			return nil, err
		}
		if event.AccountHash(inv.Group, key.String()) != c.Account {
			return nil, errNotThisKey()
		}
		ck.Key = key
	} else {
		var err error
		if ck, err = n.findKey(ctx, inv.Group, c); err != nil {
			return nil, err
		}
		prove = ck.Prove
	}
	claim, err := c.Claim(n.self.Identity, n.self.Sealing.Public(), inv.Group, prove)
	if err != nil {
		return nil, err
	}
	grant, err := n.ports.Transport.Join(ctx, inv, claim)
	if err != nil {
		return nil, fmt.Errorf("present the proof: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if a, ok := n.actors[inv.Group]; ok {
		return a, nil
	}
	in, err := n.input()
	if err != nil {
		return nil, err
	}
	m, effects, err := EnterReplacement(n.self, in, inv, n.own(ctx, grant), n.network, ck)
	if err != nil {
		return nil, err
	}
	return n.begin(ctx, m, effects)
}

func errNotThisKey() error {
	return refusal.New(refusal.NoKey, "this node's seed does not hold the key of the member that the invite replaces").
		WithHint("make the node with the mnemonic of the lost one (`init --mnemonic-file`), or ask for an invite that names the right member")
}

// findKey looks for a ratified key among the accounts of the seed, and keeps
// its number from being used for another wallet.
func (n *Node) findKey(ctx context.Context, group journal.GroupID, c event.Challenge) (CosignerKey, error) {
	for account := range uint32(searchAccounts) {
		key, err := n.ports.Signer.AccountKey(ctx, c.Script, account)
		if err != nil {
			return CosignerKey{}, fmt.Errorf("derive account key: %w", err)
		}
		if event.AccountHash(group, key.String()) != c.Account {
			continue
		}
		name := recAccount + string(c.Script)
		recs, err := n.ports.Store.Records(ctx, journal.GroupID{}, name)
		if err != nil {
			return CosignerKey{}, fmt.Errorf("read account number: %w", err)
		}
		next := uint64(account) + 1
		if b := recs[name]; len(b) == 8 {
			had := binary.BigEndian.Uint64(b)
			next = max(next, had)
		}
		if err := n.ports.Store.Commit(ctx, port.Batch{Puts: map[string][]byte{name: binary.BigEndian.AppendUint64(nil, next)}}); err != nil {
			return CosignerKey{}, fmt.Errorf("store: %w", err)
		}
		return CosignerKey{Account: account, Key: key, Prove: n.prover(ctx, c.Script, account)}, nil
	}
	return CosignerKey{}, errNotThisKey()
}
