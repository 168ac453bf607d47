package ops

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/app/backup"
	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/app/keystore"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/service"
)

// RestoreOptions say what to restore, and where.
type RestoreOptions struct {
	DataDir, File string
	// Identities is the text of an age identity file; empty for a backup that
	// is sealed to a passphrase.
	Identities string
	// SealPassphrase opens the backup, Passphrase seals the new keystore.
	SealPassphrase, Passphrase []byte
	// KeystorePassphrase opens a keystore that is sealed in the backup; Passphrase where
	// it is nil. AskKeystore, if not nil, is asked for another where that does not.
	KeystorePassphrase []byte
	AskKeystore        func() ([]byte, error)
	// Expect is the peer id that the backup must be of; empty for any.
	Expect string
	// KeepConfig takes over the servers that the backup's configuration names.
	KeepConfig bool
	// Allow are rules to go on against, by name: RuleBackupUnauthenticated.
	Allow []string
	// Show, if not nil, is told what the backup brings, before anything is written.
	Show func(BackupSummary)
	// Ask, if not nil, asks the user a question that is answered by yes or no.
	Ask func(question string) (bool, error)
	// Work is the cost of trying a passphrase; zero is keystore.DefaultWork.
	Work keystore.Work
	Log  *slog.Logger
}

// RestoreResult says what was restored.
type RestoreResult struct {
	DataDir string    `json:"data_dir"`
	Name    string    `json:"name"`
	Network string    `json:"network"`
	PeerID  string    `json:"peer_id"`
	Wallets int       `json:"wallet_count"`
	Entries uint64    `json:"entry_count"`
	Created time.Time `json:"created"`
	// WalletIDs are the wallets, Signed is whether its node signed the backup,
	// Dropped are the keys of its configuration that were not taken over.
	WalletIDs []string `json:"wallet_ids"`
	Signed    bool     `json:"signed"`
	Dropped   []string `json:"dropped"`
}

// Restore makes a node from a backup, in a data directory that holds nothing.
// The keystore is written last, once the whole file was read and agreed with
// its manifest: what an interrupted restore leaves does not start, and a
// further one begins anew. Errors are *api.Error.
func Restore(ctx context.Context, o RestoreOptions) (RestoreResult, error) {
	var none RestoreResult
	if len(o.Passphrase) == 0 && (o.Identities != "" || len(o.SealPassphrase) > 0) {
		return none, api.Refuse("empty_passphrase", "restore: the passphrase of the new keystore is empty", "choose one: whoever reads the keystore has the keys otherwise")
	}
	f, err := os.Open(o.File)
	if err != nil {
		if e := api.System("restore: the backup was not read", err); e != nil {
			return none, e
		}
		return none, api.Misuse("no_backup", "restore: "+err.Error(), "give the path of a backup")
	}
	defer func() { _ = f.Close() }()
	if err := app.OwnDir(o.DataDir); err != nil {
		return none, err
	}
	if err := vacant(o.DataDir); err != nil {
		return none, err
	}
	if o.KeystorePassphrase == nil {
		o.KeystorePassphrase = o.Passphrase
	}
	sum, err := summarize(f, &o)
	if err != nil {
		return none, restoreError(o.DataDir, err)
	}
	keep, err := o.agree(sum)
	if err != nil {
		return none, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return none, restoreError(o.DataDir, err)
	}
	in, err := openBackup(f, &o)
	if err != nil {
		return none, restoreError(o.DataDir, err)
	}
	if err := leave(o.DataDir); err != nil {
		return none, notWritten(err)
	}
	made, err := makeDir(o.DataDir)
	if err != nil {
		return none, notWritten(err)
	}
	result, err := restoreInto(ctx, &o, in, sum, keep)
	if err != nil {
		err = errors.Join(restoreError(o.DataDir, err), leave(o.DataDir))
		if made {
			// Fails where something else was put into it meanwhile, which is then kept.
			_ = os.Remove(o.DataDir)
		}
		return none, restoreError(o.DataDir, err)
	}
	return result, nil
}

func openBackup(f io.Reader, o *RestoreOptions) (*backup.Reader, error) {
	plain, err := backup.Unseal(f, o.Identities, o.SealPassphrase)
	if err != nil {
		return nil, err
	}
	return backup.NewReader(plain)
}

