package ops

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/wallet"
)

// DemoRobot is what a robot of the demo did.
type DemoRobot struct {
	Robot     api.Person         `json:"robot"`
	Version   string             `json:"policy_version"`
	Sentences api.List[string]   `json:"sentences"` // the policy in words
	Payments  []DemoRobotPayment `json:"payments"`
	Taken     int64              `json:"taken"` // of the policy's one meter, in satoshis
	Limit     int64              `json:"limit"`
}

// DemoRobotPayment is one payment, and what the robot said of it. TxID is empty of what was not
// mined.
type DemoRobotPayment struct {
	Proposal string                    `json:"proposal"`
	To       string                    `json:"to"`
	Amount   int64                     `json:"amount"`
	Outcome  string                    `json:"outcome"`
	Text     string                    `json:"text"`
	Reasons  api.List[api.RobotReason] `json:"reasons"`
	TxID     api.Text                  `json:"txid"`
}

// demoRobotName is what the robot of the story is called, demoPayments how many payments it
// sees, and demoPayees where it pays: the addresses of its supplier come from there on.
const (
	demoRobotName = "vault"
	demoPayments  = 3
	demoPayees    = 1000
)

// demoPolicy is what the robot of the story signs by. It names two addresses.
const demoPolicy = `title        = "Suppliers"
change_delay = "48h"
robots       = ["vault"]
start_quorum = 1

groups.people   = ["alice", "bob"]
recipients.acme = { addresses = ["%s", "%s"] }
meters.day      = { limit = "0.2btc", window = "24h", per = "group" }

[[rules]]
name    = "suppliers"
when    = { to = ["acme"], initiator = ["people"] }
require = { amount_max = "0.1btc", fee_max = "2%%", meters = ["day"] }
then    = "sign"
else    = "ask"
ask     = [{ who = "people", within = "24h" }]
`

// robot has the group vote a policy in, and shows three payments to its robot.
func (d *demo) robot(ctx context.Context, w api.Wallet) ([]DemoSpend, *DemoRobot, error) {
	var to [demoPayments]string
	for i := range to {
		var err error
		if to[i], err = demoRecipient(demoPayees + i); err != nil {
			return nil, nil, fmt.Errorf("demo: %w", err)
		}
	}
	r, err := d.votedIn(ctx, w, fmt.Sprintf(demoPolicy, to[0], to[2]))
	if err != nil {
		return nil, nil, err
	}
	var spends []DemoSpend
	for i, x := range []struct {
		outcome, what string
		amount        int64
	}{
		{"sign", "0.05 btc to acme, which the policy knows", 5_000_000},
		{"deny", "0.05 btc to an address that nobody knows", 5_000_000},
		{"ask", "0.15 btc to acme, more than the robot may sign", 15_000_000},
	} {
		p := DemoRobotPayment{To: to[i], Amount: x.amount}
		s, mined, err := d.robotPayment(ctx, w.Wallet, x.outcome, x.what, &p)
		if err != nil {
			return nil, nil, err
		}
		if r.Payments = append(r.Payments, p); mined {
			spends = append(spends, s)
		}
	}
	used, err := d.nodes[len(d.nodes)-1].Robot(ctx, w.Wallet)
	if err != nil {
		return nil, nil, err
	}
	for _, m := range used.Meters {
		r.Taken, r.Limit = m.Taken, m.Limit
	}
	d.say("\nOf the %s a day that it may sign, %s has used %s, fees included. What people signed counts nowhere.", display.Amount(r.Limit), demoRobotName, display.Amount(r.Taken))
	return spends, r, nil
}

