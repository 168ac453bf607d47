package core

import (
	"context"
	"math"
	"time"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// policyEvery is how often the node is asked what its mempool takes: the least fee rate
// rises while it is full.
const policyEvery = time.Minute

// mempoolInfo is what getmempoolinfo says of what is taken. btcd says none of it. Fee
// rates are in bitcoins per 1,000 vbytes.
type mempoolInfo struct {
	Loaded      *bool   `json:"loaded"`
	Least       float64 `json:"mempoolminfee"`
	Relayed     float64 `json:"minrelaytxfee"`
	Incremental float64 `json:"incrementalrelayfee"`
	Cluster     int     `json:"limitclustercount"` // from v31 on
}

func (i mempoolInfo) policy() port.Policy {
	p := port.Policy{
		MinFeeRate:  max(perKVB(i.Least), perKVB(i.Relayed)),
		Incremental: perKVB(i.Incremental),
	}
	if i.Cluster > 0 && i.Cluster <= maxCluster {
		p.Cluster = i.Cluster
	}
	return p
}

// maxCluster is more than any node can take: it reckons with what it says.
const maxCluster = 1 << 16

// perKVB converts bitcoins per 1,000 vbytes; 0 for what is no fee rate.
func perKVB(btc float64) wallet.FeeRate {
	if !(btc > 0 && btc < 1) {
		return 0
	}
	return wallet.FeeRate(math.Round(btc * 1e8))
}

// lookPolicy asks the node what it takes, where that is due. A node that does not say
// is taken to be as most are.
func (b *Backend) lookPolicy(ctx context.Context) {
	b.mu.Lock()
	due := time.Since(b.policyAt) >= policyEvery
	b.mu.Unlock()
	if !due {
		return
	}
	var info mempoolInfo
	if err := b.rpc.call(ctx, &info, "getmempoolinfo"); err != nil && rpcCode(err) == 0 {
		return // asked again with the next look
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.policy, b.policyAt = info.policy(), time.Now()
}
