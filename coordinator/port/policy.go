package port

import "github.com/quorate/quorate/wallet"

// Policy is what the mempool of a chain backend takes. 0 is what is not known.
type Policy struct {
	// MinFeeRate is the least fee rate; Incremental what a replacement pays at least
	// for its own size, beyond what it replaces.
	MinFeeRate, Incremental wallet.FeeRate
	// Cluster is how many unconfirmed transactions may be connected (Bitcoin Core from
	// v31 on); Ancestors on how many one may rest, itself among them (before).
	Cluster, Ancestors int
}

// What Bitcoin Core takes by default: from v30 on, and before.
const (
	leastFeeRate   = wallet.FeeRate(100)
	oldIncremental = wallet.FeeRate(1000)
	// MaxAncestors is how many an unconfirmed transaction may rest on, itself among
	// them, for Bitcoin Core before v31, and so for most of the network.
	MaxAncestors = 25
)

// OrDefault is a policy where what is not known is as Bitcoin Core has it: the lowest fee
// rate that any version takes, and for the rest what every version takes.
func (p Policy) OrDefault() Policy {
	p.MinFeeRate = max(p.MinFeeRate, leastFeeRate)
	if p.Incremental <= 0 {
		p.Incremental = oldIncremental
	}
	if p.Cluster <= 0 && p.Ancestors <= 0 {
		p.Ancestors = MaxAncestors
	}
	return p
}
