package soak_test

import (
	"flag"
	"os"
	"testing"
	"time"
)

// options say what to run. scripts/soak gives them.
type options struct {
	long    time.Duration
	seed    uint64
	dir     string // for everything that is written
	binary  string // quorate
	summary string // file for the summary in JSON, or none
	commit  string // what binary was built from
	cuts    bool   // nft may be used: this network is ours alone
}

var given = func() *options {
	o := &options{}
	flag.DurationVar(&o.long, "soak.for", 0, "how long; none without")
	flag.Uint64Var(&o.seed, "soak.seed", 0, "seed of all choices")
	flag.StringVar(&o.dir, "soak.dir", "", "directory for what is written")
	flag.StringVar(&o.binary, "soak.binary", "", "the quorate program")
	flag.StringVar(&o.summary, "soak.json", "", "file for the summary")
	flag.StringVar(&o.commit, "soak.commit", "", "what the program was built from")
	flag.BoolVar(&o.cuts, "soak.cuts", false, "cut the network with nft")
	return o
}()

// The whole group at its worst, for as long as -soak.for says.
func TestSoak(t *testing.T) {
	if given.long <= 0 {
		t.Skip("a soak is started by scripts/soak")
	}
	if err := os.MkdirAll(given.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s := newSoak(t, *given)
	s.begin()
	s.torment()
	s.settle()
	s.finish()
}
