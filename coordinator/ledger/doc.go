// Package ledger is what this node sees of the Bitcoin chain for one wallet: the
// View, with every transaction that pays the wallet or spends from it, and the
// block each is in.
//
// Terms. A script is watched, a coin (Out) is of the wallet, a transaction is of
// interest where it has to do with either. Rivals spend the same coin. The
// birthday is the height before which the wallet was not paid. A rescan looks at
// blocks again; looking back does so beside the stream, for addresses that came
// to be watched late.
//
// Invariants. A View is an immutable value: each step returns the next one, and
// what it finds its transactions by is kept up with them. It never decides what
// members say, nor what is stored of that; and it knows nothing of them. What
// says whether a transaction counts takes both, and is of package coordinator.
//
// Begin with view.go, which has the View and the steps of blocks; read.go has
// what is asked of it, rescan.go and lookback.go how old blocks are looked at,
// record.go and scripts.go what a restart needs.
package ledger
