package ops

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/app/backup"
	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/app/keystore"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/service"
	"github.com/quorate/quorate/store"
)

// restoringName marks a data directory in which a restore began. It is there
// before anything else and goes last: without a keystore beside it, whatever
// else is there is left from a restore that did not end.
const restoringName = "restore.tmp"

// RestoreOptions say what to restore, and where.
type RestoreOptions struct {
	DataDir, File string
	// Identities is the text of an age identity file; empty for a backup that
	// is sealed to a passphrase.
	Identities string
	// SealPassphrase opens the backup, Passphrase seals the new keystore.
	SealPassphrase, Passphrase []byte
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
	Wallets int       `json:"wallets"`
	Entries uint64    `json:"entries"`
	Created time.Time `json:"backup_created"`
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
		return none, api.Misuse("no_backup", "restore: "+err.Error(), "give the path of a backup")
	}
	defer func() { _ = f.Close() }()
	if err := vacant(o.DataDir); err != nil {
		return none, err
	}
	sum, err := summarize(f, o)
	if err != nil {
		return none, restoreError(err)
	}
	keep, err := o.agree(sum)
	if err != nil {
		return none, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return none, restoreError(err)
	}
	in, err := openBackup(f, o)
	if err != nil {
		return none, restoreError(err)
	}
	if err := leave(o.DataDir); err != nil {
		return none, notWritten(err)
	}
	made, err := makeDir(o.DataDir)
	if err != nil {
		return none, notWritten(err)
	}
	result, err := restoreInto(ctx, o, in, sum, keep)
	if err != nil {
		err = errors.Join(restoreError(err), leave(o.DataDir))
		if made {
			// Fails where something else was put into it meanwhile, which is then kept.
			_ = os.Remove(o.DataDir)
		}
		return none, restoreError(err)
	}
	return result, nil
}

func openBackup(f io.Reader, o RestoreOptions) (*backup.Reader, error) {
	plain, err := backup.Unseal(f, o.Identities, o.SealPassphrase)
	if err != nil {
		return nil, err
	}
	return backup.NewReader(plain)
}

// vacant refuses a data directory that holds anything but what an interrupted
// restore left.
func vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return notWritten(err)
	}
	marked, others := false, 0
	for _, e := range entries {
		switch name := e.Name(); {
		case name == restoringName:
			marked = true
		case name == app.KeystoreName, !ours(name):
			return api.Refuse("exists", "restore: "+dir+" is not empty", "choose another --data-dir: a restore never overwrites")
		case !strings.HasPrefix(name, restoringName):
			others++
		}
	}
	// The mark is before everything else: what is there without it is of a node.
	if others > 0 && !marked {
		return api.Refuse("exists", "restore: "+dir+" is not empty", "choose another --data-dir: a restore never overwrites")
	}
	return nil
}

// ours says whether a restore writes a file of a name: by that name or, while it
// is written, as keystore.WriteFile does.
func ours(name string) bool {
	if name == app.StoreName {
		return true
	}
	for _, base := range []string{app.KeystoreName, app.ConfigName, restoringName} {
		rest, ok := strings.CutPrefix(name, base)
		if ok && (rest == "" || rest[0] == '.' && len(rest) > len(".tmp") && strings.HasSuffix(rest, ".tmp")) {
			return true
		}
	}
	return false
}

// leave takes back what a restore writes, its mark last.
func leave(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if ours(e.Name()) && e.Name() != restoringName {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	if err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(dir, restoringName))
}

// restoreInto writes what agreed with the summary when it was read before.
func restoreInto(ctx context.Context, o RestoreOptions, in *backup.Reader, sum BackupSummary, keep bool) (RestoreResult, error) {
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
	content, conf, err := readNode(in)
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
func readNode(in *backup.Reader) (keystore.Content, []byte, error) {
	var c keystore.Content
	ks, err := in.Next()
	if err != nil {
		return c, nil, early(err)
	}
	conf, err := in.Next()
	if err != nil {
		return c, nil, early(err)
	}
	if ks.Kind != backup.Keystore || conf.Kind != backup.Config {
		return c, nil, fmt.Errorf("%w: it holds no keystore", backup.ErrCorrupt)
	}
	defer clear(ks.Value)
	if c, err = keystore.Decode(ks.Value); err != nil {
		return c, nil, fmt.Errorf("%w: %w", backup.ErrCorrupt, err)
	}
	h := in.Header()
	if service.PeerID(journal.NewIdentity(c.IdentitySeed).Author()) != h.PeerID || c.Network != h.Network {
		c.Zero()
		return c, nil, fmt.Errorf("%w: its keystore is of another node", backup.ErrCorrupt)
	}
	return c, conf.Value, nil
}

func early(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it holds no keystore", backup.ErrCorrupt)
	}
	return err
}

