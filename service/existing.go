package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/filetext"
	"github.com/quorate/quorate/wallet"
	"github.com/quorate/quorate/wallet/formats"
)

// founding reads what a new wallet is to be, or which existing one the group is for.
func (n *Node) founding(ctx context.Context, r api.CreateWallet) (node.Founding, []api.Warning, error) {
	f := node.Founding{
		Name: r.Name, Threshold: r.Threshold, Cosigners: r.Cosigners, Script: wallet.ScriptType(r.Script),
		Addresses: n.inviteAddresses(), External: r.External, Allow: r.Allow,
	}
	if f.Script == "" {
		f.Script = wallet.DefaultScript
	}
	if err := n.checkExternal(r.External, r.Unproven); err != nil || r.From == "" {
		return f, nil, err
	}
	w, err := ReadWalletFile([]byte(r.From), string(n.parts.Network))
	if err != nil {
		return f, nil, err
	}
	if err := n.checkTwin(ctx, nil, w.Descriptor); err != nil {
		return f, nil, err
	}
	f.Descriptor = w.Descriptor
	if f.Birthday, err = n.existingBirthday(ctx, r.Birthday, w.Born); err != nil {
		return f, nil, err
	}
	if tip, err := n.chainTip(ctx); err == nil && f.Birthday > tip && n.parts.Chain.Health().Synced {
		return f, nil, api.Misuse("bad_birthday", fmt.Sprintf("there is no block %d yet: this node's chain ends with %d", f.Birthday, tip), "give a lower height, or a date")
	}
	var warnings []api.Warning
	for _, x := range w.Warnings {
		warnings = append(warnings, api.Warning{Code: x.Code, Message: x.Text})
	}
	return f, warnings, nil
}

// checkTwin refuses a wallet that shares scripts with another of this node: its
// money would count twice, and a coin that one leases would be free in the other.
// A wallet counts from when its keys are known, until it is abandoned, and not while
// it is archived: it hands out and signs nothing then. One that could not be opened
// counts where it may be this one.
func (n *Node) checkTwin(ctx context.Context, self *node.Actor, d *wallet.Descriptor) error {
	for _, a := range n.co.Wallets() {
		if a == self {
			continue
		}
		m := a.Machine()
		if m.State.Abandoned() || m.Archived() {
			continue
		}
		if has := descriptorOf(m); has != nil && has.SharesScripts(d) {
			return api.Refuse("wallet_exists", fmt.Sprintf("the wallet is on this node already, as %q", m.Name()), "use that one, see `quorate wallet list`, or put it aside first: `quorate wallet archive`")
		}
	}
	if f, ok := n.co.FailedTwin(ctx, d, self != nil && newKeyIn(self.Machine())); ok {
		return api.Fail(refusal.WalletFailed, fmt.Sprintf("the wallet %s on this node could not be opened, and may be this one: %v", cmp.Or(f.Name, f.Group.String()[:8]), f.Err),
			"stop the node and run `quorate doctor`")
	}
	return nil
}

// newKeyIn says whether a wallet is in the making, and this node's key in it one that its
// seed was asked for: no other wallet has it.
func newKeyIn(m *coordinator.Machine) bool {
	return m.State.Active() == nil && m.State.Genesis().Descriptor == "" && !m.External()
}

// descriptorOf returns what the scripts of a wallet are made by, as far as that is
// known: once it is active, while its roster is verified, and from the beginning
// where the group is for a wallet that there was before. Else nil.
func descriptorOf(m *coordinator.Machine) *wallet.Descriptor {
	if a := m.State.Active(); a != nil {
		return a.Descriptor
	}
	if r, ok := m.State.Roster(); ok && r.Descriptor != nil {
		return r.Descriptor
	}
	d, err := m.State.Genesis().Existing()
	if err != nil {
		return nil // it was read before the group was taken
	}
	return d
}

// ReadWalletFile reads the file of another wallet. A command line does so too
// before it gives the file to a node: what holds a private key goes no further.
// Errors are *api.Error.
func ReadWalletFile(content []byte, network string) (formats.Wallet, error) {
	w, _, err := formats.Parse(content, wallet.Network(network))
	return w, badWalletFile(err)
}

// OpenWalletFile is ReadWalletFile for a file that may be an encrypted record of
// BSMS (BIP129), with its token, or "". It returns the file as text, for a node
// to read. Errors are *api.Error, "token_needed" where a token is.
func OpenWalletFile(content []byte, network, token string) (string, error) {
	_, err := ReadWalletFile(content, network)
	if err != nil && token != "" {
		if content, err = formats.Decrypt(content, token); err != nil {
			return "", badWalletFile(err)
		}
		_, err = ReadWalletFile(content, network)
	}
	if err != nil {
		return "", err
	}
	text, _ := filetext.Text(content) // it was read as one
	return text, nil
}

// badWalletFile is the error of a wallet file that was not read: an *api.Error.
func badWalletFile(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, wallet.ErrWrongNetwork):
		return api.Refuse("wrong_network", err.Error(), "found the wallet on a node of its network")
	case errors.Is(err, formats.ErrTokenNeeded):
		return api.Misuse("token_needed", err.Error(), "give the token of the setup, which whoever began it has: --token")
	case errors.Is(err, formats.ErrToken):
		return api.Misuse("bad_token", err.Error(), "give the token of the setup as it is shown by whoever began it")
	}
	return api.Misuse("bad_wallet_file", err.Error(), "give the descriptor, or the file that the other wallet exports for cosigners")
}

// existingBirthday is the height from which an existing wallet's history is
// looked for: as given, else as its file says where that can be told, else 0.
func (n *Node) existingBirthday(ctx context.Context, given string, born int64) (int32, error) {
	if given == "" && born == 0 {
		return 0, nil
	}
	if height, err := strconv.ParseUint(given, 10, 31); err == nil {
		if height > math.MaxInt32/2 {
			return 0, api.Misuse("bad_birthday", fmt.Sprintf("height %d is no block's", height), "")
		}
		return max(0, int32(height)-1), nil // blocks are looked at after it
	}
	at := time.Unix(born, 0)
	if given != "" {
		var err error
		if at, err = time.ParseInLocation(time.DateOnly, given, time.UTC); err != nil {
			return 0, api.Misuse("bad_birthday", fmt.Sprintf("%.20q is neither a height nor a date", given), "write it as 840000 or 2024-04-20")
		}
	}
	dated, ok := n.parts.Chain.(port.Dated)
	if !ok {
		if given == "" {
			return 0, nil
		}
		return 0, api.Refuse("birthday_unknown", "this node's chain backend does not tell which block a date is", "give the height instead")
	}
	height, err := dated.HeightAt(ctx, at.Add(-24*time.Hour))
	if err != nil {
		if given == "" {
			return 0, nil
		}
		return 0, api.Refuse(refusal.ChainBehind, "the block of that date is not known yet: "+err.Error(), "wait until `status` shows the chain synced, or give the height")
	}
	return height, nil
}
