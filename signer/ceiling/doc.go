// Package ceiling is what the operator of a signer process lays over everything that its key
// signs in some wallets: rules in the language of policies (policy.ParseAlone), and a durable
// meter. It believes nothing that a node says: own is what the descriptor of a wallet derives
// that the operator named, and a coin has one amount for ever, since a signature is over it.
//
// Terms. What was signed is charged to the coins that it spends (policy/meter). A charge lies
// there for ever, because a signature can be used for ever, until the operator settles it:
// says that the transaction, or another one over its coin, is final. What a settled
// transaction took counts for one window more, by this machine's clock.
//
// Invariants. A record is on the disk before the signature leaves. Of the same file a ceiling
// says the same, whatever was cut off its end: then what was not recorded was not signed.
//
// Begin with Ceiling (ceiling.go); judge.go decides, book.go counts, file.go is what is kept.
package ceiling
