package api

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// All amounts are satoshis, all fee rates satoshis per virtual byte, all times
// UTC. Every key is always there; what is absent is null, and a list is never
// null. Names that end in _count are numbers of things, and no list has one.

// Text is a string that is null in JSON where it is empty: not known, not yet,
// or not said.
type Text string

// MarshalJSON writes null where the text is empty.
func (t Text) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(t))
}

// Schema describes the text as a string or null.
func (Text) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Nullable: true}
}

// List is a slice that is never null in JSON. A plain []T may be assigned to it.
type List[T any] []T

// MarshalJSON writes an empty array where the list is nil.
func (l List[T]) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]T(l))
}

// Schema describes the list as an array that is never null.
func (l List[T]) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeArray, Items: r.Schema(reflect.TypeFor[T](), true, "")}
}

// Known is a pointer to a value, and nil, which is null in JSON, for the value
// that stands for none.
func Known[T comparable](v T) *T {
	var none T
	if v == none {
		return nil
	}
	return &v
}

// Page is how every list is answered. Next is null on the last page, and
// otherwise the cursor of the following one.
type Page[T any] struct {
	Items List[T] `json:"items"`
	Next  Text    `json:"next" doc:"Cursor of the next page; null on the last."`
}

// Time is t as the API carries it: UTC and whole seconds.
func Time(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// Moment is Time where there may be none: nil for the zero time.
func Moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = Time(t)
	return &t
}

// Status is what a node says of itself.
type Status struct {
	Name      string              `json:"name"`
	PeerID    string              `json:"peer_id"`
	Addresses List[string]        `json:"addresses" doc:"Multiaddrs it listens on, with its peer id."`
	Network   string              `json:"network"`
	Version   string              `json:"version"`
	Chain     ChainStatus         `json:"chain"`
	Wallets   List[WalletSummary] `json:"wallets"`
	Peers     List[Peer]          `json:"peers"`
	Problem   Text                `json:"problem" doc:"What is wrong with connections from outside, such as very many that say nothing; null when nothing is."`
	// Alarms are those of the node itself.
	Alarms List[Alarm] `json:"alarms" doc:"What a person has to look at that is of no wallet."`
	// DiskFree is what this user may still write.
	DiskFree   *uint64    `json:"disk_free_bytes" doc:"Free space on the disk of the store, in bytes; null where it is not known."`
	LastBackup *time.Time `json:"last_backup" doc:"When a backup was last made of the running node; null for never."`
	// PendingCount is what Pending lists, as far as one page shows it.
	PendingCount int `json:"pending_count" doc:"How much waits for the node's user, as /v1/pending lists it; 51 for more than 50."`
}

// ChainStatus is the Bitcoin network as the node sees it.
type ChainStatus struct {
	Backend string `json:"backend"`
	Height  *int32 `json:"height" doc:"Height up to which blocks were taken in; null before the first."`
	Tip     Text   `json:"tip" doc:"Hash of the best block known; null before one is."`
	Synced  bool   `json:"synced"`
	Problem Text   `json:"problem" doc:"What is wrong with the backend; null when nothing is."`
	// Since goes with Problem.
	Since  *time.Time `json:"problem_since" doc:"Since when that is so; null where it is not known, or nothing is wrong."`
	Note   Text       `json:"note" doc:"What is worth knowing and no problem, such as a Bitcoin peer that was dropped; null when there is nothing."`
	Target *int32     `json:"target" doc:"Height that the backend aims at; null where it is not known."`
	Peers  *int       `json:"bitcoin_peer_count" doc:"Bitcoin nodes it is connected to; null where it does not connect to several."`
	// Blind backends cannot show what is not in a block.
	Blind bool       `json:"blind" doc:"True for a backend that sees no transaction before it is in a block."`
	Sync  *ChainSync `json:"sync" doc:"How far a light client is with its headers; null when it is synced."`
}

// ChainSync is the progress of a light client.
type ChainSync struct {
	Stage       string  `json:"stage" enum:"block headers,filter headers"`
	Height      int32   `json:"height"`
	Target      int32   `json:"target"`
	Rate        float64 `json:"rate" doc:"Headers in a second."`
	SecondsLeft *int64  `json:"seconds_left" doc:"For the rest of this stage; null when it is not known."`
}

