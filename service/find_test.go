package service

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/port/porttest"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// still is a transport, a store and an observer that do nothing.
type still struct {
	port.Transport
	port.Store
}

func (still) Attach(context.Context, port.GroupLink, port.Inbox) error { return nil }
func (still) Publish(context.Context, *journal.Entry) error            { return nil }
func (still) Commit(context.Context, port.Batch) error                 { return nil }
func (still) Sync(journal.GroupID, *journal.Author)                    {}
func (still) Peers() []port.PeerStatus                                 { return nil }
func (still) Notify(port.Notice)                                       {}

// clock is this machine's.
type clock struct{}

func (clock) Now() time.Time { return time.Now() }

func (clock) Entropy(b []byte) error {
	_, err := rand.Read(b)
	return err
}

// An id leads to its wallet, whatever others are called.
func TestAnIDIsNoName(t *testing.T) {
	names := map[string]string{} // by id
	var all []*node.Actor
	found := func(name string) string {
		a := founded(t, name)
		all = append(all, a)
		names[a.Group().String()] = name
		return a.Group().String()
	}
	victim := found("treasury")
	byID := found(victim)
	byPrefix := found(victim[:12])
	found("facade")
	found("twice")
	found("twice")
	for ref, want := range map[string]string{
		victim: victim, byID: byID, byPrefix: byPrefix, victim[:16]: victim, "treasury": victim, byID[:12]: byID,
	} {
		a, err := findWallet(all, ref)
		if err != nil || a.Group().String() != want {
			t.Errorf("%s leads to %v: %v", ref, a, err)
		}
	}
	if a, err := findWallet(all, "facade"); err != nil || names[a.Group().String()] != "facade" {
		t.Errorf("a name of hexadecimal digits: %v", err)
	}
	for ref, code := range map[string]string{
		victim[:12]:             "ambiguous_wallet", // the prefix of one, the name of another
		"twice":                 "ambiguous_wallet",
		"nobody":                "unknown_wallet",
		"Treasury":              "unknown_wallet",
		victim[:3]:              "unknown_wallet",
		strings.Repeat("0", 64): "unknown_wallet",
	} {
		if _, err := findWallet(all, ref); codeOf(t, err) != code {
			t.Errorf("%s: %v", ref, err)
		}
	}
	// A whole id of a wallet that is elsewhere is no name of one that is here.
	if _, err := findWallet(all[1:], victim); codeOf(t, err) != "unknown_wallet" {
		t.Errorf("the id of a wallet that is not here: %v", err)
	}
}

// founded is a wallet that its founder gave any name, as a version before may have.
func founded(t *testing.T, name string) *node.Actor {
	t.Helper()
	_, m, _ := foundedOn(t, name)
	return acting(t, m)
}

func acting(t *testing.T, m coordinator.Machine) *node.Actor {
	t.Helper()
	a := node.NewActor(t.Context(), node.Ports{
		Store: still{}, Transport: still{}, Chain: &calendar{}, Clock: clock{}, Observer: still{}, Log: slog.New(slog.DiscardHandler),
	}, m)
	t.Cleanup(a.Close)
	return a
}

// foundedOn is such a wallet, with what it made durable.
func foundedOn(t *testing.T, name string) (*group.Self, coordinator.Machine, *porttest.Disk) {
	t.Helper()
	var seed, identity, sealing, entropy [32]byte
	for _, b := range [][]byte{seed[:], identity[:], sealing[:], entropy[:]} {
		if _, err := rand.Read(b); err != nil {
			t.Fatal(err)
		}
	}
	account, err := wallet.DeriveAccount(seed[:], wallet.Regtest, wallet.ScriptWSH, 0)
	if err != nil {
		t.Fatal(err)
	}
	key, err := journal.NewSealingKey(sealing)
	if err != nil {
		t.Fatal(err)
	}
	self := &group.Self{Identity: journal.NewIdentity(identity), Sealing: key, Verified: wallet.NewSigCache(16)}
	g := event.Genesis{Threshold: 1, Cosigners: 2, Script: "wsh", Network: "regtest"}
	ck := coordinator.CosignerKey{Key: account.Key(), Prove: func(k event.KeyClaim) ([]byte, error) { return account.SignHash(k.Hash()), nil }}
	m, _, effects, err := coordinator.Found(self, coordinator.Input{Now: time.Now(), Entropy: entropy}, g, name, "a", ck, 0, nil, time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	disk := porttest.NewDisk()
	for _, e := range effects {
		if x, ok := e.(coordinator.Persist); ok {
			if err := disk.Commit(t.Context(), x.Batch); err != nil {
				t.Fatal(err)
			}
		}
	}
	return self, m, &disk
}
