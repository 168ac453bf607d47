// Package simulate runs a policy over what a wallet's members ever proposed, before they vote
// on it: what one robot of that policy would have signed, asked, denied or waited for,
// against what came of it.
//
// What it goes by. Times are those that members claim, never before the proposal's own and
// never after what ended it. Approvals and rejections are those that stand now, each from
// when it was given; robots' are left out. What lies on coins, and what left by them, is as
// the chain has it now. The robot has heard everybody, no clock is in doubt, and the other
// robots grant whatever it asks for.
//
// What it cannot know. What members would have done had a robot been there; the rules for
// every cosigner beside the policy, as they were then; what others could not have known yet
// of recipients' descriptors and coins' labels. How deep a coin was then is estimated: a block
// takes ten minutes, and the chain's final time is two hours behind.
//
// All is pure: the same entries and view give the same report. Begin with Run (run.go).
package simulate
