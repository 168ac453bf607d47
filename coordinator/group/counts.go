package group

// Counts returns how many facts of each kind a State holds, by the name of the
// fact, with those of kinds of which there are none. It is for support and for
// tests: nothing is decided by it. What is derived (see epochBook, wants and
// backlog) is counted under "book.", "wants." and "backlog.".
func (s State) Counts() map[string]int {
	return map[string]int{
		"cuts":     s.cuts.Len(),
		"epochs":   s.epochs.Len(),
		"rekeys":   s.rekeys.Len(),
		"sealed":   s.sealed.Len(),
		"failures": s.failures.Len(),
		"inert":    s.inert.Len(),
		"bugs":     s.bugs.Len(),
		"unknown":  s.unknown.Len(),

		"admitted":  s.admitted.Len(),
		"records":   s.records.Len(),
		"rosters":   s.rosters.Len(),
		"reveals":   s.reveals.Len(),
		"ratified":  s.ratified.Len(),
		"abandoned": s.abandoned.Len(),
		"named":     s.named.Len(),

		"leases":      s.leases.Len(),
		"proposals":   s.proposals.Len(),
		"carriers":    s.carriers.Len(),
		"sigs":        s.sigs.Len(),
		"approvals":   s.approvals.Len(),
		"votes":       s.votes.Len(),
		"withdrawals": s.withdrawals.Len(),
		"comments":    s.comments.Len(),

		"replaced":        s.successions.Len(),
		"newcomers":       s.newcomers.Len(),
		"features":        s.features.Len(),
		"pings.asked":     s.pings.asked.Len(),
		"pings.answers":   s.pings.answers.Len(),
		"pings.early":     s.pings.early.Len(),
		"successionVotes": s.successionVotes.Len(),
		"labels":          s.labels.Len(),
		"freezes":         s.freezes.Len(),
		"stops":           s.stops.stated.Len(),
		"lifts":           s.stops.lifts.Len(),

		"book.full":         s.book.full.Len(),
		"book.given":        s.book.given.Len(),
		"book.users":        s.book.users.Len(),
		"book.asked":        s.book.asked.Len(),
		"book.under":        s.book.under.Len(),
		"book.waiting":      s.book.waiting.Len(),
		"book.ranked":       s.book.ranked.Len(),
		"book.asks":         s.book.asks.Len(),
		"book.strange":      s.book.strange.Len(),
		"book.answers":      s.book.answers.Len(),
		"wants.by":          s.wants.by.Len(),
		"wants.missing":     s.wants.missing.Len(),
		"backlog.proposals": s.backlog.proposals.Len(),
		"backlog.sigs":      s.backlog.sigs.Len(),
		"backlog.stating":   s.backlog.stating.Len(),
		"backlog.turns":     s.backlog.turns.Len(),
		"backlog.queued":    s.backlog.queued.Len(),
	}
}
