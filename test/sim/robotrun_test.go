package sim

import (
	"flag"
	"maps"
	"slices"
	"testing"
)

var (
	robotSeeds = flag.Uint64("robots", 12, "how many seeds TestRobotSeeds runs")
	robotSeed  = flag.Uint64("robot", 0, "the one seed that TestRobotSeed replays")
)

// TestRobotSeeds runs groups whose robots have much to sign, each made from its seed.
func TestRobotSeeds(t *testing.T) {
	var all summary
	if *robotSeeds <= shard {
		all = runEach(*from, *robotSeeds, NewRobotPlan, newPool(t).RunRobots)
	} else {
		all = shards(t, "TestRobotSeeds", "robots", *robotSeeds)
	}
	if toParent(t, all) {
		return
	}
	t.Log(all.String())
	if !*quick {
		checkStrong(t, all)
	}
	for n, at := range slices.Sorted(maps.Keys(all.Failed)) {
		t.Errorf("seed %d: %s (replay: go test ./test/sim -run TestRobotSeed$ -robot %d)", at, all.Failed[at], at)
		if n == 0 && !*quick {
			t.Logf("the shortest history found:\n%s", newPool(t).ShrinkRobots(NewRobotPlan(at), 600))
		}
	}
}

// checkStrong fails where little happened in the runs: then nothing was shown.
func checkStrong(t *testing.T, all summary) {
	t.Helper()
	// For each ten seeds, less than half of what comes of most.
	for what, least := range map[string]int{
		"robots: signatures": 25, "robots: transactions that can be used": 15, "robots: signatures used": 5, "robots: signed by a pool": 10, "robots: signed with approvals": 3,
		"robots: reservations": 20, "robots: grants": 30, "robots: releases": 5, "robots: verdicts deny": 150, "robots: verdicts wait": 120, "robots: verdicts ask": 15,
		"robots: verdicts replayed": 1000, "robots: policies adopted": 15, "robots: policies moved to": 3, "robots: runs in which they signed": 7, "robots: hours passed": 4,
		"robots: replacements proposed": 15, "robots: withdrawn": 6, "robots: because meter_full": 60, "partitions": 12, "restarted": 5, "reorgs": 3,
	} {
		if n := uint64(all.Counts[what]); n*10 < uint64(least)*uint64(all.Seeds) {
			t.Errorf("%s: %d in %d seeds", what, n, all.Seeds)
		}
	}
	// What is rare, in many seeds.
	for what, each := range map[string]int{"robots: runs near the limit": 20, "robots: disks lost": 20, "robots: bumps signed": 60, "robots: coins taken without them": 60, "robots: entered again": 6} {
		if all.Counts[what] < all.Seeds/each {
			t.Errorf("%s: %d in %d seeds", what, all.Counts[what], all.Seeds)
		}
	}
}

// TestRobotSeed replays one seed and tells its history.
func TestRobotSeed(t *testing.T) {
	if *robotSeed == 0 {
		t.Skip("-robot names none")
	}
	p := newPool(t)
	r := p.RunRobots(NewRobotPlan(*robotSeed))
	if len(r.Violations) == 0 {
		t.Logf("nothing is broken:\n%s", r)
		return
	}
	t.Errorf("%s", r)
	t.Logf("the shortest history found:\n%s", p.ShrinkRobots(NewRobotPlan(*robotSeed), 600))
}

// A run of robots replays exactly, after others too.
func TestARobotSeedReplaysExactly(t *testing.T) {
	p := newPool(t)
	a := p.RunRobots(NewRobotPlan(3))
	p.RunRobots(NewRobotPlan(7))
	b := p.RunRobots(NewRobotPlan(3))
	if a.Steps != b.Steps || a.Trace != b.Trace || !maps.Equal(a.Counts, b.Counts) {
		t.Errorf("%d steps and trace %x, then %d and %x", a.Steps, a.Trace[:4], b.Steps, b.Trace[:4])
	}
}
