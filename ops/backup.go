package ops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/app/backup"
	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/app/keystore"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/service"
	"github.com/quorate/quorate/store"
)

// BackupOptions say what to back up, and to whom it is sealed.
type BackupOptions struct {
	DataDir, File string
	Config        config.Config
	// Passphrase opens the keystore.
	Passphrase []byte
	// KeepSealed puts the keystore in as it is, sealed with its passphrase, which is not
	// needed then. It goes with Recipients, and with a node that runs.
	KeepSealed bool
	// Recipients are age recipients (age1…). Where there are none, the file is
	// sealed to SealPassphrase.
	Recipients     []string
	SealPassphrase []byte
	// Out, if not nil, takes the backup in place of File.
	Out io.Writer
	// Force overwrites a file that is there.
	Force bool
	// Work is the scrypt work factor, 0 for the usual one; tests take a light one.
	Work int
	Log  *slog.Logger
}

// BackupResult says what a backup holds.
type BackupResult struct {
	File    string `json:"file"`
	Bytes   int64  `json:"bytes"`
	Wallets int    `json:"wallet_count"`
	Entries uint64 `json:"entry_count"`
	// Signatures is how many records of the sign guard it holds.
	Signatures uint64    `json:"guard_record_count"`
	Created    time.Time `json:"created"`
	SealedTo   string    `json:"sealed_to"` // passphrase or recipients
	// Keystore is open, or sealed where it needs the node's passphrase too.
	Keystore string `json:"keystore"`
	// PeerID is the node's: what a restore is told to expect.
	PeerID string `json:"peer_id"`
}

// Backup writes a backup of the node in a data directory: through the running
// node, else from its store. The file is complete under its name or not there.
// Errors are *api.Error.
func Backup(ctx context.Context, o BackupOptions) (BackupResult, error) {
	var none BackupResult
	if _, err := os.Lstat(o.File); err == nil && !o.Force && o.Out == nil {
		return none, api.Refuse("exists", "back up: "+o.File+" is there already", "choose another name, or overwrite it with --force")
	}
	to, err := sealTo(o)
	if err != nil {
		return none, err
	}
	var content keystore.Content
	if o.KeepSealed {
		if len(o.Recipients) == 0 {
			return none, api.Misuse("bad_recipient", "back up: a sealed keystore goes to recipients", "give --recipient")
		}
		if err := app.OwnDir(o.DataDir); err != nil {
			return none, err
		}
	} else if content, err = app.Unlock(o.DataDir, o.Config.Network, o.Passphrase); err != nil {
		return none, err
	}
	defer content.Zero()
	if o.Out != nil {
		out := &counter{to: o.Out}
		result, err := writeBackup(ctx, o, content, to, out)
		if err != nil {
			return none, backupError(o.DataDir, err)
		}
		result.File, result.Bytes = o.File, out.n
		return result, nil
	}
	tmp, err := os.CreateTemp(filepath.Dir(o.File), "."+filepath.Base(o.File)+".*.tmp") // mode 0600
	if err != nil {
		if e := api.System("back up", err); e != nil {
			e.Hint = "choose a file that you may write, on a disk that has room"
			return none, e
		}
		return none, api.Misuse("not_written", "back up: "+err.Error(), "choose a file that you may write")
	}
	result, err := writeBackup(ctx, o, content, to, tmp)
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), o.File)
	}
	if err != nil {
		return none, backupError(o.DataDir, errors.Join(err, os.Remove(tmp.Name())))
	}
	if d, err := os.Open(filepath.Dir(o.File)); err == nil {
		// The file is complete; that its name survives a power cut is asked of the disk.
		err = errors.Join(d.Sync(), d.Close())
		if err != nil {
			return none, backupError(o.DataDir, err)
		}
	}
	if fi, err := os.Stat(o.File); err == nil {
		result.Bytes = fi.Size()
	}
	result.File = o.File
	return result, nil
}

// counter counts what goes through it.
type counter struct {
	to io.Writer
	n  int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n += int64(n)
	return n, err
}

func sealTo(o BackupOptions) ([]age.Recipient, error) {
	if len(o.Recipients) > 0 {
		to, err := backup.Recipients(o.Recipients)
		if err != nil {
			return nil, api.Misuse("bad_recipient", "back up: "+err.Error(), "a recipient begins with age1; `age-keygen` makes one")
		}
		return to, nil
	}
	if len(o.SealPassphrase) == 0 {
		return nil, api.Refuse("empty_passphrase", "back up: the passphrase is empty", "give --backup-passphrase-file, or --recipient")
	}
	to, err := backup.Passphrase(o.SealPassphrase, o.Work)
	if err != nil {
		return nil, api.Fail("not_sealed", "back up: "+err.Error(), "")
	}
	return to, nil
}

