package coordinator

import (
	"fmt"
	"github.com/quorate/quorate/coordinator/robot"
	"slices"
	"time"

	"github.com/quorate/quorate/coordinator/refusal"
)

// StaleAfter is how long a node's Bitcoin node may be away, or behind, before what is
// known of the chain counts as old: long enough for a connection that is made again.
const StaleAfter = 10 * time.Second

// Synced says whether a wallet's view of the chain may be relied on, where it was so
// long ago that the backend was last synced: what status, metrics and rules go by.
func (m *Machine) Synced(chainAge time.Duration) bool {
	return m.View.Synced() && chainAge <= StaleAfter
}

// checkFresh refuses what rests on a chain that this node does not see any more: a coin
// may have been spent since, a payment made. It may be overridden by who knows better.
func (m *Machine) checkFresh(x asked) error {
	if x.chainAge <= StaleAfter || !m.View.Synced() || slices.Contains(x.allow, refusal.ChainStale) {
		return nil // what was not synced at all is chain_behind, which nothing overrides
	}
	return refusal.New(refusal.ChainStale, "this node's Bitcoin node has been away or behind for %s; what is known of the chain ends with block %d of %s",
		age(x.chainAge), m.View.Tip().Height, time.Unix(m.View.Tip().Time, 0).UTC().Format("2006-01-02 15:04 UTC")).
		WithHint("wait until `status` shows the chain synced; if you know that nothing happened since, repeat with --allow %s", refusal.ChainStale).MayOverride()
}

// age is a time for people, to the second below an hour and to the minute above.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours())/24)
}

// robotOnly refuses what a human would have a robot's key sign.
func (m *Machine) robotOnly(x asked) error {
	if m.desk.Mode != robot.Signs || x.robot {
		return nil
	}
	return refusal.New(refusal.RobotSigns, "this node is a robot: it signs what the group's policy lets it sign, and nothing else").
		WithHint("propose with --unsigned")
}
