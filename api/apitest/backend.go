// Package apitest holds a stand-in for a node, so that the API and the command
// line can be tested without one.
package apitest

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/quorate/quorate/api"
)

// The ids that Backend knows.
var (
	WalletID   = strings.Repeat("ab", 32)
	ProposalID = "c0ffee" + strings.Repeat("0d", 29)
	TxID       = strings.Repeat("11", 32)
)

// BackupBytes is what Backend's store holds.
const BackupBytes = "the content of a store"

// Address is a regtest address that Backend shows.
const Address = "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry"

// Backend is a node with one wallet, "family", and one proposal in it. It
// remembers requests, and fails a method with the error set for its name.
type Backend struct {
	mu       sync.Mutex
	alarms   []api.Alarm
	requests []any
	failures map[string]error
	status   string
	shown    *api.Wallet
	votes    []api.Rejection
	subs     []chan api.Event
	me       string
	events   []api.Event
	last     uint64
	dropped  uint64
	calls    map[string]int
	plain    bool
}

var _ api.Backend = (*Backend)(nil)

// New returns a Backend whose proposal is pending.
func New() *Backend {
	return &Backend{failures: map[string]error{}, status: api.StatusPending, calls: map[string]int{}}
}

// Fail makes a method return err from now on; nil heals it.
func (b *Backend) Fail(method string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures[method] = err
}

// SetStatus changes the status of the proposal and tells the subscribers.
func (b *Backend) SetStatus(status string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status = status
	b.tell(api.Event{Type: "proposal", Time: Now(), Wallet: api.Text(WalletID), Proposal: api.Text(ProposalID), Status: api.Text(status)})
}

// SetMe makes it the node of alice, as it is at first, or of bob.
func (b *Backend) SetMe(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.me = name
}

func (b *Backend) who() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.me == "" {
		return "alice"
	}
	return b.me
}

// SetWallet makes the wallet another one from now on, such as one that forms; its id
// stays.
func (b *Backend) SetWallet(w api.Wallet) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w.Wallet = WalletID
	b.shown = &w
}

func (b *Backend) show() api.Wallet {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shown != nil {
		return *b.shown
	}
	return show()
}

// SetAlarms makes alarms stand in Status.
func (b *Backend) SetAlarms(alarms ...api.Alarm) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.alarms = alarms
}

// Subscribers is how many streams are open.
func (b *Backend) Subscribers() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.subs)
}

// Requests returns the bodies received so far.
func (b *Backend) Requests() []any {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.requests)
}

// Now is the time of everything that Backend shows.
func Now() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

func (b *Backend) proposal(method, ref string, request any) (api.Proposal, error) {
	if err := b.asked(method, request); err != nil {
		return api.Proposal{}, err
	}
	if _, err := api.Resolve("proposal", ref, []string{ProposalID}); err != nil {
		return api.Proposal{}, err
	}
	b.did(method)
	b.mu.Lock()
	defer b.mu.Unlock()
	expires := Now().Add(72 * time.Hour)
	return api.Proposal{
		Proposal: ProposalID, Wallet: WalletID, WalletName: "family", Author: Person("alice"), Status: b.status, TxID: TxID,
		Inputs: []api.TxInput{{OutPoint: strings.Repeat("22", 32) + ":1", Amount: 2_000_000, Address: Address}},
		Outputs: []api.TxOutput{
			{Address: Address, Amount: 1_000_000, Label: api.Text(b.said("rent", " \x1b[31mred"))},
			{Address: Address, Amount: 999_800, Change: true, Own: true},
		},
		Fee: 200, FeeRate: 1.5, Note: "for January", Created: Now(), Expires: &expires,
		HeldBy: []api.Person{Person("alice"), Person("bob")}, Approvals: []api.Approval{{Cosigner: Person("alice"), Time: Now(), Signatures: 1}},
		Rejections: slices.Clone(b.votes), Threshold: 2, Signed: 1,
		Cautions: []api.Caution{{Code: "address_reused", Message: "it was paid before"}},
		Warnings: []api.Warning{{Code: "chain_behind", Message: "this node has not seen all blocks"}},
		Verdicts: []api.RobotSaid{{Robot: Person("carol"), Outcome: "deny", Reasons: tooMuch(), Time: Now()}},
	}, nil
}

// Person is one of the wallet's cosigners; any but these three has no node.
func Person(name string) api.Person {
	p := api.Person{Name: name}
	for who, x := range map[string][2]string{"alice": {"12D3KooWA", "aabbccdd"}, "bob": {"12D3KooWB", "11223344"}, "carol": {"", "55667788"}} {
		if who == name {
			p.Key = &x[1]
			if x[0] != "" {
				p.PeerID = &x[0]
			}
		}
	}
	return p
}