// writeBackup writes header, keystore, configuration, what the store holds, and
// the manifest, sealed.
func writeBackup(ctx context.Context, o BackupOptions, c keystore.Content, to []age.Recipient, file io.Writer) (BackupResult, error) {
	r := BackupResult{SealedTo: "passphrase", Keystore: "open"}
	newWriter := backup.NewWriter
	if o.KeepSealed {
		r.Keystore, newWriter = "sealed", backup.NewSealedWriter
	}
	if len(o.Recipients) > 0 {
		r.SealedTo = "recipients"
	}
	sealed, err := backup.Seal(file, to)
	if err != nil {
		return r, err
	}
	stored, stop := readStore(ctx, o, c)
	defer stop()
	in, err := backup.NewReader(stored)
	if err != nil {
		return r, err
	}
	out, err := newWriter(sealed, in.Header())
	if err != nil {
		return r, err
	}
	if err := addFiles(out, o, c); err != nil {
		return r, err
	}
	for {
		i, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return r, err
		}
		if i.Kind == backup.Record && isWallet(i) {
			r.Wallets++
		}
		if err := out.Add(i); err != nil {
			return r, err
		}
	}
	// Without the passphrase there is no key to sign with; a restore holds the peer id
	// against the keystore all the same.
	r.PeerID = in.Header().PeerID
	var sign func([]byte) []byte
	if !o.KeepSealed {
		self := journal.NewIdentity(c.IdentitySeed)
		sign, r.PeerID = backup.Signer(self), service.PeerID(self.Author())
	}
	end, err := out.CloseSigned(sign)
	if err != nil {
		return r, err
	}
	r.Entries, r.Signatures, r.Created = end.Entries, end.Guards, in.Header().Created
	return r, sealed.Close()
}

func addFiles(out *backup.Writer, o BackupOptions, c keystore.Content) error {
	kind := backup.Keystore
	b, err := keystore.Encode(c)
	if o.KeepSealed {
		kind = backup.SealedKeystore
		b, err = keystore.ReadSealed(filepath.Join(o.DataDir, app.KeystoreName))
	}
	if err != nil {
		return err
	}
	defer clear(b)
	if err := out.Add(backup.Item{Kind: kind, Value: b}); err != nil {
		return err
	}
	conf, err := os.ReadFile(app.ConfigPath(o.DataDir))
	if errors.Is(err, fs.ErrNotExist) {
		conf, err = []byte(config.File(o.Config)), nil
	}
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	return out.Add(backup.Item{Kind: backup.Config, Value: conf})
}

// readStore streams the store's part: from the running node, and where none
// runs from the store itself.
func readStore(ctx context.Context, o BackupOptions, c keystore.Content) (io.Reader, func()) {
	ctx, cancel := context.WithCancel(ctx)
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.CloseWithError(streamStore(ctx, o, c, w))
	}()
	return r, func() {
		cancel()
		_ = r.Close()
		<-done
	}
}

func streamStore(ctx context.Context, o BackupOptions, c keystore.Content, w io.Writer) error {
	client, err := api.Dial(o.DataDir)
	if err != nil {
		return err
	}
	defer client.Close()
	err = client.Backup(ctx, w)
	var e *api.Error
	if !errors.As(err, &e) || e.Code != "not_running" {
		return err
	}
	if o.KeepSealed {
		return api.Unreachable("not_running", "back up: the node does not run, and its store is not opened without the passphrase", "start it, or give --passphrase-file")
	}
	if _, err := os.Stat(filepath.Join(o.DataDir, app.StoreName)); errors.Is(err, fs.ErrNotExist) {
		// A node that was never started has no wallets.
		return emptyStore(o, c, w)
	}
	db, err := app.ReadStore(o.DataDir, c.DatabaseKey[:], o.Log)
	if err != nil {
		return err
	}
	return errors.Join(app.DumpStore(ctx, db, headerOf(o, c), w), db.Close())
}

func emptyStore(o BackupOptions, c keystore.Content, w io.Writer) error {
	out, err := backup.NewWriter(w, headerOf(o, c))
	if err != nil {
		return err
	}
	_, err = out.Close()
	return err
}

func headerOf(o BackupOptions, c keystore.Content) backup.Header {
	return backup.Header{
		Created: api.Time(time.Now()), Program: app.Version(), Name: o.Config.Name, Network: o.Config.Network,
		PeerID: service.PeerID(journal.NewIdentity(c.IdentitySeed).Author()),
	}
}

func backupError(dir string, err error) error {
	var e *api.Error
	if errors.As(err, &e) {
		return e
	}
	if e := app.SystemError("back up", dir, err); e != nil {
		return e
	}
	switch {
	case errors.Is(err, backup.ErrTruncated):
		return api.Fail("backup_failed", "back up: the node stopped handing out its store", "see its log, and try again")
	case errors.Is(err, store.ErrCorrupt):
		return api.Fail("store_corrupt", "back up: "+err.Error(), "`quorate doctor` says what is damaged")
	}
	return api.Fail("backup_failed", "back up: "+err.Error(), "")
}
