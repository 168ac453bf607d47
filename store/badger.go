package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"

	"github.com/quorate/quorate/coordinator/port"
)

// KeySize is the length of a store's encryption key in bytes (AES-256).
const KeySize = 32

// lockName is our own lock: Badger's is taken too late to look after its files
// first, and its error does not say what is wrong in a way a program can read.
const lockName = "quorate.lock"

// Badger is a store on disk. It is safe for concurrent use.
type Badger struct {
	dir   string
	log   *slog.Logger
	db    *badger.DB
	lock  *os.File
	names *logNames
	mark  *mark
	gate  gate
	// readOnly: no file of the directory is made, changed or removed.
	readOnly bool
	// reserve is SpaceReserve, but in a test.
	reserve uint64

	// signing is held by a Commit with guard updates, from the check to the
	// end: no other may come between.
	signing sync.Mutex
	guard   *GuardBook

	lastBlob atomic.Uint64
	fault    fault
	noted    sync.Once
}

var _ port.Store = (*Badger)(nil)

// Open opens the store in a directory, which it makes (mode 0700) if it is not
// there. The key is KeySize bytes, or nil for a store that is not encrypted
// (for tests). It returns ErrLocked, ErrKey, ErrNewer, port.ErrNoSpace, ErrCorrupt,
// or what the operating
// system refused, as errors.Is says of its number. It reads and verifies all tables.
func Open(dir string, key []byte, log *slog.Logger) (*Badger, error) {
	return open(dir, key, log, SpaceReserve, func(*badger.Options) {})
}

// OpenReadOnly is Open without writing: no file of the directory is made, changed or
// removed, and Commit returns ErrReadOnly. It returns ErrUnclean for a store that was not
// closed in order, which only Open can take in.
func OpenReadOnly(dir string, key []byte, log *slog.Logger) (*Badger, error) {
	if len(key) != 0 && len(key) != KeySize {
		return nil, fmt.Errorf("%w: %d bytes, %d are needed", ErrKey, len(key), KeySize)
	}
	if runtime.GOOS == "windows" {
		return nil, fmt.Errorf("%w: Badger does not read alone on Windows", errors.ErrUnsupported)
	}
	lock, err := lockThere(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s is not there", ErrUnclean, lockName)
	}
	if err != nil {
		return nil, systemError(err)
	}
	s := &Badger{dir: dir, log: log, lock: lock, readOnly: true, reserve: SpaceReserve, guard: NewGuardBook(), fault: newFault()}
	if err := s.startReadOnly(key); err != nil {
		s.release()
		return nil, systemError(err)
	}
	return s, nil
}

func (s *Badger) startReadOnly(key []byte) (err error) {
	if err := checkAccess(s.dir, os.O_RDONLY); err != nil {
		return err
	}
	if err := checkKey(s.dir, key); err != nil {
		return err
	}
	if err := checkManifest(s.dir); err != nil {
		return err
	}
	if err := checkClosed(s.dir); err != nil {
		return err
	}
	if s.mark, err = readMark(s.dir); err != nil {
		return err
	}
	if err := checkTables(s.dir); err != nil {
		return err
	}
	// Where it breaks it leaves no note: nothing was written.
	o := badgerOptions(s.dir, key, badgerLog{s.log, func(error) {}, s.fault.set}).WithReadOnly(true)
	db, err := badger.Open(o)
	if errors.Is(err, badger.ErrTruncateNeeded) {
		return fmt.Errorf("%w: %w", ErrUnclean, err)
	}
	if err != nil {
		return openError(err)
	}
	s.db = db
	if err := s.check(len(key) > 0); err != nil {
		if cerr := s.closeDB(); cerr != nil {
			s.log.Warn("database not closed", "err", cerr)
		}
		return err
	}
	return nil
}

// CheckWritable returns what the operating system says against opening the files of the
// store for writing, nil where it says nothing. None is changed.
func (s *Badger) CheckWritable() error {
	if err := checkAccess(s.dir, os.O_RDWR); err != nil {
		return systemError(err)
	}
	return nil
}

// check looks at what Badger opened, and reads what is kept in memory.
func (s *Badger) check(encrypted bool) error {
	if err := s.fault.get(); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if encrypted && !hasDataKey(s.dir) {
		return errors.New("database made no key to encrypt with: is the clock right?")
	}
	if err := s.verifyTables(); err != nil {
		return fmt.Errorf("%w: verify tables: %w", ErrCorrupt, err)
	}
	if err := s.checkVersion(); err != nil {
		return err
	}
	if err := s.loadGuard(); err != nil {
		return err
	}
	return s.checkMark()
}

