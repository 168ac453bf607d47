package api

import (
	"reflect"
	"strings"
	"time"
)

// The bodies of requests. Limits in tags are checked by the server before the
// backend sees anything: a proposal must fit into one entry of at most 256 KiB,
// which 1,000 outputs or 2,000 inputs of 45 to 60 bytes do.

// CreateWallet asks for a new wallet, with this node as its founder.
type CreateWallet struct {
	Name      string   `json:"name" minLength:"1" maxLength:"64"`
	Threshold int      `json:"threshold,omitempty" minimum:"1" maximum:"20" doc:"How many must sign; left out with from."`
	Cosigners int      `json:"cosigners,omitempty" minimum:"1" maximum:"20" doc:"How many there are, this node included; left out with from."`
	From      string   `json:"from,omitempty" minLength:"1" maxLength:"900000" doc:"A wallet file of any known form: the group is made around that wallet."`
	Birthday  string   `json:"birthday,omitempty" minLength:"1" maxLength:"20" doc:"With from: the height or the date (2024-12-31) before which the wallet was not paid."`
	Script    string   `json:"script,omitempty" enum:"wsh,sh-wsh" doc:"Script type; wsh where left out."`
	External  string   `json:"external,omitempty" minLength:"1" maxLength:"512" doc:"Account key with origin, whose private key lives elsewhere; it is entered once it is proved."`
	Unproven  bool     `json:"unproven,omitempty" doc:"Enter the external key at once, without a proof that anybody holds it."`
	Allow     []string `json:"allow,omitempty" maxItems:"16" doc:"Rules to go on against, by name: key_origin."`
}

// Scripts returns the script types that a wallet can be founded with, the
// default first.
func Scripts() []string {
	f, _ := reflect.TypeFor[CreateWallet]().FieldByName("Script")
	return strings.Split(f.Tag.Get("enum"), ",")
}

// JoinWallet presents an invite.
type JoinWallet struct {
	Invite   string   `json:"invite" minLength:"1" maxLength:"4096"`
	External string   `json:"external,omitempty" minLength:"1" maxLength:"512" doc:"Account key with origin, whose private key lives elsewhere; it is entered once it is proved."`
	Unproven bool     `json:"unproven,omitempty" doc:"Enter the external key at once, without a proof that anybody holds it."`
	Wait     bool     `json:"wait,omitempty" doc:"Answer when the founder has admitted this node."`
	Allow    []string `json:"allow,omitempty" maxItems:"16" doc:"Rules to go on against, by name: key_origin."`
}

// RatifyWallet says which words the user heard.
type RatifyWallet struct {
	Words          string `json:"words" minLength:"1" maxLength:"256"`
	AcceptUnproven bool   `json:"accept_unproven,omitempty" doc:"Accept keys of others of which nothing shows that anybody holds them."`
	AcceptHosted   bool   `json:"accept_hosted,omitempty" doc:"Accept cosigners without a node, whom others host."`
	For            string `json:"for,omitempty" minLength:"1" maxLength:"64" doc:"Name of a cosigner that this node hosts, who heard the words too."`
}

// RenameWallet gives a wallet another name on this node.
type RenameWallet struct {
	Name string `json:"name" minLength:"1" maxLength:"64" doc:"What this node is to call it."`
}

// ArchiveWallet puts a wallet aside, or takes it up again.
type ArchiveWallet struct {
	Undo  bool     `json:"undo,omitempty" doc:"Take it up again."`
	Allow []string `json:"allow,omitempty" maxItems:"16" doc:"Rules to go on against, by name: wallet_not_empty."`
}

// RescanWallet looks at the chain again.
type RescanWallet struct {
	From int32 `json:"from" minimum:"0" maximum:"1073741823" doc:"Height of the first block to look at."`
}

// EventQuery asks for a part of what happened.
type EventQuery struct {
	// After is the id after which it begins.
	After uint64
	// Limit is at most MaxPage.
	Limit int
}

// NewAddress asks for a receiving address.
type NewAddress struct {
	Peek      bool   `json:"peek,omitempty" doc:"Show the next one without leasing it."`
	BeyondGap bool   `json:"beyond_gap,omitempty" doc:"Lease one although 20 unused ones are out."`
	RequestID string `json:"request_id,omitempty" minLength:"1" maxLength:"128" doc:"The same id gives the same address, however often it is sent."`
}

// Recipient is one payment.
type Recipient struct {
	Address string `json:"address" minLength:"1" maxLength:"128"`
	Amount  int64  `json:"amount,omitempty" minimum:"1" maximum:"2100000000000000" doc:"Satoshis; left out with all."`
	All     bool   `json:"all,omitempty" doc:"In place of an amount: all that the wallet can spend, or all of the coins named, after the other payees and the fee. There is no change then."`
	PaysFee bool   `json:"pays_fee,omitempty" doc:"The fee is taken from what those get who pay it, in equal parts, and not paid beside it."`
	Label   string `json:"label,omitempty" maxLength:"256"`
}

