package neutrino

import (
	"sync"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// floors are the least fee rates that peers ask for (BIP133), in satoshis per 1,000
// vbytes, by address. Bitcoin Core may round them up by a tenth.
type floors struct {
	mu sync.Mutex
	by map[string]int64
}

// maxFloors bounds how many are kept, of whatever peers there were.
const maxFloors = 64

func (f *floors) set(addr string, rate int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, known := f.by[addr]; f.by == nil || !known && len(f.by) >= maxFloors {
		f.by = map[string]int64{}
	}
	f.by[addr] = rate
}

// Fee rates that Bitcoin Core asks a replacement for beyond what it replaces: that of its
// own default, or as it was before v30. It tells nobody, but begins to relay at the same
// rate by default.
const leastIncremental, mostIncremental = 100, 1000

// policy is what the least demanding of the peers takes: what not even that one does,
// none does. A peer that fetches the chain asks for more than anybody pays, and counts
// for nothing.
func (f *floors) policy() port.Policy {
	f.mu.Lock()
	defer f.mu.Unlock()
	least := int64(-1)
	for _, rate := range f.by {
		if rate >= 0 && rate < catchingUp && (least < 0 || rate < least) {
			least = rate
		}
	}
	if least < 0 {
		return port.Policy{}
	}
	return port.Policy{
		MinFeeRate:  wallet.FeeRate(least),
		Incremental: wallet.FeeRate(min(max(least, leastIncremental), mostIncremental)),
	}
}