// WalletSummary names a wallet and says how far it is.
type WalletSummary struct {
	Wallet string `json:"wallet" doc:"Wallet id: 64 hex characters."`
	Name   string `json:"name" doc:"What this node calls it: no two wallets of a node have names that look alike."`
	// FounderName is shown, and leads nowhere.
	FounderName Text   `json:"founder_name" doc:"What its founder calls it; null where that is the same."`
	State       string `json:"state" enum:"joining,forming,verifying,active,archived,abandoned,failed" doc:"forming, verifying, active or archived; joining before the founder has answered, abandoned after abandon, failed where it could not be opened."`
	// Of a wallet that forms it is how many keys are in.
	Threshold     *int `json:"threshold" doc:"How many must sign; null before the founder has answered."`
	CosignerCount int  `json:"cosigner_count" doc:"How many cosigners are in; of a wallet that forms, so far."`
	PlaceCount    *int `json:"place_count" doc:"For how many cosigners it was founded; null before the founder has answered."`
	// Problem is why a wallet is failed.
	Problem Text `json:"problem" doc:"Why it could not be opened, where it is failed, and null else; the node's other wallets run."`
	// OwnKey is this node's key of the wallet, as it is entered or waits to be: in the
	// answer to what brought it.
	OwnKey *OwnKey `json:"own_key" doc:"The key that this node brought into the wallet, in the answers to creating, joining and proving; null in all others."`
	// AwaitingProof: this node's external key is not entered yet.
	AwaitingProof bool `json:"awaiting_proof" doc:"True while this node's external key waits for its proof."`
	// AwaitingHosted: keys of hosted cosigners are not entered yet.
	AwaitingHosted List[Person] `json:"awaiting_hosted" doc:"The cosigners hosted by this node whose keys wait for their proof."`
	// Alarms stand for as long as what they tell is so.
	Alarms List[Alarm] `json:"alarms" doc:"What a person has to look at."`
	// Restored stands until this node has heard from every other cosigner.
	Restored *Restored `json:"restored" doc:"How far this node is since it was restored; null when it was not, or has heard from everybody since."`
	// Incomplete stands while old blocks are looked through for late addresses.
	Incomplete List[AddressRange] `json:"incomplete" doc:"Addresses of which old payments may not be known yet: they are being looked for, or will be."`
	// Freezes stand until enough cosigners are for lifting them.
	Freezes List[GroupFreeze] `json:"freezes" doc:"The freezes of all spending from the wallet that stand."`
}

// WalletItem is a wallet in a list.
type WalletItem struct {
	WalletSummary
	Balance Balance `json:"balance"`
}

// OwnKey is the key that this node brought into a wallet.
type OwnKey struct {
	Key      string `json:"key" doc:"Account key with its origin."`
	External bool   `json:"external" doc:"Its private part is on a device, not on this node."`
}

// AddressRange is a range of addresses of one branch of a wallet.
type AddressRange struct {
	Branch string `json:"branch" enum:"receive,change"`
	First  uint32 `json:"first" doc:"Index of the first address."`
	Last   uint32 `json:"last" doc:"Index of the last address."`
}

// Restored is how far a node is that came from a backup, or took a lost one's place.
type Restored struct {
	Since    time.Time    `json:"since" doc:"When it was restored."`
	Unsynced List[Person] `json:"unsynced" doc:"The cosigners it has not heard from since: it does not sign before, but by --allow restored_unsynced."`
	Unread   int          `json:"unread_count" doc:"Entries that it holds and cannot read yet, of which some may hold a signature of its own, or of a cosigner it hosts."`
	UnreadBy List[Person] `json:"unread_by" doc:"Who wrote those, as far as that is known. What others wrote is waited for until a day after all were heard."`
	Writes   bool         `json:"writes" doc:"Whether it has caught up as far as to write again."`
}

