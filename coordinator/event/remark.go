package event

import (
	"unicode/utf8"

	"github.com/quorate/quorate/journal"
)

// The kinds of what members say that decides nothing.
const (
	KindNodeFeatures      Kind = 12
	KindProposalCommented Kind = 42
)

func remarkBody(k Kind) Body {
	switch k {
	case KindNodeFeatures:
		return &NodeFeatures{}
	case KindProposalCommented:
		return &ProposalCommented{}
	}
	return nil
}

// Limits of what members say.
const (
	maxFeatures = 256
	maxKind     = 1<<16 - 1
	// MaxCommentRunes is how many characters a comment has at most.
	MaxCommentRunes = 1000
)

// NodeFeatures says which kinds of events its author's node knows. A node writes it once
// after it starts with a version that knows others than it has said, so that what an
// older node would pass over is not written for it.
type NodeFeatures struct {
	Kinds []uint64 `cbor:"2,keyasint"` // ascending
}

// ProposalCommented is what its author has to say about a proposal. It has no effect.
type ProposalCommented struct {
	Proposal journal.EntryID `cbor:"2,keyasint"`
	Text     string          `cbor:"3,keyasint"`
}

// Kind returns KindNodeFeatures.
func (*NodeFeatures) Kind() Kind { return KindNodeFeatures }

// Kind returns KindProposalCommented.
func (*ProposalCommented) Kind() Kind { return KindProposalCommented }

func (b *NodeFeatures) Check() error {
	if len(b.Kinds) > maxFeatures {
		return badEvent("%d kinds of events", len(b.Kinds))
	}
	var last uint64
	for i, k := range b.Kinds {
		if k > maxKind || i > 0 && k <= last {
			return badEvent("kinds of events are not ascending, or out of range")
		}
		last = k
	}
	return nil
}

func (b *ProposalCommented) Check() error {
	if utf8.RuneCountInString(b.Text) > MaxCommentRunes {
		return badEvent("comment is over %d characters", MaxCommentRunes)
	}
	return CheckText("comment", b.Text, utf8.UTFMax*MaxCommentRunes, false)
}

// KnownKinds are the kinds that this version knows, ascending.
func KnownKinds() []uint64 {
	var out []uint64
	for k := range Kind(maxFeatures) {
		if NewBody(k) != nil {
			out = append(out, uint64(k))
		}
	}
	return out
}
