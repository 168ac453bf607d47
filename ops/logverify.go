package ops

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/audit"
	"github.com/quorate/quorate/audit/proof"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/service"
)

// LogProof is what an exported log proves, and what it does not say.
type LogProof struct {
	Wallet    string     `json:"wallet"`
	Name      api.Text   `json:"name"`
	Network   string     `json:"network"`
	Threshold int        `json:"threshold"`
	Exporter  api.Person `json:"exporter"`
	// AsOf is when, as the exporter claims; how far is in Frontier.
	AsOf time.Time `json:"as_of"`
	// Keys says that names are tied to keys, and Bitcoin signatures were verified.
	Keys      bool                   `json:"keys"`
	Only      api.List[string]       `json:"only"` // proposals that it is of; none for all
	Cosigners api.List[api.Person]   `json:"cosigners"`
	Entries   int                    `json:"entry_count"`
	Opened    int                    `json:"opened_count"`
	Sealed    api.List[SealedOf]     `json:"sealed"`
	Proposals api.List[ProvenVotes]  `json:"proposals"`
	Frontier  api.List[ChainEnd]     `json:"frontier"`
	Forks     api.List[ProvenFork]   `json:"forks"`
	Reused    api.List[string]       `json:"reused_nonces"` // entries whose nonce was used before
	Log       api.List[api.LogEntry] `json:"log"`           // where asked for
}

// SealedOf is how many entries of somebody are in the file and not opened.
type SealedOf struct {
	By    api.Person `json:"by"`
	Count int        `json:"entry_count"`
}

// ProvenVotes is a proposal, and who signed or stands against it.
type ProvenVotes struct {
	Proposal   string                  `json:"proposal"`
	TxID       api.Text                `json:"txid"` // null where nothing ties the proposal to keys
	Author     api.Person              `json:"author"`
	Status     api.Text                `json:"status"` // by the entries alone, without the chain
	Approvals  api.List[ProvenVote]    `json:"approvals"`
	Rejections api.List[api.Rejection] `json:"rejections"`
	// Mined is the exporter's word.
	Mined *proof.Mined `json:"mined"`
}

// ProvenVote is a key's signatures on every input that it signed, verified.
type ProvenVote struct {
	Cosigner   api.Person `json:"cosigner"`
	Time       time.Time  `json:"time"`
	Signatures int        `json:"signature_count"`
}

// ChainEnd is how far what somebody wrote goes in the file.
type ChainEnd struct {
	By          api.Person `json:"by"`
	Incarnation uint8      `json:"incarnation"`
	Seq         uint64     `json:"seq"`
	Loose       int        `json:"past_fork_count"`
}

// ProvenFork is proof that somebody wrote two entries for one place.
type ProvenFork struct {
	By          api.Person       `json:"by"`
	Incarnation uint8            `json:"incarnation"`
	Seq         uint64           `json:"seq"`
	Entries     api.List[string] `json:"entries"`
}

