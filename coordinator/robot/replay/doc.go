// Package replay looks whether robots told the truth: it makes each verdict in a journal again
// of the facts that were written with it, and those facts of the journal and the chain, as far
// as time does not change them. What differs is named, field by field.
//
// Compared: the verdict with what policy.Decide says of the facts; the facts with the
// transaction (what goes in and out, to whom, its size, script and initiator; that a bump is
// of what the robot had signed; the offsets of zones), with what the robot wrote before (the policy
// that it followed, since when it waits, whom it asked, that its time never goes back), with the members'
// signatures (that who approved signed), and with what it signed before (that so much of a
// meter was used at least). And it looks for signatures that no verdict goes before.
//
// Not compared, since it is the robot's word or was otherwise then: who was heard, the height,
// how deep and old coins were, labels, rejections, freezes, refusals of the rules for every
// cosigner, doubt of the clock. What this node cannot tell (it lacks the
// proposal, say) is Open, and no difference.
//
// Begin with Page (page.go); verdict.go and facts.go have what is compared.
package replay
