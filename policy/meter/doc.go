// Package meter counts what a robot signed, for the limits of a policy: what lies on coins
// because a signature can be used for ever, and what left in a window of time.
//
// Terms. A transaction takes an amount for a subject: all that leaves, an initiator, a
// recipient. A charge is what signing it adds; it lies on the first of its coins. A spend is
// buried once it is so deep that it is taken for final; the caller says when. Times are
// median times past of blocks, since no clock can be trusted with a limit; now is that of the
// newest block which is final. (By the tip's, a reorg of the last blocks takes back a time by
// which a charge has ended: what is signed since then confirms in the same window.)
//
// Why the limit holds. Signing takes care that what lies on the coins of each transaction is
// at least what it takes. Of transactions that can all confirm no two share a coin, so what
// they take together is at most what lies, whichever of them somebody keeps back for however
// long; and what was buried counts until it is out of every window that anything signed later
// can be in. So if a transaction is signed only while what is used and what it adds keep to a
// limit, then no window of time ever has more than the limit. It holds in each chain in which
// what was buried when the last transaction of a window was signed stays buried.
//
// A Book is a function of three things: what was signed, in its order; which spends are
// buried; which coins are void. The order of the last two never matters. The order of signing
// says on which coins charges lie, and how much there is of them where transactions share
// coins: what is used may differ by it, that the limit holds does not.
//
// Invariants. All is an immutable value, and knows nothing of policies, journals, or scripts:
// the caller says what a transaction takes. A signature is never taken back.
//
// Begin with Book (book.go); chain.go has what happens to coins, sums.go how it is added up.
package meter