func summary(state string) api.WalletSummary {
	return api.WalletSummary{Wallet: WalletID, Name: "family", State: state, Threshold: api.Known(2), CosignerCount: 3, PlaceCount: api.Known(3)}
}

func show() api.Wallet {
	words, descriptor, bob := "one two three four five six", "wsh(sortedmulti(2,…))#checksum", Person("bob")
	return api.Wallet{
		WalletItem: api.WalletItem{WalletSummary: summary("active"), Balance: api.Balance{Confirmed: 2_000_000, Leased: 2_000_000}},
		Cosigners: []api.Cosigner{
			{Person: Person("alice"), Path: "48h/1h/0h/2h", XPub: "tpubA", Online: true, Ratified: true, Proof: "own"},
			{Person: Person("bob"), Path: "48h/1h/0h/2h", XPub: "tpubB", Ratified: true, Proof: "own"},
			{Person: Person("carol"), HostedBy: &bob, Path: "48h/1h/0h/2h", XPub: "tpubC", Proof: "message"},
		},
		Words: &words, Descriptor: &descriptor,
	}
}

// Status implements api.Backend.
func (b *Backend) Status(context.Context) (api.Status, error) {
	w := summary("active")
	b.mu.Lock()
	w.Alarms = slices.Clone(b.alarms)
	b.mu.Unlock()
	me := Person(b.who())
	free, made := uint64(1<<30), Now()
	return api.Status{
		DiskFree: &free, LastBackup: &made, Alarms: []api.Alarm{{Code: "not_listening", Message: "the node does not listen on /ip4/192.0.2.9/tcp/9781", Since: Now()}},
		Name: me.Name, PeerID: *me.PeerID, Addresses: []string{"/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWA"},
		Network: "regtest", Version: "test",
		Chain:   api.ChainStatus{Backend: "core", Height: api.Known(int32(120)), Tip: api.Text(strings.Repeat("00", 32)), Synced: true},
		Wallets: []api.WalletSummary{w},
		Peers:   peers(), PendingCount: 1,
	}, b.called("Status", nil)
}

// Doctor implements api.Backend.
func (b *Backend) Doctor(context.Context) (api.Examination, error) {
	return api.Examination{
		Items: []api.Ailment{{Code: "disk_full", What: "the disk is full", Where: "db", Do: "free some space"}},
		Looks: []api.Look{{Look: "space", Verdict: api.LookBad, Note: "the disk is full"}, {Look: "backup", Verdict: api.LookFine, Note: "never"}},
	}, b.called("Doctor", nil)
}

func peers() []api.Peer {
	seen, bob := Now(), Person("bob")
	return []api.Peer{{
		PeerID: "12D3KooWB", Member: &bob, Addresses: []string{"/ip4/127.0.0.1/tcp/4002"}, Connected: true,
		LastSeen: &seen, Rejects: map[string]uint64{"bad_signature": 2},
	}}
}

// Peers implements api.Backend.
func (b *Backend) Peers(context.Context) ([]api.Peer, error) { return peers(), b.called("Peers", nil) }

// PendingPeers implements api.Backend.
func (b *Backend) PendingPeers(context.Context) ([]api.Peer, error) {
	return nil, b.called("PendingPeers", nil)
}

// AddPeer implements api.Backend.
func (b *Backend) AddPeer(_ context.Context, r api.AddPeer) (api.Peer, error) {
	return api.Peer{PeerID: "12D3KooWB", Addresses: []string{r.Multiaddr}, Rejects: map[string]uint64{}}, b.called("AddPeer", r)
}

// Backup implements api.Backend.
func (b *Backend) Backup(_ context.Context, w io.Writer) error {
	if err := b.called("Backup", nil); err != nil {
		return err
	}
	_, err := w.Write([]byte(BackupBytes))
	return err
}

// Subscribe implements api.Backend.
func (b *Backend) Subscribe(ctx context.Context) (<-chan api.Event, error) {
	if err := b.called("Subscribe", nil); err != nil {
		return nil, err
	}
	c := make(chan api.Event, 16)
	b.mu.Lock()
	b.subs = append(b.subs, c)
	b.mu.Unlock()
	context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.subs = slices.DeleteFunc(b.subs, func(s chan api.Event) bool { return s == c })
		close(c)
	})
	return c, nil
}

// Wallets implements api.Backend.
func (b *Backend) Wallets(context.Context) ([]api.WalletItem, error) {
	return []api.WalletItem{b.show().WalletItem}, b.called("Wallets", nil)
}

// Wallet implements api.Backend.
func (b *Backend) Wallet(_ context.Context, ref string) (api.Wallet, error) {
	return b.show(), b.wallet("Wallet", ref, nil)
}