// Propose asks for a proposal. Without a fee rate and target the node chooses.
type Propose struct {
	To           []Recipient `json:"to,omitempty" maxItems:"1000" nullable:"false" doc:"Whom it pays: one or more, unless it is made from another transaction."`
	FeeRate      float64     `json:"fee_rate,omitempty" minimum:"0" maximum:"100000" doc:"Satoshis per virtual byte."`
	TargetBlocks int         `json:"target_blocks,omitempty" minimum:"0" maximum:"1008" doc:"Estimate the fee rate for confirmation within so many blocks."`
	Coins        []string    `json:"coins,omitempty" maxItems:"2000" nullable:"false" doc:"Spend these outpoints, all of them and no others."`
	Note         string      `json:"note,omitempty" maxLength:"1024"`
	Expires      int64       `json:"expires_in,omitempty" minimum:"0" maximum:"31536000" doc:"Seconds until it expires; 0 for the node's default."`
	Replaces     []string    `json:"replaces,omitempty" maxItems:"64" nullable:"false" doc:"Proposals that this one replaces."`
	Unsigned     bool        `json:"unsigned,omitempty" doc:"Do not approve it at once."`
	RequestID    string      `json:"request_id,omitempty" minLength:"1" maxLength:"128" doc:"The same id gives the same proposal, however often it is sent."`
	Allow        []string    `json:"allow,omitempty" maxItems:"16" nullable:"false" doc:"Rules to override, by name."`
	Bumps        string      `json:"bumps,omitempty" minLength:"32" maxLength:"64" doc:"A proposal to pay once more, to the same payees, with a higher fee rate."`
	Cancels      string      `json:"cancels,omitempty" minLength:"32" maxLength:"64" doc:"A proposal of which all coins are taken back."`
	Rescues      string      `json:"rescues,omitempty" minLength:"64" maxLength:"64" doc:"A transaction in no block, of which what it pays the wallet is spent to the wallet, so that both together pay the fee rate (CPFP)."`
	Below        float64     `json:"consolidates_below,omitempty" minimum:"0" maximum:"100000" doc:"Spend the wallet's smallest confirmed coins to itself, 200 at most, where the fee rate is below so many satoshis per virtual byte; refused otherwise (fee_not_below)."`
	ParentFee    int64       `json:"parent_fee,omitempty" minimum:"0" maximum:"2100000000000000" doc:"With rescues: what that one pays, where no proposal says so; 0 for nothing."`
	Draft        string      `json:"draft,omitempty" minLength:"128" maxLength:"128" doc:"What a preview of the same request said: just that is proposed, or it is refused (draft_changed)."`
}

// ProposalQuery selects proposals of a wallet, newest first.
type ProposalQuery struct {
	Status string
	Cursor string
	// Limit is at most MaxPage; 0 is DefaultPage.
	Limit int
}

// HistoryQuery selects a page of a wallet's history, newest first.
type HistoryQuery struct {
	Cursor string
	// Since and Until bound the times of blocks, as miners claim them: from Since on,
	// before Until. Zero is no bound; what is unconfirmed is later than all.
	Since, Until time.Time `json:",omitzero"`
	// Limit is at most MaxPage; 0 is DefaultPage.
	Limit int
}

// How many items a page holds.
const (
	DefaultPage = 50
	MaxPage     = 500
)

// Approve asks this node to sign.
type Approve struct {
	BumpTo  *int64   `json:"bump_to,omitempty" minimum:"0" maximum:"2100000000000000" doc:"Sign bumps of it with a fee up to this without asking again: same coins, same payees, only the change gets less. 0 ends that."`
	BumpFor int64    `json:"bump_for,omitempty" minimum:"0" maximum:"1209600" doc:"Seconds for which that holds; 0: as long as the proposal lives, 14 days at most."`
	TxID    string   `json:"txid,omitempty" minLength:"64" maxLength:"64" doc:"Refuse (draft_changed) unless the proposal is of this transaction, which its user was shown."`
	Allow   []string `json:"allow,omitempty" maxItems:"16" nullable:"false" doc:"Rules to override, by name."`
	// Unless, if set, is asked of what is shown of the proposal in the step that signs
	// it, and refuses with an error.
	Unless func(Proposal) error `json:"-"`
}

// Reject votes against a proposal.
type Reject struct {
	Reason string `json:"reason" minLength:"1" maxLength:"1024"`
	// Unless is as of Approve.
	Unless func(Proposal) error `json:"-"`
}

// Comment says something about a proposal.
type Comment struct {
	Text      string   `json:"text" minLength:"1" maxLength:"1000"`
	RequestID string   `json:"request_id,omitempty" minLength:"1" maxLength:"128" doc:"The same id says it once, however often it is sent."`
	Allow     []string `json:"allow,omitempty" maxItems:"16" nullable:"false" doc:"Rules to override, by name."`
}

// AddPeer makes an address known to the node.
type AddPeer struct {
	Multiaddr string `json:"multiaddr" minLength:"1" maxLength:"512" doc:"With /p2p/ and the peer id at its end."`
}
