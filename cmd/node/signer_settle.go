package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/app"
)

// outstanding is the answer of `signer settle`.
type outstanding struct {
	Items []app.Outstanding `json:"items"`
}

func (c *cli) signerSettleCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "settle [TXID | TXID:N]...",
		Short: "Say what of that which a signer with a ceiling signed is final",
		Long: `Say which transactions that a signer with a ceiling signed are final: mined, and so deep that they stay. Until then a signature counts
against the ceiling, however long ago it was made, since it can be used for ever; afterwards what it took counts for one window more.
The signer knows no chain, so it goes by your word: look each one up elsewhere than with the node that asks it. TXID:N is a coin
that something else spent, or that does not exist: what was signed to spend it can never be mined, and counts no more.
Without arguments, and afterwards, it lists what is outstanding. The signer may be running. It runs in the signer's data
directory, as its user; it needs no passphrase.
JSON: {"items":[{"txid","coins":["TXID:N"],"takes"}]}; takes is in satoshis, with the fee.`,
		RunE: c.action(func(_ context.Context, args []string) error {
			items, err := app.SettleSigned(c.dataDir, args)
			if err != nil {
				return err
			}
			return answer(c, outstanding{items}, func(w io.Writer, all outstanding) {
				if len(all.Items) == 0 {
					fmt.Fprintln(w, "none")
					return
				}
				rows := [][]string{{"TRANSACTION", "TAKES", "COINS"}}
				for _, x := range all.Items {
					rows = append(rows, []string{x.TxID, formatAmount(x.Takes), strings.Join(x.Coins, " ")})
				}
				table(w, rows)
			})
		}),
	}
}
