package soak_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"time"
)

// spared are not killed, so that their memory can be watched all the way: one
// with a Bitcoin node, one light client.
func spared(i int) bool { return i == 0 || i == firstLight }

// about is a random pause of that length in the mean, at most five times as long.
func about(r *rand.Rand, d time.Duration) time.Duration {
	return min(time.Duration(r.ExpFloat64()*float64(d)), 5*d)
}

func (s *soak) miner(ctx context.Context, r *rand.Rand) {
	for pause(ctx, about(r, s.beat/3)) {
		s.mine(1)
	}
}

func (s *soak) reorger(ctx context.Context, r *rand.Rand) {
	for pause(ctx, about(r, 6*s.beat)) {
		depth := 1 + r.IntN(4)
		if _, err := s.world.Bitcoin.Reorg(depth); err != nil {
			s.fault("reorg: %v", err)
			continue
		}
		s.blocks.Add(1)
		s.reorgs.Add(1)
	}
}

// killer kills nodes: at any time, in the middle of a command, while they start.
func (s *soak) killer(ctx context.Context, r *rand.Rand) {
	back := make(chan struct{}, cosigners)
	out := 0
	for pause(ctx, about(r, s.beat)) {
		i := r.IntN(cosigners)
		n, away, delay := s.nodes[i], about(r, s.beat), time.Duration(r.IntN(120))*time.Millisecond
		early, early2, busy := r.IntN(4) == 0, time.Duration(r.IntN(3000))*time.Millisecond, r.IntN(2) == 0
		seed := r.Uint64()
		if spared(i) || !n.up() {
			continue
		}
		out++
		go func() {
			defer func() { back <- struct{}{} }()
			if busy {
				acted := make(chan struct{})
				go func() {
					defer close(acted)
					s.act(ctx, n, rand.New(rand.NewPCG(seed, 1)))
				}()
				defer func() { <-acted }()
				pause(ctx, delay)
			}
			if !n.kill() {
				return
			}
			s.kills.Add(1)
			pause(ctx, away)
			if early {
				n.startAndKill(early2)
				s.kills.Add(1)
			}
			if n.start() {
				s.restarts.Add(1)
			}
		}()
	}
	for range out {
		<-back
	}
}

func (s *soak) staller(ctx context.Context, r *rand.Rand) {
	for pause(ctx, about(r, 3*s.beat)) {
		n, long := s.nodes[r.IntN(cosigners)], about(r, s.beat)
		if n.up() && n.stall(ctx, long) {
			s.stalls.Add(1)
		}
	}
}

// cutter cuts the network between two nodes, around one, or into two parts.
func (s *soak) cutter(ctx context.Context, r *rand.Rand) {
	for pause(ctx, about(r, 2*s.beat)) {
		order := r.Perm(cosigners)
		var one, other []*node
		size, rest := 1, cosigners
		switch r.IntN(3) {
		case 0: // a pair
			rest = 2
		case 1: // two parts
			size = 2 + r.IntN(2)
		}
		for k, i := range order[:rest] {
			if k < size {
				one = append(one, s.nodes[i])
			} else {
				other = append(other, s.nodes[i])
			}
		}
		if err := nft(cutRules(addresses(one), addresses(other), r.IntN(4) == 0)); err != nil {
			s.fault("cut: %v", err)
			return
		}
		s.cuts.Add(1)
		s.touch(one, other)
		pause(ctx, about(r, 2*s.beat))
		if err := nft(noRules); err != nil {
			s.fault("heal: %v", err)
			return
		}
		s.touch(one, other)
	}
}

func (s *soak) touch(lists ...[]*node) {
	for _, l := range lists {
		for _, n := range l {
			n.touch()
		}
	}
}

func addresses(nodes []*node) string {
	var out []string
	for _, n := range nodes {
		out = append(out, n.ip)
	}
	return strings.Join(out, ", ")
}

// noRules is an empty table.
const noRules = "table inet soak\ndelete table inet soak\n"

// cutRules keep two lists of addresses apart, silently or with a refusal. What
// comes from no node's own address is kept out as well: a node whose port is
// taken dials from another.
func cutRules(one, other string, refuse bool) string {
	verdict := "drop"
	if refuse {
		verdict = "reject"
	}
	return noRules + fmt.Sprintf(`table inet soak {
	chain in {
		type filter hook input priority 0;
		ip saddr { %[1]s } ip daddr { %[2]s } %[3]s
		ip saddr { %[2]s } ip daddr { %[1]s } %[3]s
		ip saddr 127.0.0.1 ip daddr { %[1]s, %[2]s } %[3]s
	}
}
`, one, other, verdict)
}

func nft(rules string) error {
	cmd := exec.Command("nft", "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w: %s", err, out)
	}
	return nil
}
