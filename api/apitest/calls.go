package apitest

import (
	"fmt"
	"maps"

	"github.com/quorate/quorate/api"
)

// Plain leaves out of what it shows what a member would write to confuse a terminal.
func (b *Backend) Plain() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.plain = true
}

// said is a label, as a member wrote it.
func (b *Backend) said(label, hostile string) string {
	if b.plain {
		return label
	}
	return label + hostile
}

// Calls says how often each method did what it was asked.
func (b *Backend) Calls() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.calls)
}

func (b *Backend) called(method string, request any) error {
	if err := b.asked(method, request); err != nil {
		return err
	}
	b.did(method)
	return nil
}

func (b *Backend) asked(method string, request any) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if request != nil {
		b.requests = append(b.requests, request)
	}
	return b.failures[method]
}

func (b *Backend) did(method string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls[method]++
}

func (b *Backend) wallet(method, ref string, request any) error {
	if err := b.askedOf(method, ref, request); err != nil {
		return err
	}
	b.did(method)
	return nil
}

func (b *Backend) askedOf(method, ref string, request any) error {
	if err := b.asked(method, request); err != nil {
		return err
	}
	if ref != "family" && ref != WalletID {
		return api.Missing("unknown_wallet", fmt.Sprintf("wallet %.64s is not known to this node", ref), "`quorate wallet list` lists them")
	}
	return nil
}