// restoreInto writes what agreed with the summary when it was read before.
func restoreInto(ctx context.Context, o *RestoreOptions, in *backup.Reader, sum BackupSummary, keep bool) (RestoreResult, error) {
	r := RestoreResult{
		DataDir: o.DataDir, Name: sum.Name, Network: sum.Network, PeerID: sum.PeerID, Created: sum.Created,
		Signed: sum.Signed, WalletIDs: []string{}, Dropped: []string{},
	}
	for _, w := range sum.Wallets {
		r.WalletIDs = append(r.WalletIDs, w.Wallet)
	}
	if err := keystore.WriteFile(filepath.Join(o.DataDir, restoringName), []byte("a restore did not end: run it again\n")); err != nil {
		return r, err
	}
	content, conf, err := readNode(in, o)
	if err != nil {
		return r, err
	}
	defer content.Zero()
	if servers := sum.Servers(); len(servers) > 0 && !keep {
		c, err := config.Parse(conf, app.ConfigName)
		if err != nil {
			return r, err
		}
		conf, r.Dropped = []byte(config.File(c.WithoutServers())), servers
	}
	// A key of its own: two copies must not share one, as they share nonces.
	if _, err := rand.Read(content.DatabaseKey[:]); err != nil {
		return r, fmt.Errorf("read entropy: %w", err)
	}
	db, err := app.OpenStore(o.DataDir, content.DatabaseKey[:], o.Log)
	if err != nil {
		return r, err
	}
	l := &loader{db: db, at: time.Now(), known: map[wire.OutPoint][]chainhash.Hash{}}
	if err := errors.Join(l.load(ctx, in), db.Close()); err != nil {
		return r, err
	}
	if !bytes.Equal(in.Manifest().SHA256, sum.sha256) {
		return r, fmt.Errorf("%w: the file changed while it was read", backup.ErrCorrupt)
	}
	if err := keystore.WriteFile(app.ConfigPath(o.DataDir), conf); err != nil {
		return r, err
	}
	work := o.Work
	if work == (keystore.Work{}) {
		work = keystore.DefaultWork()
	}
	if err := keystore.CreateWith(filepath.Join(o.DataDir, app.KeystoreName), o.Passphrase, content, work); err != nil {
		return r, err
	}
	r.Wallets, r.Entries = len(l.groups), in.Manifest().Entries
	return r, os.Remove(filepath.Join(o.DataDir, restoringName))
}

// readNode reads the first two items, keystore and configuration, and checks
// that the keystore is that of the node which the header names.
func readNode(in *backup.Reader, o *RestoreOptions) (keystore.Content, []byte, error) {
	var c keystore.Content
	ks, err := in.Next()
	if err != nil {
		return c, nil, early(err)
	}
	conf, err := in.Next()
	if err != nil {
		return c, nil, early(err)
	}
	if ks.Kind != backup.Keystore && ks.Kind != backup.SealedKeystore || conf.Kind != backup.Config {
		return c, nil, fmt.Errorf("%w: it holds no keystore", backup.ErrCorrupt)
	}
	defer clear(ks.Value)
	if ks.Kind == backup.SealedKeystore {
		c, err = o.openKeystore(ks.Value)
	} else if c, err = keystore.Decode(ks.Value); err != nil {
		err = fmt.Errorf("%w: %w", backup.ErrCorrupt, err)
	}
	if err != nil {
		return c, nil, err
	}
	h := in.Header()
	if service.PeerID(journal.NewIdentity(c.IdentitySeed).Author()) != h.PeerID || c.Network != h.Network {
		c.Zero()
		return c, nil, fmt.Errorf("%w: its keystore is of another node", backup.ErrCorrupt)
	}
	return c, conf.Value, nil
}

// maxKeystoreTries is how often another passphrase is asked for.
const maxKeystoreTries = 3

// openKeystore opens a keystore that is sealed in the backup. The passphrase that does
// it stays: the file is read twice.
func (o *RestoreOptions) openKeystore(b []byte) (keystore.Content, error) {
	for tries := 0; ; tries++ {
		c, err := keystore.OpenSealed(b, o.KeystorePassphrase)
		switch {
		case err == nil:
			return c, nil
		case errors.Is(err, keystore.ErrWork), errors.Is(err, keystore.ErrCorrupt), errors.Is(err, keystore.ErrNewer):
			return c, fmt.Errorf("%w: its keystore: %w", backup.ErrCorrupt, err)
		case !errors.Is(err, keystore.ErrPassphrase):
			return c, err
		case o.AskKeystore == nil || tries == maxKeystoreTries:
			return c, api.Fail("wrong_passphrase", "restore: the keystore in the backup has another passphrase", "give the one that the node had when it was backed up: --keystore-passphrase-file FILE")
		}
		if o.KeystorePassphrase, err = o.AskKeystore(); err != nil {
			return c, err
		}
	}
}

func early(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it holds no keystore", backup.ErrCorrupt)
	}
	return err
}
