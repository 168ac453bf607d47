package refusal

// The codes.
const (
	// Of a wallet that is being set up.
	NotReady      = "not_ready"
	WordsDiffer   = "words_differ"
	AlreadyActive = "already_active"
	Abandoned     = "abandoned"
	NoPlace       = "no_place_left"
	NotFounder    = "not_the_founder"
	WrongNetwork  = "wrong_network"
	KeyTaken      = "key_taken"
	BadKey        = "bad_key"
	KeyOrigin     = "key_origin"
	Proof         = "bad_proof"
	Proved        = "key_entered"
	NotExternal   = "key_not_external"
	NotHosted     = "not_hosted"
	Hosted        = "hosted_cosigner"
	UnprovenKey   = "unproven_key"
	BadName       = "bad_name"
	NameTaken     = "name_taken"
	BadHeight     = "bad_height"

	// Of a wallet as a whole.
	NotActive    = "wallet_not_active"
	WalletFailed = "wallet_failed"
	Archived     = "archived"
	NotEmpty     = "wallet_not_empty"
	NoKey        = "no_key"
	OwnChain     = "own_chain_forked"
	Superseded   = "superseded"
	Replaced     = "replaced"
	CatchingUp   = "catching_up"
	Rekey        = "epoch_not_counted"
	Outdated     = "members_outdated"
	Pings        = "too_many_pings"
	NoRobot      = "no_robot"
	RobotSigns   = "robot_signs"
	Freezes      = "too_many_freezes"
	Policies     = "too_many_policies"
	NoFreeze     = "no_such_freeze"

	// Of a lost device.
	MemberOnline   = "member_online"
	AwaitsApproval = "awaits_approval"
	NoRival        = "not_contested"

	// Of an address.
	Gap = "address_gap"

	// Of a proposal, before it is written.
	Funds        = "insufficient_funds"
	Dust         = "dust"
	FeeUnknown   = "fee_unknown"
	ReplaceFee   = "replacement_fee"
	Fee          = "fee_too_high"
	FeeTooLow    = "fee_too_low"
	FeeNotBelow  = "fee_not_below"
	ChainTooLong = "chain_too_long"
	Change       = "change_out_of_range"
	Coin         = "bad_coin"
	CoinFrozen   = "coin_frozen"
	LockTime     = "locktime_ahead"

	UnconfirmedParent = "unconfirmed_parent"

	ChainBehind   = "chain_behind"
	ChainStale    = "chain_stale"
	DoublePayment = "possible_double_payment"
	RequestReused = "request_id_reused"
	DraftChanged  = "draft_changed"
	PeriodOpen    = "period_open"
	Unheard       = "others_unheard"
	TooHeavy      = "too_heavy"

	// Of a vote or a signature.
	NoProposal   = "no_such_proposal"
	NotAuthor    = "not_the_author"
	Conflict     = "conflicted"
	Withdrawn    = "withdrawn"
	Rejected     = "rejected"
	Comments     = "too_many_comments"
	Expired      = "expired"
	Frozen       = "frozen"
	AlreadyFinal = "already_final"
	SignGuard    = "sign_guard"
	Restored     = "restored_unsynced"
	MaybeSigned  = "maybe_signed"
	ExternalKey  = "external_key"

	// Of a PSBT.
	NotOfWallet   = "not_of_wallet"
	PSBTChanged   = "psbt_changed"
	PSBTSignature = "psbt_signature"
	PSBTUnsigned  = "psbt_unsigned"
)

// Code is a rule that refuses.
type Code struct {
	Name string
	// When says what it refuses, as the end of "it is refused where ...".
	When string
	// Override is the flag that repeats the command all the same, "--allow" with the
	// code; or "".
	Override string
}

// Group is the codes that have to do with one thing.
type Group struct {
	Of    string
	Codes []Code
}

