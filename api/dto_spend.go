package api

import "time"

// Draft is what a request to propose would come to: nobody holds it, and nothing was
// written, leased or signed.
type Draft struct {
	// Draft names it, in a request to propose just that.
	Draft      *string        `json:"draft" doc:"To send along with the same request: just this is proposed then, or nothing. Null where the request was answered before."`
	Proposal   *string        `json:"proposal" doc:"The proposal that the same request id gave before; null for a new one."`
	Wallet     string         `json:"wallet"`
	WalletName string         `json:"wallet_name"`
	TxID       string         `json:"txid"`
	Inputs     List[TxInput]  `json:"inputs"`
	Outputs    List[TxOutput] `json:"outputs"`
	Sends      int64          `json:"sends" doc:"What goes to others, without the fee."`
	Fee        int64          `json:"fee"`
	FeeRate    float64        `json:"fee_rate"`
	FeeSource  string         `json:"fee_source" enum:"given,estimate,blocks,made" doc:"Where the fee rate is from: the request; an estimate of the Bitcoin node; an estimate of this light client from what was paid in the last blocks; or what it takes to replace what is cancelled."`
	Change     int64          `json:"change" doc:"Amount that comes back, 0 for none."`
	Note       Text           `json:"note" doc:"Null where there is none."`
	Expires    *time.Time     `json:"expires" doc:"About when it would expire: it is counted from when it is proposed."`
	Replaces   List[string]   `json:"replaces" doc:"Proposals that it would replace: those named, and those given up that pay the same, or hold its coins."`
	// Signs is what proposing it does with this node's key.
	Signs            bool          `json:"signs" doc:"Whether proposing it signs it with this node's key at once."`
	External         bool          `json:"external" doc:"This node's key is on a device: it is signed by way of an exported PSBT."`
	Threshold        int           `json:"threshold" doc:"How many cosigners must sign in all."`
	UnconfirmedCount int           `json:"unconfirmed_count" doc:"How many of its inputs are not confirmed yet."`
	LeftCount        int           `json:"left_count" doc:"Where all is sent: how many coins stay, since they are leased, not spendable yet, or cost more than they hold."`
	Left             int64         `json:"left" doc:"What those coins hold."`
	Warnings         List[Warning] `json:"warnings" doc:"Rules that refuse it, and that the request overrides by name."`
	Cautions         List[Caution] `json:"cautions" doc:"What to look at before it is proposed; none of it refuses."`
}

// What may wait for a node's user.
const (
	PendingApprove     = "approve"             // a proposal waits for this node's signature
	PendingSign        = "sign_elsewhere"      // the same, and this node's key is on a device
	PendingRatify      = "ratify"              // the words are to be compared
	PendingProve       = "prove"               // this node's external key waits for its proof
	PendingProveHosted = "prove_hosted"        // that of a cosigner whom it hosts
	PendingReplacement = "approve_replacement" // another cosigner's new device
	PendingPing        = "answer_ping"         // this node's device, or that of a cosigner whom it hosts, is to answer a ping
	PendingPingDue     = "ping"                // a cosigner's key was not seen for long
)

// Pending is something that waits for a node's user.
type Pending struct {
	Kind        string     `json:"kind" enum:"approve,sign_elsewhere,ratify,prove,prove_hosted,approve_replacement,answer_ping,ping"`
	Wallet      string     `json:"wallet"`
	WalletName  string     `json:"wallet_name"`
	Proposal    *string    `json:"proposal" doc:"Of a proposal; null otherwise."`
	TxID        *string    `json:"txid" doc:"Of a proposal; null otherwise."`
	Sends       *int64     `json:"sends" doc:"What a proposal pays to others, without its fee; null where it is none."`
	Fee         *int64     `json:"fee" doc:"Of a proposal; null otherwise."`
	Person      *Person    `json:"person" doc:"Who proposed it, or whose key or device it is, of several the first; null where it is this node's own."`
	Note        Text       `json:"note" doc:"The author's words, unverified; null where there are none."`
	Created     *time.Time `json:"created" doc:"Of a proposal or a ping, as its author claims; null otherwise."`
	Expires     *time.Time `json:"expires" doc:"Of a proposal; null where it does not expire."`
	SignedCount *int       `json:"signed_count" doc:"How many signed the proposal, or approved the replacement; null otherwise."`
	Needed      *int       `json:"threshold" doc:"How many must; null where that is not the question."`
	Command     string     `json:"command" doc:"The command line that does it."`
}

// PendingQuery selects a page of what waits.
type PendingQuery struct {
	Cursor string
	// Limit is at most MaxPage; 0 is DefaultPage.
	Limit int
}

// AddressItem is a receiving address that was handed out or paid.
type AddressItem struct {
	Address      string  `json:"address"`
	Index        uint32  `json:"index"`
	Used         bool    `json:"used" doc:"Whether a transaction that this node knows pays it."`
	PaymentCount int     `json:"payment_count" doc:"How many outputs pay it."`
	Received     int64   `json:"received" doc:"What those hold together."`
	Unspent      int64   `json:"unspent" doc:"What of it is not spent."`
	HandedOutBy  *Person `json:"handed_out_by" doc:"The cosigner whose node handed it out first; null where none did."`
	Label        Text    `json:"label" doc:"A cosigner's words, unverified; null where there are none."`
}

// AddressQuery selects a page of addresses, the newest first.
type AddressQuery struct {
	// Unused leaves out those that were paid.
	Unused bool
	Cursor string
	// Limit is at most MaxPage; 0 is DefaultPage.
	Limit int
}
