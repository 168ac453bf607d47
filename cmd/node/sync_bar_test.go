package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
)

// The bar shows how far it is, lets the log through whole, and goes away.
func TestSyncBar(t *testing.T) {
	var out bytes.Buffer
	b := &syncBar{out: &out}
	b.show(api.ChainStatus{Sync: &api.ChainSync{Stage: "block headers", Height: 40, Target: 100}})
	if !strings.Contains(out.String(), "block headers") || !strings.Contains(out.String(), "40/100") {
		t.Errorf("the bar shows %q", out.String())
	}
	const line = "level=INFO msg=hello\n"
	if n, err := b.Write([]byte(line)); n != len(line) || err != nil {
		t.Errorf("log: %d, %v", n, err)
	}
	if !strings.Contains(out.String(), line) {
		t.Errorf("the log is torn: %q", out.String())
	}
	b.show(api.ChainStatus{Sync: &api.ChainSync{Stage: "filter headers", Height: 10, Target: 100}})
	if !strings.Contains(out.String(), "filter headers") {
		t.Errorf("the second stage does not show: %q", out.String())
	}
	b.show(api.ChainStatus{Synced: true})
	before := out.Len()
	b.show(api.ChainStatus{Synced: true})
	if out.Len() != before || b.bar != nil {
		t.Error("the bar stays")
	}
}
