package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"runtime/debug"
	"strconv"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/signer"
	"github.com/quorate/quorate/wallet"
)

// SignerOptions say which signer process to run.
type SignerOptions struct {
	// DataDir holds the keystore with the seed: another directory than that of
	// the node, and best another user's.
	DataDir    string
	Passphrase []byte
	// Socket is where nodes ask.
	Socket string
	// Users may ask, by name or number, besides the user who runs this.
	Users []string
	// Group is to own the socket, by name or number; empty leaves it to the user.
	Group string
	// Replacements lets a new node prove that it takes the place of a lost one.
	Replacements bool
	// Ceiling is the file of what is signed at most, Wallets that of the descriptors of the
	// wallets in which anything is; both are empty where all is signed.
	Ceiling, Wallets string
	Log              *slog.Logger
	// Ready, if not nil, is called once nodes are answered.
	Ready func()
}

// RunSigner holds a seed and signs for a node, until ctx ends. Errors are *api.Error.
func RunSigner(ctx context.Context, o SignerOptions) error {
	users, group, err := o.who()
	if err != nil {
		return err
	}
	content, err := Unlock(o.DataDir, "", o.Passphrase)
	if err != nil {
		return err
	}
	net := wallet.Network(content.Network)
	seed, err := wallet.MnemonicSeed(content.Mnemonic, content.MnemonicPassphrase)
	content.Zero()
	if err != nil {
		return api.Fail("keystore_corrupt", "the keystore holds no valid mnemonic", "make a signer with `quorate signer init`")
	}
	over, err := openCeiling(o, net)
	if err != nil {
		clear(seed)
		return err
	}
	if over != nil {
		defer func() { _ = over.Close() }()
		if len(users) == 1 {
			o.Log.Warn("the node runs as the user of this signer: whoever takes it over can change the ceiling and what is kept of it; give the signer a user of its own")
		}
	}
	seed, notLocked := locked(seed)
	defer unlocked(seed)
	debug.FreeOSMemory()
	weak := []error{Harden(), notLocked, lockMemory()}
	l, err := signer.Listen(o.Socket, group)
	if err != nil {
		return api.Fail("not_started", "the signer did not start: "+err.Error(), "see --socket")
	}
	for _, err := range weak {
		if err != nil {
			o.Log.Warn("the system does not protect the memory of this process", "error", err)
		}
	}
	o.Log.Info("signer is running", "socket", o.Socket, "network", net)
	if o.Ready != nil {
		o.Ready()
	}
	if err := signer.Serve(ctx, l, signer.Options{Network: net, Keys: signer.NewLocal(seed, net), Users: users, Replacements: o.Replacements, Ceiling: over, Log: o.Log}); err != nil {
		return api.Fail("failed", "the signer ended: "+err.Error(), "")
	}
	o.Log.Info("stopped")
	return nil
}

// who resolves the names of users and of the group.
func (o SignerOptions) who() (users []uint32, group int, err error) {
	users = []uint32{uint32(os.Getuid())}
	for _, name := range o.Users {
		u, err := user.Lookup(name)
		if err != nil {
			if u, err = user.LookupId(name); err != nil {
				return nil, 0, api.Misuse("bad_user", fmt.Sprintf("there is no user %.80q", name), "see --user")
			}
		}
		id, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, 0, api.Misuse("bad_user", fmt.Sprintf("user %.80q has no number", name), "see --user")
		}
		users = append(users, uint32(id))
	}
	if o.Group == "" {
		return users, -1, nil
	}
	g, err := user.LookupGroup(o.Group)
	if err != nil {
		if g, err = user.LookupGroupId(o.Group); err != nil {
			return nil, 0, api.Misuse("bad_group", fmt.Sprintf("there is no group %.80q", o.Group), "see --group")
		}
	}
	if group, err = strconv.Atoi(g.Gid); err != nil {
		return nil, 0, api.Misuse("bad_group", fmt.Sprintf("group %.80q has no number", o.Group), "see --group")
	}
	return users, group, nil
}

// openSigner says where the Bitcoin keys of a node are: in its keystore, or
// with a signer process, and never in both; or on devices alone, and then
// nothing is returned. One that cannot be reached yet is
// no error: the node is useful for voting without it.
func openSigner(ctx context.Context, o RunOptions, mnemonic, passphrase string) (seed []byte, remote *signer.Client, err error) {
	if o.Config.Signer == "" {
		if mnemonic == "" {
			return nil, nil, api.Misuse("no_signer", "the keystore holds no seed, and no signer is configured", "set `signer` to the socket of `quorate signer`, or to none where each key is on a device")
		}
		if seed, err = wallet.MnemonicSeed(mnemonic, passphrase); err != nil {
			return nil, nil, api.Fail("keystore_corrupt", "the keystore holds no valid mnemonic", "restore it from a backup")
		}
		if seed, err = locked(seed); err != nil {
			o.Log.Debug("the system does not protect the memory of the seed", "error", err)
		}
		return seed, nil, nil
	}
	if mnemonic != "" {
		return nil, nil, api.Refuse("two_seeds", "a signer is configured, but the keystore holds a seed of its own", "leave `signer` out, or make a node with `quorate init --set signer=SOCKET`")
	}
	if o.Config.Signer == config.NoSigner {
		return nil, nil, nil
	}
	remote = signer.Dial(o.Config.Signer, wallet.Network(o.Config.Network))
	if err := remote.Check(ctx); err != nil {
		o.Log.Warn("the signer does not answer; nothing can be signed until it does", "error", err)
	}
	return nil, remote, nil
}
