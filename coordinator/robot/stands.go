package robot

import (
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/policy"
)

// maxCopies is how many entries of one transaction are looked at for votes. Anybody may enter
// it again; where there are more, nothing is signed.
const maxCopies = 1024

// approved are the keys whose members approved a proposal: they signed all of the transaction
// as it states it, and the last approval of the identity that holds the key now is for this
// very entry and was given by a person. Of one without a node, whose host says so of it, the
// entry counts that its host first carried its signature to.
func approved(s group.State, p *group.Proposal) (out policy.Keys) {
	for k, m := range s.Active().Members {
		switch a, ok := s.LastApproval(p, m.Identity); {
		case !s.Signed(p, k):
		case m.Hosted() && s.HostCarriedTo(p, k):
			out |= policy.KeysOf(policy.Key(k))
		case !m.Hosted() && ok && a.Through == (chainhash.Hash{}):
			out |= policy.KeysOf(policy.Key(k))
		}
	}
	return out
}

// rejected are the keys whose members stand against a transaction, whichever entry of it they
// voted on. Of what a member says of one entry the last counts, that of the latest identity;
// to have signed it does not take it back. Who approves this entry after it is not against
// it any more. All is false where there are more entries than are looked at.
func rejected(s group.State, p *group.Proposal) (out policy.Keys, all bool) {
	looked := 0
	for _, q := range s.ProposalsOf(mapkey.Of(p.TxID), group.ByTxProposal(mapkey.Of(p.TxID))) {
		if looked++; looked > maxCopies {
			return out, false
		}
		for _, v := range lastOfKeys(s, q) {
			if v.vote.Against && !out.Has(v.key) && !approvedSince(s, p, int(v.key), v.vote.Ref) {
				out |= policy.KeysOf(v.key)
			}
		}
	}
	return out, true
}

// keyVote is what the latest identity of a key that voted said last.
type keyVote struct {
	key   policy.Key
	place int // of the identity
	vote  group.Vote
}

// lastOfKeys are the votes on an entry, one for each key.
func lastOfKeys(s group.State, q *group.Proposal) (out []keyVote) {
	for _, v := range s.LastVotes(q.Ref.ID) {
		k, place, ok := placeOf(s, v.Ref.Chain.Author)
		if !ok {
			continue
		}
		i := slices.IndexFunc(out, func(x keyVote) bool { return x.key == k })
		switch {
		case i < 0:
			out = append(out, keyVote{k, place, v})
		case place > out[i].place:
			out[i] = keyVote{k, place, v}
		}
	}
	return out
}

// approvedSince says whether a member approved a proposal later than an entry of its own.
func approvedSince(s group.State, p *group.Proposal, key int, than group.Ref) bool {
	m := s.Active().Members[key]
	a, ok := s.LastApproval(p, m.Identity)
	if !ok || a.Through != (chainhash.Hash{}) || !s.Signed(p, key) {
		return false
	}
	if a.Ref.Chain.Author != than.Chain.Author {
		return true // it is the identity's that came after
	}
	return a.Ref.Chain.Incarnation > than.Chain.Incarnation ||
		a.Ref.Chain.Incarnation == than.Chain.Incarnation && a.Ref.Seq > than.Seq
}
