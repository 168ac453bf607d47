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
	// broke is called with a failure after which Badger must not be trusted:
	// data did not reach the disk.
	broke func(error)
	// damaged is called where data on the disk is left out.
	damaged func(error)
}

func (b badgerLog) Errorf(format string, args ...any) {
	msg := trim(format, args)
	b.log.Error("database error", "detail", msg)
	b.watch(msg)
}

func (b badgerLog) Warningf(format string, args ...any) {
	msg := trim(format, args)
	b.log.Warn("database warning", "detail", msg)
	b.watch(msg)
}

// watch knows the messages of Badger v4.9.6 that a store cannot go on after.
func (b badgerLog) watch(msg string) {
	err := fmt.Errorf("database: %s", msg)
	has := func(part string) bool { return strings.Contains(msg, part) }
	switch {
	case has("error flushing memtable"), has("LOG Compact FAILED"), // retried for ever
		has("writeRequests:"), has("curlf sync"):
		b.broke(err)
	case has("Ignoring table"):
		b.damaged(err)
	}
}

func (b badgerLog) Infof(format string, args ...any) {
	b.log.Debug("database", "detail", trim(format, args))
}

// Debugf drops what Badger says of single writes: it may quote keys.
func (b badgerLog) Debugf(string, ...any) {}

func trim(format string, args []any) string {
	return strings.TrimSpace(fmt.Sprintf(format, args...))
}
