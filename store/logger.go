package store

import (
	"fmt"
	"log/slog"
	"strings"
)

// badgerLog hands Badger's messages to slog, one level lower where they are of
// no use to people, and watches for failures that Badger only logs.
type badgerLog struct {
	log *slog.Logger
	// fatal is called with a failure after which Badger must not be trusted.
	fatal func(error)
}

// Messages of Badger (v4.9.6) that mean that data did not reach the disk, or
// that data on the disk is left out.
var fatalMessages = [...]string{
	"error flushing memtable", // retried for ever, after a possibly torn MANIFEST
	"writeRequests:",
	"curlf sync",
	"Ignoring table",
}

func (b badgerLog) Errorf(format string, args ...any) {
	msg := trim(format, args)
	b.log.Error("database error", "detail", msg)
	for _, f := range fatalMessages {
		if strings.Contains(msg, f) {
			b.fatal(fmt.Errorf("database: %s", msg))
			return
		}
	}
}

func (b badgerLog) Warningf(format string, args ...any) {
	b.log.Warn("database warning", "detail", trim(format, args))
}

func (b badgerLog) Infof(format string, args ...any) {
	b.log.Debug("database", "detail", trim(format, args))
}

// Debugf drops what Badger says of single writes: it may quote keys.
func (b badgerLog) Debugf(string, ...any) {}

func trim(format string, args []any) string {
	return strings.TrimSpace(fmt.Sprintf(format, args...))
}
