package main

import (
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/quorate/quorate/api/apitest"
)

// nodes are the stand-in nodes of the scripts, by their work directory.
var nodes registry

type registry struct {
	mu sync.Mutex
	by map[string]*apitest.Backend
}

func (r *registry) store(work string, b *apitest.Backend) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by == nil {
		r.by = map[string]*apitest.Backend{}
	}
	r.by[work] = b
}

func (r *registry) load(ts *testscript.TestScript) *apitest.Backend {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.by[ts.Getenv("WORK")]
	if b == nil {
		ts.Fatalf("no stand-in node; use fakenode first")
	}
	return b
}