// Alarm is something about a wallet that a person has to look at.
type Alarm struct {
	Code    string    `json:"code" doc:"foreign_spend: coins were spent by a transaction on which the entries hold fewer signatures than it takes. address_tie: this node and another handed out one address. replacement_unproven: a device claims to be a cosigner and proves nothing. reader_failed: the program failed on entries and leaves them out. broadcast_refused, broadcast_failed, broadcast_unseen: a final transaction is not in the network. equivocation: a cosigner wrote two entries in one place; own_chain_forked: this node did. keys_unseen: so few keys were seen signing for long that the wallet may be locked soon. recurring_waits: a payment that is due by a schedule is not proposed. robot_paused, robot_silent: this robot signs nothing. charges_outstanding: what this robot signed long ago is not mined, and counts. policy_unreadable: this robot cannot read the policy in force. policy_parted: robots follow different policies. pool_held: a robot does not use what the others gave it leave for. group_frozen: a cosigner froze all spending. superseded, member_replaced: this copy of the node must not be used. robots_together: another robot of a wallet runs on the machine of this one. Of the node itself: not_listening, disk_full, connections_crowded."`
	Message string    `json:"message"`
	Since   time.Time `json:"since" doc:"When this node told of it; of an address, when it handed it out."`
	TxID    Text      `json:"txid" doc:"The transaction that it is about; null where it is about none."`
}

// InviteToWallet asks for an invite; its zero value for one to a forming wallet.
type InviteToWallet struct {
	Replace string   `json:"replace,omitempty" minLength:"1" maxLength:"64" doc:"Name or peer id of the cosigner whose new device it is for."`
	Allow   []string `json:"allow,omitempty" maxItems:"16" doc:"Rules to go on against, by name: member_online."`
}

// ApproveReplacement names a replacement to take for true.
type ApproveReplacement struct {
	Replacement string `json:"replacement" minLength:"64" maxLength:"64" doc:"Its id, as the wallet lists it."`
}

// Replacement is a new device of a cosigner that the others have to approve.
type Replacement struct {
	Replacement string       `json:"replacement" doc:"Its id: 64 hex characters."`
	Cosigner    Person       `json:"cosigner" doc:"The cosigner whose device it claims to be."`
	PeerID      string       `json:"peer_id" doc:"Of the new device."`
	Proven      bool         `json:"proven" doc:"Whether the cosigner's key proves it."`
	Approved    List[Person] `json:"approved" doc:"The cosigners who approved it."`
	Threshold   int          `json:"threshold" doc:"How many must approve it."`
}

// WalletInvites is a forming wallet and fresh invites to it.
type WalletInvites struct {
	WalletSummary
	Invites  List[string]       `json:"invites" doc:"Single-use invites; each is a secret for one cosigner."`
	Issued   List[IssuedInvite] `json:"issued_invites" doc:"Ids and expiry of the invites, in their order."`
	Warnings List[Warning]      `json:"warnings" doc:"What the file of an existing wallet was taken in spite of."`
}

// Wallet is everything that is shown of a wallet.
type Wallet struct {
	WalletItem
	// IssuedInvites are known to the founder's node alone.
	IssuedInvites List[IssuedInvite] `json:"issued_invites" doc:"The invites to a forming wallet that this node issued; empty on other nodes, and once it is active."`
	Cosigners     List[Cosigner]     `json:"cosigners"`
	Words         *string            `json:"words" doc:"Six words to compare; null before all keys are in."`
	Descriptor    *string            `json:"descriptor" doc:"Output descriptor with checksum; null before the wallet is active."`
	// Replacements wait for the approval of other cosigners.
	Replacements List[Replacement] `json:"replacements" doc:"New devices that the other cosigners have to approve."`
}

// IssuedInvite is what the node that issued an invite knows of it.
type IssuedInvite struct {
	Invite  string    `json:"invite" doc:"Its id, 32 hex characters, which is no secret."`
	Expires time.Time `json:"expires" doc:"When it is good no more, if nobody takes it before."`
	TakenBy *Person   `json:"taken_by" doc:"Who took it; null while nobody did. Before that one's record is in only its peer id is known."`
}

// Cosigner is one member of a wallet.
type Cosigner struct {
	Person
	Path string `json:"path" doc:"Derivation path of the account key, as 48h/1h/0h/2h."`
	XPub string `json:"xpub"`
	// OriginWarning is set for a key that is not where its origin says, or whose
	// origin is not where such keys belong.
	OriginWarning *string `json:"origin_warning" doc:"Why the key is not where its origin says, or not where such keys belong: its device may not sign; null for most."`
	Online        bool    `json:"online"`
	Ratified      bool    `json:"ratified"`
	// Replaced is how often a new device took the place of the one before.
	Replaced int     `json:"replaced_count" doc:"How often the cosigner's device was replaced."`
	HostedBy *Person `json:"hosted_by" doc:"The cosigner whose node enters for this one, which has none; null for one with a node."`
	Proof    string  `json:"proof" enum:"own,message,psbt,none" doc:"How the key was shown to be held by somebody: own, message, psbt, or none."`
}