// CreateWallet implements api.Backend.
func (b *Backend) CreateWallet(_ context.Context, r api.CreateWallet) (api.WalletInvites, error) {
	v := api.WalletInvites{WalletSummary: api.WalletSummary{Wallet: WalletID, Name: r.Name, State: "forming", OwnKey: &api.OwnKey{Key: "[d34db33f/48h/1h/0h/2h]tpub", External: r.External != ""}}}
	for range r.Cosigners - 1 {
		v.Invites = append(v.Invites, "quorate1invite")
		v.Issued = append(v.Issued, api.IssuedInvite{Invite: strings.Repeat("1f", 16), Expires: Now().Add(7 * 24 * time.Hour)})
	}
	return v, b.called("CreateWallet", r)
}

// JoinWallet implements api.Backend.
func (b *Backend) JoinWallet(_ context.Context, r api.JoinWallet) (api.WalletSummary, error) {
	return summary("forming"), b.called("JoinWallet", r)
}

// RatifyWallet implements api.Backend.
func (b *Backend) RatifyWallet(_ context.Context, ref string, r api.RatifyWallet) (api.Ratified, error) {
	if err := b.askedOf("RatifyWallet", ref, r); err != nil {
		return api.Ratified{}, err
	}
	if w := b.show().Words; w == nil || r.Words != *w {
		return api.Ratified{}, api.Refuse("words_differ", "the words are not those of this node", "somebody stands in between: do not go on, abandon the wallet")
	}
	b.did("RatifyWallet")
	return api.Ratified{WalletSummary: summary("active"), Words: r.Words, HeardFrom: []api.Person{Person("bob"), Person("carol")}}, nil
}

// InviteToWallet implements api.Backend.
func (b *Backend) InviteToWallet(_ context.Context, ref string, r api.InviteToWallet) (api.WalletInvites, error) {
	return api.WalletInvites{WalletSummary: summary("forming"), Invites: []string{"quorate1fresh"}, Issued: []api.IssuedInvite{{Invite: strings.Repeat("2f", 16), Expires: Now().Add(7 * 24 * time.Hour)}}}, b.wallet("InviteToWallet", ref, r)
}

// ApproveReplacement implements api.Backend.
func (b *Backend) ApproveReplacement(_ context.Context, ref string, r api.ApproveReplacement) (api.WalletSummary, error) {
	return summary("active"), b.wallet("ApproveReplacement", ref, r)
}

// AbandonWallet implements api.Backend.
func (b *Backend) AbandonWallet(_ context.Context, ref string) (api.WalletSummary, error) {
	return summary("abandoned"), b.wallet("AbandonWallet", ref, nil)
}

// RekeyWallet implements api.Backend.
func (b *Backend) RekeyWallet(_ context.Context, ref string) (api.WalletSummary, error) {
	return summary("active"), b.wallet("RekeyWallet", ref, nil)
}

// ArchiveWallet implements api.Backend.
func (b *Backend) ArchiveWallet(_ context.Context, ref string, r api.ArchiveWallet) (api.WalletSummary, error) {
	return summary("archived"), b.wallet("ArchiveWallet", ref, r)
}

// RescanWallet implements api.Backend.
func (b *Backend) RescanWallet(_ context.Context, ref string, r api.RescanWallet) (api.WalletSummary, error) {
	return summary("active"), b.wallet("RescanWallet", ref, r)
}

// RenameWallet implements api.Backend.
func (b *Backend) RenameWallet(_ context.Context, ref string, r api.RenameWallet) (api.WalletSummary, error) {
	return summary("active"), b.wallet("RenameWallet", ref, r)
}

// NewAddress implements api.Backend.
func (b *Backend) NewAddress(_ context.Context, ref string, r api.NewAddress) (api.Address, error) {
	return api.Address{Address: Address, Index: 7}, b.wallet("NewAddress", ref, r)
}

// Coins implements api.Backend.
func (b *Backend) Coins(_ context.Context, ref string) ([]api.Coin, error) {
	by := ProposalID
	return []api.Coin{
		{OutPoint: strings.Repeat("22", 32) + ":1", Amount: 2_000_000, Address: Address, Confirmations: 3, LeasedBy: &by, Label: "first"},
		{OutPoint: strings.Repeat("33", 32) + ":0", Amount: 5_000, Address: Address, Confirmations: 1, Frozen: &api.Freeze{By: Person("bob"), Note: "a stranger's dust", Time: Now()}},
	}, b.wallet("Coins", ref, nil)
}

