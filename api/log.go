package api

import (
	"context"
	"io"
	"time"
)

// LogBackend is what the members of a node's wallets did.
type LogBackend interface {
	// Presence says which cosigners were seen, and whether enough can sign.
	Presence(ctx context.Context, wallet string) (Presence, error)
	// Log lists the entries of a wallet's journal, newest first.
	Log(ctx context.Context, wallet string, q LogQuery) (Page[LogEntry], error)
	// ExportLog writes the log as a file that proves itself (package audit/proof),
	// signed by this node.
	ExportLog(ctx context.Context, wallet string, r ExportLog, w io.Writer) error
}

// Presence is which cosigners of a wallet were seen, and whether enough can sign.
type Presence struct {
	Wallet     string `json:"wallet"`
	WalletName string `json:"wallet_name"`
	Threshold  int    `json:"threshold" doc:"How many must sign."`
	// Margin is negative where too few were seen.
	Margin  int                    `json:"margin" doc:"How many of the keys that were seen signing could be lost, and the others still spend; negative where too few were seen."`
	SeenFor int                    `json:"seen_for_days" doc:"For how many days a key counts as one that can sign after it was seen to."`
	Members List[CosignerPresence] `json:"members" doc:"In the order of the roster."`
}

// CosignerPresence is when a cosigner was seen.
type CosignerPresence struct {
	Cosigner  Person     `json:"cosigner"`
	Own       bool       `json:"own" doc:"This node's."`
	Host      *Person    `json:"host" doc:"Whose node enters its signatures, of one without a node; null for most."`
	Connected bool       `json:"connected"`
	LastSeen  *time.Time `json:"last_seen" doc:"When this node was last connected to its node; null for never, and for this node's own."`
	Holds     *bool      `json:"holds_own" doc:"Whether its node says that it holds all that this node wrote; null for this node's own and one without a node."`
	// LastSigned is as claimed.
	LastSigned *time.Time `json:"last_signed" doc:"When its key's last signature on a payment was entered, as its author claims; null for never."`
	// LastPing is of the question, as its asker claims: what the answer proves is of later.
	LastPing  *time.Time `json:"last_ping" doc:"When the latest ping that its key answered was asked, as its asker claims; null for never."`
	AskedBy   *Person    `json:"ping_asked_by" doc:"Who asked that; null for never."`
	KeyProven *time.Time `json:"key_proven" doc:"When its record came with a proof that somebody holds the key; null for a key that nothing proves."`
	Counts    bool       `json:"counts" doc:"Whether the key counts as one that can sign."`
	Due       bool       `json:"ping_due" doc:"Whether it is time to ping, for this key: it was not seen for 90 days."`
}

// LogContent is the media type of an exported log: lines of JSON.
const LogContent = "application/vnd.quorate.log+jsonl"

// ExportLog says what of a log to open. The rest is in the file, sealed.
type ExportLog struct {
	// Proposals are ids, or unique prefixes.
	Proposals []string `json:"proposals,omitempty" maxItems:"1000" doc:"Open what is about these, and who is who; left out, everything."`
	// WithoutKeys leaves sealed what holds the xpubs.
	WithoutKeys bool `json:"without_keys,omitempty" doc:"Leave the cosigners' records sealed, which hold their xpubs: nobody learns addresses, and names are not tied to keys."`
}

// LogQuery selects a page of the log. A page may hold less than the limit, or
// nothing, and not be the last one: a node looks at a bounded number for each.
type LogQuery struct {
	// By is a cosigner: name, peer id, or fingerprint of the key; empty for all.
	By string
	// Kinds are names of kinds of entries; none for all.
	Kinds []string
	// Proposal is the id of one, or a unique prefix; empty for any.
	Proposal string
	// Since and Until bound the time that authors claim; zero for no bound.
	Since, Until time.Time
	Cursor       string
	// Limit is at most MaxPage; 0 is DefaultPage.
	Limit int
}

// LogEntry is what one entry of the journal says.
type LogEntry struct {
	Entry string     `json:"entry" doc:"Its id: 64 hex characters."`
	Time  *time.Time `json:"time" doc:"When it was written, as its author claims; null where it could not be read."`
	By    Person     `json:"by" doc:"Who signed it."`
	Kind  Text       `json:"kind" doc:"What was done, such as approved; null where it could not be read."`
	Text  Text       `json:"text" doc:"The same as a sentence that follows the name; null where it could not be read."`
	// Proposal is there where it is about one.
	Proposal Text `json:"proposal" doc:"The proposal that it is about; null for none."`
	Tainted  bool `json:"tainted" doc:"True past a fork, a restore or the end of its author's identity: only what proves itself counts, such as a signature."`
	Inert    Text `json:"inert" doc:"The rule that it breaks, so that it has no effect; null where it breaks none."`
	Unread   Text `json:"unread" doc:"Why it could not be read; null where it was."`
	// Incarnation and Seq place it among those of its author.
	Incarnation uint8  `json:"incarnation" doc:"1, and one more after each restore of its author."`
	Seq         uint64 `json:"seq" doc:"Its number in that, from 1."`
}
