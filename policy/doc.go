// Package policy is the language in which a group says what its robots may sign, and
// Decide, which says of one transaction whether they may. All of it is pure: it knows no
// entries, no clock, no network, and nothing of Bitcoin's scripts but the names of those
// who are paid.
//
// A policy is written as TOML (Parse), voted on and hashed in its canonical form (Encode,
// Decode), and shown as sentences that are made from the typed form (Policy.Sentences).
// The coordinator gathers Facts of a proposal, Decide makes a Verdict of them, and whoever
// holds the same Facts comes to the same Verdict.
//
// Terms: a robot is a cosigner whose node signs without a human. A rule is chosen by what
// time and figures do not change (When), and then either is fulfilled, is not yet, or never
// will be (Require). A meter is a limit of what leaves the wallet in a window of time.
//
// Invariants: nothing is signed that no rule names; the first rule whose When holds decides,
// and none after it is looked at; a smaller figure never hands a payment to another rule.
//
// Begin with Policy (policy.go), then Facts (facts.go) and Decide (decide.go).
package policy