// History implements api.Backend. The second page is the last.
func (b *Backend) History(_ context.Context, ref string, q api.HistoryQuery) (api.Page[api.HistoryItem], error) {
	if err := b.wallet("History", ref, q); err != nil {
		return api.Page[api.HistoryItem]{}, err
	}
	fee, mined := int64(200), Now()
	page := api.Page[api.HistoryItem]{Items: []api.HistoryItem{
		{TxID: TxID, Amount: -1_000_200, Fee: &fee, Proposal: api.Text(ProposalID), Payees: []api.Payee{{Address: Address, Amount: 1_000_000, Label: "rent"}}},
		{TxID: strings.Repeat("22", 32), Amount: 2_000_000, Height: api.Known(int32(118)), Time: &mined, Label: "first"},
	}}
	if q.Cursor == "" {
		page.Next = "page2"
	}
	return page, nil
}

// Propose implements api.Backend.
func (b *Backend) Propose(_ context.Context, ref string, r api.Propose) (api.Proposed, error) {
	if err := b.wallet("Propose", ref, r); err != nil {
		return api.Proposed{}, err
	}
	return api.Proposed{Proposal: ProposalID, TxID: TxID, Fee: 200, FeeRate: 1.5, Change: 999_800, Status: api.StatusPending,
		Cautions: []api.Caution{{Code: "address_reused", Message: "it was paid before"}}}, nil
}

// Proposals implements api.Backend. Each page holds the one proposal; the
// second is the last.
func (b *Backend) Proposals(_ context.Context, ref string, q api.ProposalQuery) (api.Page[api.Proposal], error) {
	if err := b.wallet("Proposals", ref, q); err != nil {
		return api.Page[api.Proposal]{}, err
	}
	p, err := b.proposal("Proposals", ProposalID, nil)
	page := api.Page[api.Proposal]{Items: []api.Proposal{p}}
	if q.Status != "" && q.Status != p.Status {
		page.Items = nil
	}
	if q.Cursor == "" && q.Status == "" {
		page.Next = "page2"
	}
	return page, err
}

// Proposal implements api.Backend.
func (b *Backend) Proposal(_ context.Context, ref string) (api.Proposal, error) {
	return b.proposal("Proposal", ref, nil)
}

// Approve implements api.Backend.
func (b *Backend) Approve(_ context.Context, ref string, r api.Approve) (api.Proposal, error) {
	return b.proposal("Approve", ref, r)
}

// Reject implements api.Backend.
func (b *Backend) Reject(_ context.Context, ref string, r api.Reject) (api.Proposal, error) {
	p, err := b.proposal("Reject", ref, r)
	if err != nil {
		return p, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.votes = []api.Rejection{{Cosigner: Person("alice"), Reason: r.Reason}}
	p.Rejections = b.votes
	return p, nil
}

// Comment implements api.Backend.
func (b *Backend) Comment(_ context.Context, ref string, r api.Comment) (api.Proposal, error) {
	return b.proposal("Comment", ref, r)
}

// Withdraw implements api.Backend.
func (b *Backend) Withdraw(_ context.Context, ref string) (api.Proposal, error) {
	return b.proposal("Withdraw", ref, nil)
}

// Tx implements api.Backend.
func (b *Backend) Tx(_ context.Context, ref string) (api.Tx, error) {
	if _, err := b.proposal("Tx", ref, nil); err != nil {
		return api.Tx{}, err
	}
	return api.Tx{TxID: TxID, WTxID: strings.Repeat("44", 32), Format: "hex", Hex: "0200"}, nil
}

// ExportWallet implements api.Backend.
func (b *Backend) ExportWallet(_ context.Context, ref, format string) (api.WalletFile, error) {
	return api.WalletFile{Wallet: WalletID, Format: format, Content: "wsh(sortedmulti(2,…))#checksum\n"}, b.wallet("ExportWallet", ref, format)
}

// Labels implements api.Backend.
func (b *Backend) Labels(_ context.Context, ref string) ([]api.Label, error) {
	return []api.Label{{Type: "tx", Ref: TxID, Label: b.said("rent", "\x1b[2J"), By: Person("bob"), Time: Now()}}, b.wallet("Labels", ref, nil)
}

// FreezeCoin implements api.Backend.
func (b *Backend) FreezeCoin(_ context.Context, ref, coin string, r api.FreezeCoin) (api.CoinFreeze, error) {
	out := api.CoinFreeze{Wallet: WalletID, OutPoint: coin}
	if !r.Undo {
		out.Frozen = &api.Freeze{By: Person("bob"), Note: api.Text(r.Note), Time: Now()}
	}
	return out, b.wallet("FreezeCoin", ref, []any{coin, r})
}

// SetLabels implements api.Backend.
func (b *Backend) SetLabels(_ context.Context, ref string, r api.SetLabels) (api.LabelsSet, error) {
	return api.LabelsSet{Wallet: WalletID, Set: len(r.Labels)}, b.wallet("SetLabels", ref, r)
}