// Codes returns every code there is.
func Codes() []Group {
	return []Group{
		{"Of a wallet that is being set up", []Code{
			{NotReady, "the words to compare, or what goes before them, are not there yet", ""},
			{WordsDiffer, "the words that the user compared are not this node's: somebody may sit between the cosigners", ""},
			{AlreadyActive, "the wallet is active, and the command is of the time before", ""},
			{Abandoned, "the wallet was given up before it became active", ""},
			{NoPlace, "every place of the wallet is taken", ""},
			{NotFounder, "only the founder does this", ""},
			{WrongNetwork, "the wallet is on another Bitcoin network than this node", ""},
			{KeyTaken, "another cosigner, or this node itself, brought the same key", ""},
			{BadKey, "the key given is none, or not of this wallet's kind", ""},
			{KeyOrigin, "the key is not where its origin says, or its origin is not where such keys belong (BIP48)", "--allow"},
			{Proof, "the signature that should prove a key does not", ""},
			{Proved, "the key is entered already", ""},
			{NotExternal, "this node's own key lives on it: nothing has to be proved or signed elsewhere", ""},
			{NotHosted, "this node hosts no cosigner of that name, or the wallet has none without a node", ""},
			{Hosted, "a cosigner without a node is in the roster", "--accept-hosted"},
			{UnprovenKey, "nothing shows that anybody holds a key of the roster", "--accept-unproven"},
			{BadName, "the name cannot be one", ""},
			{NameTaken, "another one has the name, or one that looks like it", ""},
			{BadHeight, "the height is none that this node's chain has", ""},
		}},
		{"Of a wallet as a whole", []Code{
			{NotActive, "the wallet is not active yet", ""},
			{WalletFailed, "what is stored of the wallet could not be opened", ""},
			{Archived, "the wallet was put aside on this node", ""},
			{NotEmpty, "the wallet holds coins, or has proposals under way", "--allow"},
			{NoKey, "this node holds no key of the wallet", ""},
			{OwnChain, "this node's own chain is forked: two copies of it ran", ""},
			{Superseded, "this node was restored elsewhere and goes on there", ""},
			{Replaced, "another device took this node's place", ""},
			{CatchingUp, "this node was restored and writes nothing before it has caught up with another member", ""},
			{Rekey, "a new secret of this node would not count any more", ""},
			{Outdated, "nodes of other members do not know what would be written, and would pass it over", "--allow"},
			{NoRobot, "this node is no robot", ""},
			{RobotSigns, "this node is a robot, which signs by its group's policy alone", ""},
			{Pings, "this node asked for signatures as often as the others count", ""},
			{Freezes, "this node froze the wallet as often as the others count", ""},
			{Policies, "its author proposed as many policies in the place of the same one as count", ""},
			{NoFreeze, "no freeze of the wallet that stands belongs to what was given", ""},
		}},
		{"Of a lost device", []Code{
			{MemberOnline, "the node to be replaced is online", "--allow"},
			{AwaitsApproval, "the others have to approve this device first: it proves no key", ""},
			{NoRival, "no replacement of that id waits for approval", ""},
		}},
		{"Of an address", []Code{
			{Gap, "too many addresses are handed out that nothing was paid to", ""},
		}},
		{"Of a proposal, before it is written", []Code{
			{Funds, "the coins do not suffice", ""},
			{Dust, "an output is too small to be relayed", ""},
			{FeeUnknown, "no fee rate is known", ""},
			{ReplaceFee, "a replacement pays less than this node's Bitcoin node takes (BIP125)", "--allow"},
			{FeeTooLow, "the fee rate is below what this node's Bitcoin node takes", "--allow"},
			{FeeNotBelow, "coins are to be gathered below a fee rate, and it is not", ""},
			{ChainTooLong, "it rests on more unconfirmed transactions than this node's Bitcoin node takes", "--allow"},
			{Fee, "the fee is above the bound", "--allow"},
			{Change, "change goes too far past the last address that was used", ""},
			{Coin, "a coin is not spendable, or not as the proposal states it", ""},
			{CoinFrozen, "a member froze a coin of it", "--allow"},
			{LockTime, "the locktime is ahead of this node's chain", ""},
			{UnconfirmedParent, "it spends a deposit that is in no block yet: its sender may replace it", "--allow"},
			{ChainBehind, "this node's chain does not show all that the rules need", ""},
			{ChainStale, "this node's chain was not synced for longer than ten seconds: what was spent since is not known", "--allow"},
			{DoublePayment, "somebody would be paid again", "--allow"},
			{RequestReused, "the request id was used for a request with other content", ""},
			{DraftChanged, "what was shown before would not come out any more: coins or the fee rate changed", ""},
			{PeriodOpen, "a recurring payment is due, and the one before may still be paid and is not", ""},
			{Unheard, "a recurring payment is due, and too few of the others were heard since this node started", ""},
			{TooHeavy, "the transaction would weigh more than nodes relay", ""},
		}},
		{"Of a vote or a signature", []Code{
			{NoProposal, "no proposal belongs to what was given", ""},
			{NotAuthor, "only its author withdraws a proposal", ""},
			{Conflict, "a coin of it was spent by another transaction", ""},
			{Comments, "this node commented on the proposal as often as the others show", ""},
			{Withdrawn, "the proposal was withdrawn by its author", ""},
			{Rejected, "so many stand against the proposal that it cannot be completed", "--allow"},
			{Expired, "the proposal's time is over", ""},
			{Frozen, "a member froze all spending from the wallet, and too few have lifted that", "--allow"},
			{AlreadyFinal, "the proposal has all the signatures it needs", ""},
			{SignGuard, "this node signed another transaction that spends the same coin", ""},
			{Restored, "this node was restored, and may have signed what it has not heard of yet", "--allow"},
			{MaybeSigned, "this node was restored, and its key may have signed another transaction with the same coin before", "--allow"},
			{ExternalKey, "this node's key signs elsewhere", ""},
		}},
		{"Of a PSBT", []Code{
			{NotOfWallet, "the PSBT spends no coins of the wallet", ""},
			{PSBTChanged, "the PSBT is not the one that was exported", ""},
			{PSBTSignature, "a signature in the PSBT is not valid", ""},
			{PSBTUnsigned, "the PSBT holds no signature", ""},
		}},
	}
}