// Balance is what a wallet holds, in satoshis.
type Balance struct {
	Confirmed   int64 `json:"confirmed"`
	Unconfirmed int64 `json:"unconfirmed"`
	Leased      int64 `json:"leased" doc:"Part that live proposals mean to spend."`
	Frozen      int64 `json:"frozen" doc:"Part of the rest that cosigners froze."`
	Spendable   int64 `json:"spendable"`
}

// Ratified answers a ratification.
type Ratified struct {
	WalletSummary
	Words     string       `json:"words"`
	HeardFrom List[Person] `json:"heard_from" doc:"The other cosigners: the words must have been heard from each of them in person."`
}

// Address is a receiving address.
type Address struct {
	Address string `json:"address"`
	Index   uint32 `json:"index"`
}

// Coin is an unspent output of a wallet.
type Coin struct {
	OutPoint      string  `json:"outpoint" doc:"TXID:VOUT."`
	Amount        int64   `json:"amount"`
	Address       string  `json:"address"`
	Confirmations int32   `json:"confirmations"`
	LeasedBy      *string `json:"leased_by" doc:"The live proposal that means to spend it, or null."`
	Frozen        *Freeze `json:"freeze" doc:"By whom it is frozen, and why; null for most: it is then spent by name only."`
	Label         Text    `json:"label" doc:"A cosigner's words, unverified: of the output, else of its address, else of its transaction; null where there is none."`
}

// Freeze is why a coin is not spent for now.
type Freeze struct {
	By   Person    `json:"by" doc:"The cosigner who froze it."`
	Note Text      `json:"note" doc:"The cosigner's words, unverified; null where there are none."`
	Time time.Time `json:"time" doc:"As the cosigner claims."`
}

// HistoryItem is a transaction that moved a wallet's coins.
type HistoryItem struct {
	TxID     string      `json:"txid"`
	Amount   int64       `json:"amount" doc:"What the wallet has more of by it; below zero for a spend, its fee included."`
	Fee      *int64      `json:"fee" doc:"Null where an input is not the wallet's own."`
	Height   *int32      `json:"height" doc:"Of its block; null while it is unconfirmed."`
	Time     *time.Time  `json:"time" doc:"Of its block, as the miner claims; null while it is unconfirmed."`
	Proposal Text        `json:"proposal" doc:"The proposal it comes from; null where there is none."`
	Payees   List[Payee] `json:"payees" doc:"Whom it pays besides the wallet itself; none of what was paid in."`
	Label    Text        `json:"label" doc:"A cosigner's words, unverified: the label of the transaction, else the note of its proposal; null where there is none."`
	LabelBy  *Person     `json:"label_by" doc:"The cosigner who wrote the label or the note; null where there is none."`
}

// Payee is somebody who was paid.
type Payee struct {
	Address string `json:"address"`
	Amount  int64  `json:"amount"`
	Label   Text   `json:"label" doc:"The author's words, unverified; null where there are none."`
}

// Proposed answers a new proposal, or the repetition of one by its request id.
type Proposed struct {
	Proposal string  `json:"proposal" doc:"Proposal id: 64 hex characters."`
	TxID     string  `json:"txid"`
	Fee      int64   `json:"fee"`
	FeeRate  float64 `json:"fee_rate"`
	Change   int64   `json:"change" doc:"Amount that comes back, 0 for none."`
	Status   string  `json:"status" enum:"pending,final,broadcast,confirmed,conflicted,dead,withdrawn,rejected,expired,replaced"`
	// Replaces is what was asked for, and what was given up and would otherwise pay the
	// same payee, too, or holds the coins.
	Replaces         List[string]  `json:"replaces" doc:"Proposals that it replaces: those named, and those given up that pay the same, or hold its coins."`
	UnconfirmedCount int           `json:"unconfirmed_count" doc:"How many of its inputs are not confirmed yet."`
	Cautions         List[Caution] `json:"cautions" doc:"What to look at before others approve it; none of it refuses."`
}

