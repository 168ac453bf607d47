package app

import (
	"log/slog"

	"github.com/quorate/quorate/api"
)

// maxNoted is how many proposals are remembered to tell what is new of one. Of those
// that are forgotten the status is logged, and nobody's vote a second time.
const maxNoted = 4096

// logbook writes what happens to proposals: who proposed, signed, rejected, and each
// status. It names ids, wallets and cosigners; no amount, no address, no note.
type logbook struct {
	known map[string]noted
}

// noted is what was logged of a proposal.
type noted struct {
	status string
	votes  map[string]bool
}

// note logs what is new of a proposal.
func (b *logbook) note(log *slog.Logger, wallet string, p api.Proposal) {
	if b.known == nil || len(b.known) >= maxNoted {
		b.known = map[string]noted{}
	}
	was, known := b.known[p.Proposal]
	log = log.With("wallet", wallet, "proposal", p.Proposal)
	now := noted{p.Status, map[string]bool{}}
	say := func(what string, by api.Person) {
		key := what + "/" + by.Name
		if by.PeerID != nil {
			key = what + "/" + *by.PeerID
		}
		if now.votes[key] = true; !was.votes[key] && (known || fresh(p)) {
			log.Info(what, "by", by.Name, "status", p.Status, "signatures", p.Signed, "needed", p.Threshold)
		}
	}
	if !known && fresh(p) {
		log.Info("proposed", "by", p.Author.Name, "status", p.Status)
	}
	for _, a := range p.Approvals {
		say("approved", a.Cosigner)
	}
	for _, r := range p.Rejections {
		say("rejected", r.Cosigner)
	}
	if p.Status != was.status && (known || p.Status != "pending") {
		log.Info("proposal is "+p.Status, "status", p.Status, "before", was.status, "txid", p.TxID)
	}
	b.known[p.Proposal] = now
}

// fresh says whether a proposal may be heard of for the first time: it waits, or was
// final at once.
func fresh(p api.Proposal) bool { return p.Status == "pending" || p.Status == "final" }
