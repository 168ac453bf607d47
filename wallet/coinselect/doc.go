// Package coinselect picks the coins that pay for a transaction the way Bitcoin
// Core does (wallet/spend.cpp, wallet/coinselection.cpp). It is pure and knows
// nothing else of the project: not what locks a coin, only what it holds and
// what an input weighs, which the caller states. All inputs of one request
// weigh the same.
//
// Terms. A coin's worth is what it adds once the fee of its own input is paid.
// Waste is Core's measure of an answer: what its inputs cost now beyond what
// they would cost at the long-term rate, with the change or the excess. The
// pool is the coins that are worth something, from the largest down.
//
// What holds: the coins of a Selection are exactly worth what is paid, the
// change and the fee; the fee is never below the rate for the transaction at
// its heaviest; no output is dust; the same request gives the same answer in
// whatever order its coins stand. Randomness comes from the request's seed.
//
// Begin with Select (select.go), then fund.go, which weighs the answers of the
// algorithms: bnb.go, knapsack.go, grinder.go, srd.go. Rates and dust, which
// all of them rest on, are in feerate.go and dust.go.
package coinselect
