package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"syscall"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/store"
)

// listenPorts remembers which ports were chosen for a port of 0.
type listenPorts struct{ Configured, Chosen []string }

const recPorts = "listen"

func readPorts(ctx context.Context, db *store.Badger) (listenPorts, error) {
	var p listenPorts
	recs, err := db.Records(ctx, journal.GroupID{}, recPorts)
	if err != nil {
		return p, fmt.Errorf("read remembered ports: %w", err)
	}
	if raw, ok := recs[recPorts]; ok {
		if err := json.Unmarshal(raw, &p); err != nil {
			return p, fmt.Errorf("read remembered ports: %w", err)
		}
	}
	return p, nil
}

func (p listenPorts) save(ctx context.Context, db *store.Badger) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("remember ports: %w", err)
	}
	return db.Commit(ctx, port.Batch{Puts: map[string][]byte{recPorts: raw}})
}

// NotListening is the error of a program that does not listen where it should; it
// says how to name another address.
func NotListening(who, where, option string, err error) error {
	what, hint := who+" does not listen on "+where+": ", "name another address with "+option
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return api.Fail("port_taken", what+"another program has the port", "end that one (`ss -ltunp` names it), or name another port with "+option)
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return api.Fail("port_denied", what+"this user may not take that port", "name a port from 1024 up with "+option)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return api.Fail("not_listening", what+"this machine does not have that address", "`ip address` lists those that it has; "+hint)
	case errors.Is(err, syscall.EAFNOSUPPORT), errors.Is(err, syscall.EPROTONOSUPPORT):
		return api.Fail("not_listening", what+"this machine does not have that protocol", hint)
	}
	return api.Fail("not_listening", what+err.Error(), hint)
}

func listenError(l *p2p.ListenError) error {
	return NotListening("the node", l.Addr, "`listen` in config.toml or --set listen=…; with the port 0 a free one is chosen", l.Err)
}
