package neutrino

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/btcsuite/btclog"
	"github.com/lightninglabs/neutrino"
)

// The library has one logger for the whole process: it goes to the backend that
// was opened last.
var logger = &sharedLog{}

type sharedLog struct {
	mu  sync.Mutex
	to  *slog.Logger
	own *Backend
	set bool
}

func (l *sharedLog) use(b *Backend) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to, l.own = b.cfg.Log, b
	if !l.set {
		neutrino.UseLogger(l)
		l.set = true
	}
}

func (l *sharedLog) drop(b *Backend) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.own == b {
		l.to, l.own = nil, nil
	}
}

// say passes a message on, one level lower where it is of no use to people:
// the library calls every peer that goes away an error.
func (l *sharedLog) say(level slog.Level, msg string) {
	l.mu.Lock()
	to, own := l.to, l.own
	l.mu.Unlock()
	if to == nil {
		return
	}
	if reason, ok := strings.CutPrefix(msg, "Banning "); ok {
		to.Warn("Bitcoin peer dropped", "peer", reason)
		own.dropped(reason)
		return
	}
	to.Log(own.ctx, level, "light client", "detail", msg)
}

func (l *sharedLog) Tracef(string, ...any)        {}
func (l *sharedLog) Debugf(string, ...any)        {}
func (l *sharedLog) Infof(f string, a ...any)     { l.say(slog.LevelDebug, fmt.Sprintf(f, a...)) }
func (l *sharedLog) Warnf(f string, a ...any)     { l.say(slog.LevelDebug, fmt.Sprintf(f, a...)) }
func (l *sharedLog) Errorf(f string, a ...any)    { l.say(slog.LevelInfo, fmt.Sprintf(f, a...)) }
func (l *sharedLog) Criticalf(f string, a ...any) { l.say(slog.LevelError, fmt.Sprintf(f, a...)) }
func (l *sharedLog) Trace(...any)                 {}
func (l *sharedLog) Debug(...any)                 {}
func (l *sharedLog) Info(a ...any)                { l.say(slog.LevelDebug, fmt.Sprint(a...)) }
func (l *sharedLog) Warn(a ...any)                { l.say(slog.LevelDebug, fmt.Sprint(a...)) }
func (l *sharedLog) Error(a ...any)               { l.say(slog.LevelInfo, fmt.Sprint(a...)) }
func (l *sharedLog) Critical(a ...any)            { l.say(slog.LevelError, fmt.Sprint(a...)) }
func (l *sharedLog) Level() btclog.Level          { return btclog.LevelInfo }
func (l *sharedLog) SetLevel(btclog.Level)        {}