// open lets a test do without the reserve, and break an option, to show that
// another test notices.
func open(dir string, key []byte, log *slog.Logger, reserve uint64, tweak func(*badger.Options)) (*Badger, error) {
	if len(key) != 0 && len(key) != KeySize {
		return nil, fmt.Errorf("%w: %d bytes, %d are needed", ErrKey, len(key), KeySize)
	}
	if err := makeDir(dir); err != nil {
		return nil, systemError(err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, systemError(err)
	}
	s := &Badger{dir: dir, log: log, lock: lock, reserve: reserve, guard: NewGuardBook(), fault: newFault()}
	if err := s.start(key, tweak); err != nil {
		s.release()
		return nil, systemError(err)
	}
	return s, nil
}

func (s *Badger) start(key []byte, tweak func(*badger.Options)) error {
	if err := checkAccess(s.dir, os.O_RDWR); err != nil {
		return err
	}
	if err := checkKey(s.dir, key); err != nil {
		return err
	}
	if err := checkSpace(s.dir, s.reserve); err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	if err := checkManifest(s.dir); err != nil {
		return err
	}
	mark, err := openMark(s.dir)
	if err != nil {
		return err
	}
	s.mark = mark
	if err := dropEmptyLogs(s.dir); err != nil {
		return err
	}
	if err := repairManifest(s.dir); err != nil {
		return err
	}
	if err := checkTables(s.dir); err != nil {
		return err
	}
	o := badgerOptions(s.dir, key, badgerLog{s.log, s.broke, s.fault.set})
	tweak(&o)
	db, err := badger.Open(o)
	if err != nil {
		return openError(err)
	}
	s.db = db
	if err := s.prepare(len(key) > 0); err != nil {
		if cerr := s.closeDB(); cerr != nil {
			s.log.Warn("database not closed", "err", cerr)
		}
		return err
	}
	return nil
}

// prepare checks what Badger opened, and makes it fit to be written to.
func (s *Badger) prepare(encrypted bool) (err error) {
	if s.names, err = openLogNames(s.dir); err != nil {
		return err
	}
	if err := s.check(encrypted); err != nil {
		return err
	}
	if err := s.dropStaged(); err != nil {
		return err
	}
	if err := addBallast(s.dir); err != nil {
		return err
	}
	return removeNote(s.dir)
}

// broke makes the store unusable. It leaves the note first, whatever the cause:
// from here on the process may end at any moment, also while Badger takes back a
// table, of which it tells only afterwards.
func (s *Badger) broke(cause error) {
	s.noted.Do(func() {
		if err := leaveNote(s.dir, cause); err != nil {
			s.log.Error("store may need repair", "err", err)
		}
	})
	s.fault.set(cause)
}

// openError tells damage from what the file system says. Badger does not wrap.
func openError(err error) error {
	for _, damage := range []string{"Opening table", "file does not exist for table", "MANIFEST", "manifest has bad"} {
		if strings.Contains(err.Error(), damage) {
			return fmt.Errorf("%w: open database: %w", ErrCorrupt, err)
		}
	}
	return fmt.Errorf("open database: %w", err)
}

// Close writes the rest to tables and releases the directory. Calls that are
// under way end first (their commits are made), later ones get ErrClosed; so
// does a second Close. It must not be called from within a Walk. A broken store
// keeps its lock until the process ends, and Close returns ErrBroken.
func (s *Badger) Close() error {
	if !s.gate.close() {
		return ErrClosed
	}
	<-s.gate.drained()
	if err := s.fault.get(); err != nil {
		return err
	}
	if err := checkSpace(s.dir, s.reserve); !s.readOnly && errors.Is(err, port.ErrNoSpace) {
		if err := dropBallast(s.dir); err != nil {
			return err
		}
	}
	err := s.closeDB()
	if !errors.Is(err, ErrBroken) {
		s.release()
	}
	return err
}

// closeDB closes Badger, which would retry for ever if it cannot write.
func (s *Badger) closeDB() error {
	done := make(chan error, 1)
	go func() { done <- s.db.Close() }()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("close database: %w", err)
		}
		return nil
	case <-s.fault.raised:
		return s.fault.get()
	}
}

func (s *Badger) release() {
	if s.names != nil {
		s.names.close()
	}
	if s.mark != nil {
		s.mark.close()
	}
	unlockDir(s.lock)
}

// enter begins a call: it returns ErrClosed or ErrBroken, or the caller must leave.
func (s *Badger) enter() error {
	if err := s.gate.enter(); err != nil {
		return err
	}
	if err := s.fault.get(); err != nil {
		s.gate.leave()
		return err
	}
	return nil
}

func makeDir(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make store directory: %w", err)
	}
	return syncDir(filepath.Dir(dir))
}

// fault is the first failure after which the store must not be trusted.
type fault struct {
	mu     *sync.Mutex
	err    *atomic.Pointer[error]
	raised chan struct{}
}

func newFault() fault {
	return fault{new(sync.Mutex), new(atomic.Pointer[error]), make(chan struct{})}
}

func (f fault) set(cause error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err.Load() != nil {
		return
	}
	err := fmt.Errorf("%w: %w", ErrBroken, cause)
	f.err.Store(&err)
	close(f.raised)
}

func (f fault) get() error {
	if err := f.err.Load(); err != nil {
		return *err
	}
	return nil
}