// Proposal is everything that is shown of a proposal.
type Proposal struct {
	Proposal      string          `json:"proposal"`
	Wallet        string          `json:"wallet"`
	WalletName    string          `json:"wallet_name" doc:"What this node calls the wallet."`
	Author        Person          `json:"author" doc:"The cosigner who proposed."`
	Status        string          `json:"status" enum:"pending,final,broadcast,confirmed,conflicted,dead,withdrawn,rejected,expired,replaced" doc:"How far it is, or its end."`
	TxID          string          `json:"txid"`
	Inputs        List[TxInput]   `json:"inputs"`
	Outputs       List[TxOutput]  `json:"outputs"`
	Fee           int64           `json:"fee"`
	FeeRate       float64         `json:"fee_rate"`
	Note          Text            `json:"note" doc:"The author's words, unverified; null where there are none."`
	Scheduled     bool            `json:"is_scheduled" doc:"Its author's node made it by itself, of a payment that recurs or waited for its time, as it says."`
	Created       time.Time       `json:"created" doc:"As the author claims."`
	Expires       *time.Time      `json:"expires"`
	HeldBy        List[Person]    `json:"held_by" doc:"The cosigners known to hold it."`
	Approvals     List[Approval]  `json:"approvals"`
	Rejections    List[Rejection] `json:"rejections"`
	Threshold     int             `json:"threshold" doc:"How many cosigners must sign in all."`
	Signed        int             `json:"signed_count" doc:"How many signed all of it."`
	Conflicts     List[string]    `json:"conflicts" doc:"Other proposals that spend one of its coins, 64 at most."`
	Replaces      List[string]    `json:"replaces" doc:"Proposals that it replaces, 64 at most."`
	ConflictCount int             `json:"conflict_count" doc:"How many conflicts there are in all."`
	ReplacesCount int             `json:"replaces_count" doc:"How many proposals it replaces in all."`
	ReplacedBy    *string         `json:"replaced_by"`
	WTxID         *string         `json:"wtxid" doc:"Null before it is final."`
	Reach         *string         `json:"reach" enum:"node,held,shown" doc:"How this node knows that the network has it while it is broadcast: its own Bitcoin node has it; Bitcoin peers that were given it hold it; a Bitcoin peer that was not given it has it. Null where it is not known."`
	Warnings      List[Warning]   `json:"warnings" doc:"What this node would have the user know before signing."`
	Cautions      List[Caution]   `json:"cautions" doc:"What to look at while it is under way; none of it refuses."`
	Verdicts      List[RobotSaid] `json:"verdicts" doc:"What each robot said of it last."`
	History       List[Deed]      `json:"history" doc:"What cosigners did with it, by the time that they claim: each vote, though it was taken back later, up to 16 of one; the first 64 comments of each."`
}

// Deed is what a cosigner did with a proposal.
type Deed struct {
	Cosigner Person    `json:"cosigner"`
	Kind     string    `json:"kind" enum:"proposed,approved,rejected,rejection_withdrawn,withdrawn,commented"`
	Text     Text      `json:"text" doc:"The reason of a rejection, or a comment: the cosigner's words, unverified. Null where there are none."`
	Time     time.Time `json:"time" doc:"As the cosigner claims."`
}

// TxInput is a coin that a proposal spends.
type TxInput struct {
	OutPoint string `json:"outpoint"`
	Amount   int64  `json:"amount"`
	Address  string `json:"address"`
	// Confirmations is of the transaction that made it, as this node sees the chain.
	Confirmations int32   `json:"confirmations" doc:"Of the coin, in this node's chain; 0 where it is not confirmed."`
	Frozen        *Freeze `json:"freeze" doc:"By whom the coin is frozen, and why; null for most."`
}

// TxOutput is an output of a proposal.
type TxOutput struct {
	Address string `json:"address"`
	Amount  int64  `json:"amount"`
	Change  bool   `json:"is_change" doc:"This node derived the address itself, on the wallet's change branch."`
	Own     bool   `json:"is_own" doc:"It pays this wallet itself: change, and any other address of it that this node watches."`
	// OwnedBy is left out for a caller who does not see that wallet.
	OwnedBy *Owner `json:"owned_by" doc:"The other wallet on this node that it pays; null for most. What cosigners own besides is not known."`
	Label   Text   `json:"label" doc:"The author's words, unverified; null where there are none."`
}

