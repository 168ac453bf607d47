package coordinator

import (
	"encoding/hex"
	"fmt"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// ProofKind says how a record shows that somebody holds the key's private part.
type ProofKind uint64

// The kinds of proofs. Numbers are never reused.
const (
	// ProofOwn: ECDSA by the account key itself over the record's hash.
	ProofOwn ProofKind = 0
	// ProofMessage: a Bitcoin signed message by the key's child 0/0.
	ProofMessage ProofKind = 1
	// ProofBIP322: BIP322's simple form by the P2WPKH address of the child 0/0.
	ProofBIP322 ProofKind = 2
	// ProofPSBT: the same signature, made by signing to_sign as a PSBT.
	ProofPSBT ProofKind = 3
	// ProofNone: nothing shows it. The other members see it and accept it.
	ProofNone ProofKind = 4
)

// String is the kind as people see it.
func (k ProofKind) String() string {
	switch k {
	case ProofOwn:
		return "own"
	case ProofMessage, ProofBIP322:
		return "message"
	case ProofPSBT:
		return "psbt"
	case ProofNone:
		return "none"
	}
	return "unknown"
}

// proofText is what an external key signs: one line of plain ASCII, at most 240
// characters, which is what the narrowest devices show and take.
func proofText(group journal.GroupID, identity journal.Author, hash [32]byte) string {
	return fmt.Sprintf("quorate key proof; wallet %s; node %s; record %s", group, hex.EncodeToString(identity[:]), hex.EncodeToString(hash[:]))
}

// checkProof verifies a record's proof of possession.
func (s State) checkProof(key wallet.Key, author journal.Author, b *MemberRecord) error {
	hash, text := b.claim(s.group, author)
	switch b.How {
	case ProofOwn:
		return key.VerifyHash(hash, b.Proof)
	case ProofNone:
		if len(b.Proof) != 0 {
			return fmt.Errorf("%w: a proof where none is claimed", ErrEvent)
		}
		return nil
	}
	child, err := key.ProofKey(wallet.Network(s.genesis.Network))
	if err != nil {
		return err
	}
	if b.How == ProofMessage {
		return child.VerifyMessage(text, b.Proof)
	}
	return child.VerifyBIP322(text, b.Proof)
}

// ProofRequest is what a device has to sign before this node's record can be written.
type ProofRequest struct {
	Text string
	Key  wallet.Key
	By   wallet.ProofKey
}

// ProofRequest returns what has to be signed. It refuses where this node's key
// is its own, or proved already.
func (m Machine) ProofRequest() (ProofRequest, error) {
	if m.local.External == "" {
		return ProofRequest{}, refuse(RuleNotExternal, "this node holds its own key of the wallet: there is nothing to prove")
	}
	if _, done := m.ownRecord(); done {
		return ProofRequest{}, refuse(RuleProved, "this node's key is entered already")
	}
	net := wallet.Network(m.State.genesis.Network)
	key, err := wallet.ParseKey(m.local.External, net)
	if err != nil {
		return ProofRequest{}, fmt.Errorf("read external key: %w", err)
	}
	by, err := key.ProofKey(net)
	if err != nil {
		return ProofRequest{}, err
	}
	st := m.State
	b := &MemberRecord{SealingKey: st.self.Sealing.Public(), Key: key.String()}
	_, text := b.claim(st.group, st.Me())
	return ProofRequest{Text: text, Key: key, By: by}, nil
}

// ownRecord returns this node's record, once it is written.
func (m Machine) ownRecord() (Record, bool) {
	return m.State.ownRecord(m.State.Me())
}

// External says whether the private part of this node's key lives elsewhere.
func (m Machine) External() bool {
	if m.local.External != "" {
		return true
	}
	r, ok := m.ownRecord()
	return ok && r.Body.How != ProofOwn
}

// AwaitsProof says whether this node's place waits for the proof of its key.
func (m Machine) AwaitsProof() bool {
	_, done := m.ownRecord()
	return m.local.External != "" && !done && m.local.Replaces == (journal.Author{}) && m.State.active == nil && !m.State.Abandoned()
}

// sameKeys returns the names of two members that brought one key, if any did:
// their roster can never be closed.
func (s State) sameKeys() (a, b string, same bool) {
	by := map[string]Record{}
	for r := range s.placed {
		old, ok := by[r.Key.XPub]
		if ok && (old.Ref.Chain.Author != r.Ref.Chain.Author || old.Body.Hosted != r.Body.Hosted) {
			return old.Body.Name, r.Body.Name, true
		}
		by[r.Key.XPub] = r
	}
	return "", "", false
}

// unproven returns the names of the other members whose keys nothing proves.
func (r *Roster) unproven(me journal.Author) []string {
	var out []string
	for _, m := range r.Members {
		if m.Proof == ProofNone && m.Identity != me {
			out = append(out, m.Called())
		}
	}
	return out
}
