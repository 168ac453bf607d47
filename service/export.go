package service

import (
	"context"
	"errors"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/wallet/formats"
)

// ExportWallet implements api.Backend.
func (n *Node) ExportWallet(_ context.Context, ref, format string) (api.WalletFile, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.WalletFile{}, err
	}
	m := a.Machine()
	active := m.State.Active()
	if active == nil {
		// Before all have compared the words, a descriptor may be one with a key of
		// somebody in between: nobody shall receive to it.
		return api.WalletFile{}, api.Refuse(refusal.NotActive, "export: the wallet is not active: "+m.Missing(), "export it when all have ratified")
	}
	w := formats.Wallet{Descriptor: active.Descriptor, Name: m.Name(), KeyNames: make([]string, len(active.Members))}
	for _, member := range active.Members {
		w.KeyNames[member.Index] = member.Called()
	}
	if format == "page" {
		text, err := page(w)
		if err != nil {
			return api.WalletFile{}, n.apiError(err)
		}
		return api.WalletFile{Wallet: summary(a).Wallet, Format: format, Content: text}, nil
	}
	raw, err := formats.Write(w, formats.Format(format))
	switch {
	case errors.Is(err, formats.ErrUnsorted):
		return api.WalletFile{}, api.Refuse("format_unsorted", "export: "+err.Error(), "use --format descriptor, bsms, core or sparrow")
	case err != nil:
		return api.WalletFile{}, n.apiError(err)
	}
	return api.WalletFile{Wallet: summary(a).Wallet, Format: format, Content: string(raw)}, nil
}