// Owner is a wallet on this node that an address is of.
type Owner struct {
	Wallet string `json:"wallet"`
	Name   string `json:"wallet_name" doc:"What this node calls it."`
}

// Approval is one cosigner's signatures.
type Approval struct {
	Cosigner   Person    `json:"cosigner"`
	Time       time.Time `json:"time" doc:"As the cosigner claims."`
	Signatures int       `json:"signature_count" doc:"Inputs with a verified signature by this cosigner's key."`
	// BumpTo and BumpUntil are what it agreed to beforehand.
	BumpTo    *int64     `json:"bump_to" doc:"Up to which fee the cosigner's node signs bumps of it by itself; null where it asks."`
	BumpUntil *time.Time `json:"bump_until" doc:"Until when; null where it asks."`
	Unasked   bool       `json:"by_pre_approval" doc:"The cosigner's node signed it by itself, as agreed to before."`
}

// Rejection is one cosigner's vote against.
type Rejection struct {
	Cosigner Person    `json:"cosigner"`
	Reason   string    `json:"reason" doc:"The cosigner's words; unverified."`
	Time     time.Time `json:"time" doc:"As the cosigner claims."`
}

// Warning is something a user should know before signing.
type Warning struct {
	Code    string `json:"code" doc:"The name to pass in allow to go on nevertheless, where that is possible."`
	Message string `json:"message"`
}

// Caution is something to look at before a payment is agreed to. It refuses nothing.
type Caution struct {
	Code    string `json:"code" enum:"address_resembles,address_reused,mixes_labels" doc:"mixes_labels: its coins have different labels. address_resembles: a payee's address begins and ends as one that was paid or used before, and is another one. address_reused: the address was paid before."`
	Message string `json:"message"`
}

// Tx is a final transaction.
type Tx struct {
	TxID   string `json:"txid"`
	WTxID  string `json:"wtxid"`
	Format string `json:"format" enum:"hex"`
	Hex    string `json:"content" doc:"The transaction with its witness, as it is sent."`
}

// Peer is what is known of another node.
type Peer struct {
	PeerID    string            `json:"peer_id"`
	Member    *Person           `json:"member" doc:"The cosigner whose node it is or was, of the first wallet with one; null for a stranger."`
	Addresses List[string]      `json:"addresses"`
	Connected bool              `json:"connected"`
	Relayed   bool              `json:"relayed"`
	LastSeen  *time.Time        `json:"last_seen"`
	Rejects   map[string]uint64 `json:"reject_counts" doc:"What it sent and this node refused: how often, by reason."`
}

// Event says that something changed. What it is now is read from where it
// lives: events are a doorbell.
type Event struct {
	// ID only grows, also over restarts; 0 is of what is only shown as it happens.
	ID       uint64    `json:"id" doc:"Only grows; 0 where the event is in no list (type sync)."`
	Type     string    `json:"type" enum:"alarm,chain,comment,freeze,group_freeze,more,policy,proposal,reset,robot_verdict,signed_by_policy,signed_by_pre_approval,sync,wallet" doc:"more: so many others were left out. reset: some are kept no more, read the state again."`
	Time     time.Time `json:"time"`
	Wallet   Text      `json:"wallet"`
	Proposal Text      `json:"proposal"`
	Status   Text      `json:"status" doc:"Of a proposal or a wallet; of a coin, or of all spending, frozen or lifted; of a policy, proposed, approved, objected or in_force; of an alarm, its code where it stays."`
	PeerID   Text      `json:"peer_id"`
	Message  Text      `json:"message"`
	// Chain comes with type sync.
	Chain *ChainStatus `json:"chain"`
	// Live: it is in no list, and shown as it happens.
	Live bool `json:"-"`
}

// EventPage is a part of what happened.
type EventPage struct {
	Items List[Event] `json:"items" doc:"Oldest first."`
	Next  Text        `json:"next" doc:"What to give as after for the next page; null where this is all so far."`
	Last  uint64      `json:"last_id" doc:"The highest id so far, 0 where there is none."`
	Reset bool        `json:"reset" doc:"Events after the one that was given are kept no more: read the state again."`
}