// votedIn has the two people vote for a policy, and waits until the robot follows it.
func (d *demo) votedIn(ctx context.Context, w api.Wallet, text string) (*DemoRobot, error) {
	p, err := ReadPolicy("the policy of the demo", []byte(text), w, string(wallet.Regtest))
	if err != nil {
		return nil, err
	}
	d.say("\n%s is a robot: its node signs what the group's policy lets it sign, and nothing else; with no policy, nothing.\n%s writes one, and proposes it. It says:\n", demoRobotName, d.names[0])
	for _, line := range p.Sentences {
		d.say("    %s", line)
	}
	var put api.Policy
	if err := d.untilOn(ctx, d.nodes[0], "all to be known to understand policies", func(n *app.Node) (bool, error) {
		var err error
		put, err = n.ProposePolicy(ctx, w.Wallet, api.ProposePolicy{Canonical: base64.StdEncoding.EncodeToString(p.Canonical)})
		return err == nil, unless(err, "members_outdated")
	}); err != nil {
		return nil, err
	}
	if err := d.untilOn(ctx, d.nodes[1], "the policy on "+d.names[1], func(n *app.Node) (bool, error) {
		_, err := n.VotePolicy(ctx, w.Wallet, put.Version, api.VotePolicy{})
		return err == nil, unless(err, "members_outdated", "no_such_policy")
	}); err != nil {
		return nil, err
	}
	if err := d.until(ctx, "the robot to follow the policy", func(n *app.Node) (bool, error) {
		v, err := n.Policy(ctx, w.Wallet, put.Version)
		for _, r := range v.Robots {
			if r.Follows {
				return true, nil
			}
		}
		return false, unless(err, "no_such_policy")
	}); err != nil {
		return nil, err
	}
	d.say("\n%s reads it, and approves it: two of three, as many as sign. %s follows it from now on.", d.names[1], demoRobotName)
	r := &DemoRobot{Version: put.Version, Sentences: p.Sentences}
	for _, c := range w.Cosigners {
		if c.Name == demoRobotName {
			r.Robot = c.Person
		}
	}
	return r, nil
}

// robotPayment proposes a payment, tells what the robot makes of it, and ends it: mined where
// there are two signatures, taken back otherwise.
func (d *demo) robotPayment(ctx context.Context, id, want, what string, p *DemoRobotPayment) (s DemoSpend, mined bool, err error) {
	begin := time.Now()
	made, err := d.nodes[0].Propose(ctx, id, api.Propose{To: []api.Recipient{{Address: p.To, Amount: p.Amount}}, FeeRate: 5})
	if err != nil {
		return s, false, fmt.Errorf("demo: %s proposes: %w", d.names[0], err)
	}
	p.Proposal, s.Latency.Propose = made.Proposal, millis(begin)
	d.say("\n%s proposes to pay %s, and signs first (proposal %.12s…).", d.names[0], what, made.Proposal)
	said := time.Now()
	if err := d.untilOn(ctx, d.nodes[0], "what the robot says", func(n *app.Node) (bool, error) {
		x, err := n.Explain(ctx, made.Proposal)
		for _, v := range x.Robots {
			// It is told once its signature is here, too.
			if v.Outcome != nil && *v.Outcome != "wait" && (*v.Outcome != "sign" || x.Status != api.StatusPending) {
				p.Outcome, p.Text, p.Reasons = *v.Outcome, v.Text, v.Reasons
			}
		}
		return p.Outcome != "", err
	}); err != nil {
		return s, false, err
	}
	d.say("  %s", p.Text)
	if p.Outcome != want {
		return s, false, fmt.Errorf("demo: the robot says %s of what it should %s: %s", p.Outcome, want, p.Text)
	}
	switch want {
	case "deny":
		d.say("  %s does not sign it either, and %s takes it back", d.names[1], d.names[0])
		_, err := d.nodes[0].Withdraw(ctx, made.Proposal)
		return s, false, err
	case "ask":
		if err := d.approvals(ctx, made.Proposal, 0, &s); err != nil {
			return s, false, err
		}
	default:
		s.Latency.Approve = millis(said)
	}
	s, err = d.mined(ctx, made.Proposal, begin, s)
	p.TxID = api.Text(s.TxID)
	return s, true, err
}

// unless is an error that is none of these codes.
func unless(err error, codes ...string) error {
	var e *api.Error
	if errors.As(err, &e) {
		for _, c := range codes {
			if e.Code == c {
				return nil
			}
		}
	}
	return err
}
