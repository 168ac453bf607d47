package api

import (
	"context"
	"time"
)

// PolicyPastBackend is what a policy would have done, and whether robots told the truth.
type PolicyPastBackend interface {
	// SimulatePolicy runs a policy over all that was ever proposed in a wallet.
	SimulatePolicy(ctx context.Context, wallet string, r SimulatePolicy) (Simulation, error)
	// ReplayPolicy makes the verdicts of a wallet's robots again, in pages.
	ReplayPolicy(ctx context.Context, wallet string, q ReplayQuery) (Page[Replayed], error)
}

// SimulatePolicy is which policy to run, and over what.
type SimulatePolicy struct {
	Policy string     `json:"policy" minLength:"4" maxLength:"87384" doc:"Its canonical form (deterministic CBOR), in base64: what would be voted on. The command line makes it of a file."`
	Since  *time.Time `json:"since,omitempty" doc:"Only what was proposed then or later, as claimed; left out, all."`
	Cursor string     `json:"cursor,omitempty" maxLength:"20" doc:"The next of the page before."`
	Limit  int        `json:"limit,omitempty" minimum:"1" maximum:"500" doc:"How many proposals to list at most; left out, 50."`
}

// Simulation is what one robot of a policy would have done.
type Simulation struct {
	Wallet     string               `json:"wallet"`
	WalletName string               `json:"wallet_name"`
	Robot      Person               `json:"robot" doc:"The cosigner whose robot was simulated: the first of the policy's."`
	Proposals  int                  `json:"proposal_count"`
	Unsound    int                  `json:"unsound_count" doc:"Proposals that describe no transaction of the wallet: they are not among the others."`
	Signed     int                  `json:"sign_count"`
	Waiting    int                  `json:"wait_count"`
	Asked      int                  `json:"ask_count"`
	Denied     int                  `json:"deny_count"`
	Meters     List[SimulatedMeter] `json:"outflows" doc:"The largest outflow in any window of each meter of the policy."`
	Items      List[Simulated]      `json:"items" doc:"The proposals by claimed time, the oldest first."`
	Next       Text                 `json:"next" doc:"The cursor of the next page; null at the end."`
}

// SimulatedMeter is the most that a meter would have counted in any of its windows.
type SimulatedMeter struct {
	Meter  string        `json:"meter" doc:"Its name in the policy."`
	Limit  int64         `json:"limit"`
	Window int64         `json:"window_seconds"`
	Signed SimulatedMost `json:"signed" doc:"By what the robot would have signed, by when; a replacement adds only what it takes beyond what it replaces."`
	Mined  SimulatedMost `json:"mined" doc:"By what of that was mined, by the times of its blocks."`
}

// SimulatedMost is the largest amount in a window of a meter.
type SimulatedMost struct {
	Amount    int64      `json:"amount" doc:"Satoshis."`
	From      *time.Time `json:"from" doc:"When that window begins; null where nothing was."`
	Initiator *Person    `json:"initiator" doc:"Whose it is, of a meter for each initiator; null for others."`
	Recipient Text       `json:"recipient" doc:"Whose it is, of a meter for each recipient; null for others."`
}

// Simulated is what a robot would have made of a proposal, and what became of it.
type Simulated struct {
	Proposal string       `json:"proposal"`
	TxID     string       `json:"txid"`
	Time     time.Time    `json:"time" doc:"When it was proposed, as claimed."`
	By       Person       `json:"by"`
	Amount   int64        `json:"amount" doc:"What goes to others, satoshis."`
	Outcome  string       `json:"outcome" enum:"sign,wait,ask,deny" doc:"What it would have come to in the end."`
	At       time.Time    `json:"at" doc:"When it would have come to that."`
	Rule     *uint64      `json:"rule" doc:"Which rule decided, counted from 1; null where none did."`
	Name     Text         `json:"rule_name"`
	Codes    List[string] `json:"codes" doc:"Why, in codes: what of the rule does not hold, or which rule for every cosigner refuses it."`
	Status   string       `json:"status" enum:"pending,final,broadcast,confirmed,conflicted,dead,withdrawn,rejected,expired,replaced" doc:"What became of it."`
}

// ReplayQuery selects verdicts of robots, in the order of each robot's own journal.
type ReplayQuery struct {
	Since  time.Time
	Cursor string
	// Limit is at most MaxPage; 0 is DefaultPage.
	Limit int
}

// Replayed is what was found of a robot's verdict, or of a signature that no verdict goes before.
type Replayed struct {
	Entry    string             `json:"entry" doc:"The entry of the verdict, or of the signature: 64 hex characters."`
	Robot    Person             `json:"robot"`
	Time     time.Time          `json:"time" doc:"When it was written, as the robot claims."`
	Proposal string             `json:"proposal"`
	Outcome  *string            `json:"outcome" enum:"sign,wait,ask,deny" doc:"null: it is a signature without a verdict."`
	Differs  List[ReplayDiffer] `json:"differs" doc:"What is not as it should be; empty where the verdict agrees."`
	Open     List[ReplayOpen]   `json:"open" doc:"What this node cannot tell."`
}

// ReplayDiffer is a field of a verdict, or of its facts, that is not as it should be.
type ReplayDiffer struct {
	Field  string `json:"field"`
	Said   string `json:"said" doc:"As the robot wrote it."`
	Should string `json:"should" doc:"As this node works it out."`
}

// ReplayOpen is a field that a node cannot tell.
type ReplayOpen struct {
	Field string `json:"field"`
	Why   string `json:"why"`
}
