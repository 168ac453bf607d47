package soak_test

import (
	"bufio"
	"context"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store"
	"github.com/quorate/quorate/test/nodes"
	"github.com/quorate/quorate/wallet"
)

// stores opens what the nodes left on disk: the same entries everywhere, no
// chain forked, and every acknowledged lease.
func (s *soak) stores(sum *summary) {
	var first journal.Frontier
	for i, n := range s.nodes {
		m, err := s.machine(n)
		if err != nil {
			s.fault("the store of %s: %v", n.Name, err)
			continue
		}
		frontier := m.State.Chains().Frontier()
		if i == 0 {
			first, sum.Entries = frontier, m.State.Entries()
		}
		if !maps.Equal(first, frontier) {
			s.fault("the frontiers of %s and %s differ: %v and %v", s.nodes[0].Name, n.Name, first, frontier)
		}
		for _, f := range m.State.Chains().Forks() {
			s.fault("%s holds a fork: %+v", n.Name, f)
		}
		for _, in := range m.State.Inert() {
			s.fault("%s holds an entry without effect: %+v", n.Name, in)
		}
		for _, l := range unleased(s.ledger.all(), func(index uint32) []string {
			var names []string
			for _, a := range m.LeasedBy(index) {
				names = append(names, m.MemberName(a))
			}
			return names
		}) {
			s.lose("%s does not hold the %s", n.Name, l)
		}
	}
}

// machine loads a wallet from the store of a node that does not run.
func (s *soak) machine(n *node) (m coordinator.Machine, err error) {
	content, err := app.Unlock(n.Dir, "regtest", []byte(nodes.Passphrase))
	if err != nil {
		return m, err
	}
	db, err := store.Open(filepath.Join(n.Dir, "db"), content.DatabaseKey[:], slog.New(slog.DiscardHandler))
	if err != nil {
		return m, err
	}
	defer func() {
		if closed := db.Close(); err == nil {
			err = closed
		}
	}()
	sealing, err := journal.NewSealingKey(content.SealingSeed)
	if err != nil {
		return m, err
	}
	var id journal.GroupID
	if err := id.UnmarshalText([]byte(s.wallet)); err != nil {
		return m, err
	}
	return coordinator.Load(context.Background(), db, &group.Self{
		Identity: journal.NewIdentity(content.IdentitySeed), Sealing: sealing, Verified: wallet.NewSigCache(1 << 10),
	}, id)
}

// logs looks for what must not be in the logs.
func (s *soak) logs() {
	for _, n := range s.nodes {
		f, err := os.Open(n.log)
		if err != nil {
			s.fault("log: %v", err)
			continue
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 8<<20) // a line may hold the stacks of all goroutines
		for lines.Scan() {
			if ugly(lines.Text()) {
				s.fault("the log of %s holds: %s", n.Name, lines.Text())
			}
		}
		if err := lines.Err(); err != nil {
			s.fault("log of %s: %v", n.Name, err)
		}
		if err := f.Close(); err != nil {
			s.fault("log of %s: %v", n.Name, err)
		}
	}
}

// ugly says whether a line of a log tells of a fault of the program itself.
func ugly(line string) bool {
	for _, word := range []string{"panic", "DATA RACE", "fatal error", "goroutine stack exceeds"} {
		if strings.Contains(line, word) {
			return true
		}
	}
	return false
}
