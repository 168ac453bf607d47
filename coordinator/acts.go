package coordinator

import (
	"slices"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
)

// Acts on a proposal: what a cosigner asks of its own node.
const (
	ActApprove  = "approve"
	ActReject   = "reject"
	ActWithdraw = "withdraw"
	ActReplace  = "replace"
	ActComment  = "comment"
)

// Idle is what an act comes to where nothing is left to do: it is answered as done, and
// nothing is written.
const Idle = "-"

// Standing is a status of a proposal, and what may be done then.
type Standing struct {
	Status group.Status
	// Means says when a proposal has it.
	Means string
	// Acts has, by act, the code that refuses it; or Idle, or "" where it is done.
	Acts map[string]string
}

// Standings is the table of the statuses, in the order in which the first that holds is
// taken, and of what may be done with a proposal of each. It is what the commands go by.
func Standings() []Standing {
	end := func(code string) map[string]string {
		return map[string]string{ActApprove: code, ActReject: code, ActWithdraw: code, ActReplace: code}
	}
	signed := map[string]string{ActApprove: Idle, ActReject: refusal.AlreadyFinal, ActWithdraw: refusal.AlreadyFinal}
	return []Standing{
		{group.StatusConfirmed, "its transaction is in a block", end(refusal.AlreadyFinal)},
		{group.StatusDead, "a coin of it was spent in a block by another transaction (shown as replaced where that one declares to replace it)", end(refusal.Conflict)},
		{group.StatusBroadcast, "a mempool that this node asks shows its transaction", signed},
		{group.StatusFinal, "it has the signatures of enough keys", signed},
		{group.StatusWithdrawn, "its author took it back", map[string]string{ActApprove: refusal.Withdrawn, ActWithdraw: Idle}},
		{group.StatusRejected, "so many stand against it that the others are too few", map[string]string{ActApprove: refusal.Rejected}},
		{group.StatusExpired, "its time is over, by the clock or the median time of the chain (BIP113), whichever is later", map[string]string{ActApprove: refusal.Expired}},
		{group.StatusReplaced, "its author proposed another in its place, or one that replaces it is final", nil},
		{group.StatusPending, "none of the above: it waits for signatures", nil},
	}
}

// mayAct asks the table whether an act may be done with a proposal; idle says that there
// is nothing left to do.
func (m *Machine) mayAct(act string, x asked) (idle bool, err error) {
	status := group.Derive(m.State, m.View, x.now, x.p)
	for _, row := range Standings() {
		if row.Status != status {
			continue
		}
		switch code := row.Acts[act]; {
		case code == Idle:
			return true, nil
		case code != "" && !(code == refusal.Rejected && (m.State.MyVote(x.p) || slices.Contains(x.allow, code))):
			return false, refusedAct(code)
		}
	}
	return false, nil
}

// refusedAct says why an act is refused.
func refusedAct(code string) *refusal.Refusal {
	switch code {
	case refusal.AlreadyFinal:
		return refusal.New(refusal.AlreadyFinal, "the proposal has all its signatures, which cannot be called back").
			WithHint("`quorate bump` pays the same with a higher fee and `quorate cancel` takes its coins back, as long as no block holds it")
	case refusal.Conflict:
		return refusal.New(refusal.Conflict, "an input of the proposal was spent by another transaction").WithHint("propose it again, with other coins")
	case refusal.Withdrawn:
		return refusal.New(refusal.Withdrawn, "the proposal was withdrawn by its author").WithHint("signatures that were released stay valid")
	case refusal.Expired:
		return refusal.New(refusal.Expired, "the proposal has expired").WithHint("propose it again")
	}
	return refusal.New(refusal.Rejected, "so many cosigners stand against the proposal that it cannot be completed").
		WithHint("who rejected it may approve it first; a signature that is given now completes it whenever one of them does: --allow %s", refusal.Rejected).MayOverride()
}

// askActs refuses to approve what the table says may not be.
func (m *Machine) askActs(x asked) error {
	_, err := m.mayAct(ActApprove, x)
	return err
}