// loader fills a new store, batch by batch.
type loader struct {
	db     *store.Badger
	at     time.Time
	batch  coordinator.Batch
	size   int
	known  map[wire.OutPoint][]chainhash.Hash
	groups []journal.GroupID
}

// maxGuardOfCoin bounds the guard records of one coin, of which each is restored
// with the list of those before it. A node signs another transaction of the same
// coin only where it replaces the earlier ones by name, of which a proposal has
// 64, so 65 is what replacing alone can come to.
const maxGuardOfCoin = 256

// loadBatch is how many bytes go into one commit, at least.
const loadBatch = 1 << 20

func (l *loader) load(ctx context.Context, in *backup.Reader) error {
	for {
		i, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := l.add(ctx, i); err != nil {
			return err
		}
	}
	if err := l.flush(ctx); err != nil {
		return err
	}
	for _, g := range l.groups {
		b, err := coordinator.MarkRestored(g, l.at)
		if err != nil {
			return err
		}
		if err := l.db.Commit(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) add(ctx context.Context, i backup.Item) error {
	if i.Group != l.batch.Group || l.size >= loadBatch {
		if err := l.flush(ctx); err != nil {
			return err
		}
	}
	l.batch.Group = i.Group
	l.size += len(i.Value) + 256
	switch i.Kind {
	case backup.Entry:
		e, err := journal.Decode(i.Value)
		if err == nil {
			err = e.Verify()
		}
		if err != nil || e.Header().Group != i.Group {
			return fmt.Errorf("%w: an entry is not valid", backup.ErrCorrupt)
		}
		l.batch.Entries = append(l.batch.Entries, e)
	case backup.Record:
		if l.batch.Puts == nil {
			l.batch.Puts = map[string][]byte{}
		}
		l.batch.Puts[i.Key] = i.Value
		if isWallet(i) {
			g, _ := coordinator.GroupOf(i.Key)
			l.groups = append(l.groups, g)
		}
	case backup.Guard:
		at := i.Guard.OutPoint
		if len(l.known[at]) == maxGuardOfCoin {
			return fmt.Errorf("%w: more than %d guard records of one coin", backup.ErrCorrupt, maxGuardOfCoin)
		}
		l.known[at] = append(l.known[at], i.Guard.TxID)
		l.batch.Guard = append(l.batch.Guard, coordinator.GuardUpdate{GuardRecord: i.Guard, Known: l.known[at]})
	default:
		return fmt.Errorf("%w: item of kind %d out of place", backup.ErrCorrupt, i.Kind)
	}
	return nil
}

func (l *loader) flush(ctx context.Context) error {
	if len(l.batch.Entries)+len(l.batch.Puts)+len(l.batch.Guard) > 0 {
		if err := l.db.Commit(ctx, l.batch); err != nil {
			return err
		}
	}
	l.batch, l.size = coordinator.Batch{Group: l.batch.Group}, 0
	return nil
}

func isWallet(i backup.Item) bool {
	_, ok := coordinator.GroupOf(i.Key)
	return ok && i.Group == (journal.GroupID{})
}

func restoreError(err error) error {
	var e *api.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, backup.ErrPassphrase):
		return api.Fail("wrong_passphrase", "restore: the backup was not opened: wrong passphrase", "try again")
	case errors.Is(err, backup.ErrNeedsIdentity):
		return api.Misuse("needs_identity", "restore: the backup is sealed to age recipients", "give the identity of one with --identity FILE")
	case errors.Is(err, backup.ErrIdentity):
		return api.Fail("wrong_identity", "restore: "+err.Error(), "give another --identity FILE, or none for a passphrase")
	case errors.Is(err, backup.ErrNewer):
		return api.Fail("backup_newer", "restore: "+err.Error(), "use that version")
	case errors.Is(err, backup.ErrTruncated):
		return api.Fail("backup_truncated", "restore: "+backup.ErrTruncated.Error()+", or its end is damaged: it was not written to its end, or not copied whole", "take another copy, or an earlier backup")
	case errors.Is(err, backup.ErrNotBackup):
		return api.Misuse("not_a_backup", "restore: it is not a backup file", "give a file that `quorate backup` wrote")
	case errors.Is(err, backup.ErrWork):
		return api.Refuse("backup_work", "restore: "+err.Error(), "it was not written by this program")
	case errors.Is(err, backup.ErrCorrupt):
		return api.Fail("backup_corrupt", "restore: "+err.Error(), "take another copy, or an earlier backup")
	case errors.Is(err, store.ErrNoSpace):
		return api.Fail("disk_full", "restore: the disk is full", "free some space and try again")
	}
	return api.Fail("not_restored", "restore: "+err.Error(), "")
}