// VerifyLog checks an exported log, without a node, and says what it proves; with
// entries it tells each of them. A file that does not hold is refused (bad_log), and one
// of a newer version (newer_log).
func VerifyLog(r io.ReadSeeker, entries bool) (LogProof, error) {
	v, err := proof.Verify(r)
	switch {
	case errors.Is(err, proof.ErrNewer):
		return LogProof{}, api.Refuse("newer_log", err.Error(), "use a newer quorate")
	case badLog(err):
		return LogProof{}, api.Refuse("bad_log", err.Error(), "do not rely on this file: ask for another one")
	case err != nil:
		return LogProof{}, api.Fail("not_read", err.Error(), "")
	}
	s := v.State
	g := s.Genesis()
	out := LogProof{
		Wallet: s.Group().String(), Name: api.Text(s.Name()), Network: g.Network, Threshold: g.Threshold, Exporter: service.PersonIn(s, v.Exporter),
		AsOf: api.Time(v.AsOf), Keys: v.Keys, Entries: v.Entries, Opened: v.Opened,
	}
	for _, p := range v.Proposals {
		out.Only = append(out.Only, p.String())
	}
	for _, id := range v.Reused {
		out.Reused = append(out.Reused, id.String())
	}
	for _, t := range v.Frontier() {
		out.Frontier = append(out.Frontier, ChainEnd{service.PersonIn(s, t.Chain.Author), t.Chain.Incarnation, t.Seq, t.Loose})
		// Of each author once: chains are in order.
		if n := v.Sealed[t.Chain.Author]; n > 0 {
			out.Sealed = append(out.Sealed, SealedOf{service.PersonIn(s, t.Chain.Author), n})
			delete(v.Sealed, t.Chain.Author)
		}
	}
	for _, f := range s.Chains().Forks() {
		out.Forks = append(out.Forks, ProvenFork{service.PersonIn(s, f.Chain.Author), f.Chain.Incarnation, f.Seq, []string{f.A.String(), f.B.String()}})
	}
	if a := s.Active(); a != nil {
		for _, m := range a.Members {
			out.Cosigners = append(out.Cosigners, memberPerson(s, m))
		}
	}
	mined := map[string]*proof.Mined{}
	for _, m := range v.Mined {
		mined[m.TxID] = &m
	}
	for p := range s.ByTime(nil) {
		out.Proposals = append(out.Proposals, votesOn(v, p, mined))
	}
	if s.Active() == nil {
		for p := range s.AllProposals {
			out.Proposals = append(out.Proposals, votesOn(v, p, mined))
		}
	}
	if !entries {
		return out, nil
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return LogProof{}, api.Fail("not_read", err.Error(), "")
	}
	err = v.Tell(r, func(x audit.Entry) error {
		out.Log = append(out.Log, service.LoggedEntry(x, service.PersonIn(s, x.Chain.Author)))
		return nil
	})
	if err != nil {
		return LogProof{}, api.Fail("not_read", fmt.Sprintf("the file changed while it was read: %v", err), "")
	}
	return out, nil
}

// badLog says whether an error is of what is in a file.
func badLog(err error) bool {
	for _, is := range []error{
		proof.ErrFormat, proof.ErrCut, proof.ErrSignature, proof.ErrLink, proof.ErrSubkey, proof.ErrFrontier,
		proof.ErrRoster, proof.ErrExporter, proof.ErrClosing, proof.ErrTooLong,
	} {
		if errors.Is(err, is) {
			return true
		}
	}
	return false
}

func memberPerson(s group.State, m group.Member) api.Person {
	if m.Identity == (journal.Author{}) && m.Original == (journal.Author{}) {
		return api.Person{Name: m.Called()}
	}
	if m.Identity == (journal.Author{}) {
		return service.PersonIn(s, m.Original)
	}
	return service.PersonIn(s, m.Identity)
}

func votesOn(v *proof.Verified, p *group.Proposal, mined map[string]*proof.Mined) ProvenVotes {
	s := v.State
	x := ProvenVotes{Proposal: p.ID().String(), Author: service.PersonIn(s, p.Author())}
	a := s.Active()
	if a == nil || !p.Sound {
		return x
	}
	x.TxID, x.Status = api.Text(p.TxID.String()), api.Text(v.Status(p))
	x.Mined = mined[p.TxID.String()]
	against := s.Against(p)
	for k, m := range a.Members {
		if n := s.SignedInputs(p, k); n > 0 {
			first, _ := s.FirstApproval(p, uint32(k))
			x.Approvals = append(x.Approvals, ProvenVote{memberPerson(s, m), api.Time(time.UnixMilli(first.Ref.Time)), n})
		}
		if o, ok := against[k]; ok {
			x.Rejections = append(x.Rejections, api.Rejection{Cosigner: memberPerson(s, m), Reason: o.Reason, Time: api.Time(time.UnixMilli(o.Time))})
		}
	}
	return x
}
