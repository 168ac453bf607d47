package neutrino

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/btcsuite/btcwallet/walletdb"
	_ "github.com/btcsuite/btcwallet/walletdb/bdb" // the driver that client.open names
	"github.com/lightninglabs/neutrino"
	"github.com/lightninglabs/neutrino/blockntfns"
)

// client is one run of the light client.
type client struct {
	cs  *neutrino.ChainService
	db  walletdb.DB
	sub *blockntfns.Subscription
}

const (
	dbName   = "neutrino.db"
	lockTime = 5 * time.Second
)

// files are all that the light client keeps.
var files = []string{dbName, headersName, filterHeadersName, "peers.json"}

// open starts the light client. Damaged files are thrown away, once: the network
// has them all. A lock that another holds, or what the file system says, is no damage.
func (b *Backend) open() (*client, error) {
	if err := os.MkdirAll(b.cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the light client's directory: %w", err)
	}
	c, err := b.tryOpen()
	if err == nil || notDamage(err) {
		return c, err
	}
	b.cfg.Log.Warn("the headers on disk are damaged and are fetched again", "error", err)
	if err := b.forget(); err != nil {
		return nil, err
	}
	return b.tryOpen()
}

// forget removes everything on disk, with which peers were dropped.
func (b *Backend) forget() error {
	for _, name := range files {
		if err := os.Remove(filepath.Join(b.cfg.Dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove headers: %w", err)
		}
	}
	return nil
}

// notDamage knows the errors that say nothing of what is in the files. bbolt's
// for a lock that another holds is not passed on as a value.
func notDamage(err error) bool {
	for _, e := range []syscall.Errno{
		syscall.EACCES, syscall.EPERM, syscall.EROFS, syscall.ENOSPC, syscall.EIO, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return strings.HasSuffix(err.Error(), "timeout")
}

func (b *Backend) tryOpen() (c *client, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("open headers: %v", p)
		}
	}()
	path := filepath.Join(b.cfg.Dir, dbName)
	db, err := walletdb.Open("bdb", path, true, lockTime, false)
	if errors.Is(err, walletdb.ErrDbDoesNotExist) {
		db, err = walletdb.Create("bdb", path, true, lockTime, false)
	}
	if err != nil {
		return nil, fmt.Errorf("open headers: %w", err)
	}
	cs, err := b.load(db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	c = &client{cs: cs, db: db}
	if err := cs.Start(b.ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start the light client: %w", err), c.close())
	}
	if c.sub, err = (&neutrino.RescanChainSource{ChainService: cs}).Subscribe(0); err != nil {
		return nil, errors.Join(fmt.Errorf("subscribe to blocks: %w", err), c.close())
	}
	return c, nil
}

// load checks what is on disk and opens it.
func (b *Backend) load(db walletdb.DB) (*neutrino.ChainService, error) {
	if err := b.pardon(db); err != nil {
		return nil, err
	}
	if err := checkHeaders(db, b.cfg.Dir, b.params); err != nil {
		return nil, fmt.Errorf("open headers: %w", err)
	}
	cs, err := neutrino.NewChainService(neutrino.Config{
		DataDir: b.cfg.Dir, Database: db, ChainParams: *b.params, ConnectPeers: b.cfg.Peers,
		Dialer: b.connect, FilterCacheSize: filterCache, BlockCacheSize: blockCache,
	})
	if err != nil {
		return nil, fmt.Errorf("open headers: %w", err)
	}
	return cs, nil
}

// bansKey is where the library keeps whom it dropped.
var bansKey = []byte("ban-store")

// pardon lets the library connect again to the peers that the user has named,
// whatever they were dropped for: the user may have mended them. With named peers
// there are no others.
func (b *Backend) pardon(db walletdb.DB) error {
	if len(b.cfg.Peers) == 0 {
		return nil
	}
	err := walletdb.Update(db, func(tx walletdb.ReadWriteTx) error {
		if tx.ReadWriteBucket(bansKey) == nil {
			return nil
		}
		return tx.DeleteTopLevelBucket(bansKey)
	})
	if err != nil {
		return fmt.Errorf("forget which peers were dropped: %w", err)
	}
	return nil
}

func (c *client) close() error {
	if c.sub != nil {
		c.sub.Cancel()
	}
	return errors.Join(c.cs.Stop(), c.db.Close())
}
