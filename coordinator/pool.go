package coordinator

import (
	"errors"
	"slices"
	"sort"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/wallet/coinselect"
)

// pool is what a transaction may be paid from.
type pool struct {
	take []ledger.ViewOut // spent in any case
	from []ledger.ViewOut // may be spent
}

// selectFrom spends all that is to be taken and, where that does not suffice, as few of
// the others as do, in their order: what is taken says already which inputs there are,
// so there is no choice left that would be worth hiding.
func selectFrom(req coinselect.Request, p pool) (coinselect.Selection, error) {
	for _, o := range slices.Concat(p.take, p.from) {
		req.Coins = append(req.Coins, coinselect.Coin{OutPoint: o.OutPoint, Amount: o.Amount})
	}
	if len(p.take) == 0 {
		return coinselect.Select(req)
	}
	worth := req.FeeRate.Fee((req.InputWeight + 3) / 4)
	chosen := make([]wire.OutPoint, 0, len(req.Coins))
	for _, o := range p.take {
		chosen = append(chosen, o.OutPoint)
	}
	for _, o := range p.from {
		if o.Amount > worth {
			chosen = append(chosen, o.OutPoint)
		}
	}
	if req.All > 0 { // all that brings something, and what is to be taken
		req.Chosen = chosen
		return coinselect.Select(req)
	}
	with := func(more int) (coinselect.Selection, error) {
		r := req
		r.Chosen = chosen[:len(p.take)+more]
		return coinselect.Select(r)
	}
	var funds coinselect.ErrInsufficientFunds
	most := len(chosen) - len(p.take)
	more := sort.Search(most, func(n int) bool {
		_, err := with(n)
		return !errors.As(err, &funds)
	})
	return with(more)
}

func selectionRefusal(err error) error {
	var funds coinselect.ErrInsufficientFunds
	var dust coinselect.DustError
	switch {
	case errors.As(err, &funds):
		return refusal.New(refusal.Funds, "the coins that may be spent hold %s, needed are %s", display.Amount(funds.Have), display.Amount(funds.Need)).
			WithHint("see `quorate coins`; coins of live proposals are leased")
	case errors.As(err, &dust):
		return refusal.New(refusal.Dust, "output %d pays %s, and less than %s is not relayed", dust.Output+1, display.Amount(dust.Amount), display.Amount(dust.Limit)).
			WithHint("send more: an output this small costs more to spend than it holds")
	case errors.Is(err, coinselect.ErrTooHeavy):
		return refusal.New(refusal.TooHeavy, "one transaction cannot spend so many coins: it would weigh more than nodes relay").
			WithHint("pay in several transactions, each with coins named by --coin")
	}
	return err
}
