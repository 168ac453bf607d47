package api

import (
	"context"
	"time"
)

// PingBackend has every key of a wallet show that somebody holds it.
type PingBackend interface {
	// Ping asks every key for a signature, or joins the round that is open, and answers
	// with this node's own key. Where a device has to sign it says what.
	Ping(ctx context.Context, wallet string, r Ping) (Pinged, error)
	// AnswerPing enters what a device signed for the round that Ping handed out last.
	AnswerPing(ctx context.Context, wallet string, r AnswerPing) (Pinged, error)
}

// Ping asks for a round of signatures.
type Ping struct {
	For   string   `json:"for,omitempty" minLength:"1" maxLength:"64" doc:"Name of the cosigner without a node whose device is to sign; this node's key where left out."`
	New   bool     `json:"new,omitempty" doc:"Ask anew although a round of the last 7 days is open. A node asks once in 24 hours, whatever is sent."`
	Allow []string `json:"allow,omitempty" maxItems:"16" nullable:"false" doc:"Rules to override, by name: members_outdated."`
}

// AnswerPing gives the signature of a device back.
type AnswerPing struct {
	For       string `json:"for,omitempty" minLength:"1" maxLength:"64" doc:"As in the ping."`
	Signature string `json:"signature" minLength:"1" maxLength:"16384" doc:"Signature of the message, or the signed PSBT, in base64."`
}

// Pinged is a round of signatures, and how far one key is with it.
type Pinged struct {
	Wallet     string    `json:"wallet"`
	WalletName string    `json:"wallet_name"`
	Cosigner   Person    `json:"cosigner" doc:"Whose key it is: this node's, or that of the one without a node."`
	Round      string    `json:"round" doc:"Its id: 64 hex characters."`
	Asked      time.Time `json:"asked" doc:"When it was asked for, as its asker claims."`
	AskedBy    Person    `json:"asked_by"`
	New        bool      `json:"new" doc:"Whether this request asked for it."`
	Answered   bool      `json:"answered" doc:"Whether the key has answered it, or a later one."`
	Sign       *Proof    `json:"sign" doc:"What the device has to sign; null once it is answered, and for a key that this node holds."`
}
