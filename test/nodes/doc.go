// Package nodes runs whole nodes for tests: real quorate processes with data
// directories of their own, beside a real Bitcoin node (btcd on regtest). It is
// the one place that knows how to build the program, make a node, start and end
// it, ask it, and found a group. Tests alone import it.
//
// # Terms
//
//   - [World]: what all tests of one process share: the program, built once, a
//     Bitcoin node whose faucet has coins, a passphrase. A TestMain opens and
//     closes it.
//   - [Node]: a cosigner's data directory, its API client and, while it runs, its
//     process. It is asked by command lines ([Node.Run], [Ask]), as its user
//     does, or by its client.
//   - [Daemon]: what a node, a relay and a signer have in common: a program that
//     a test runs, ends and runs again, and its log.
//   - [Process]: one run of a program. It returns errors where the others end
//     the test: for tests that go on when something dies.
//   - [Group]: a wallet and the nodes of its cosigners. [Ceremony] founds a wallet
//     of anything that has the API's words: command lines, clients, a node in
//     the test's own process.
//
// # Invariants
//
//   - Nothing here sleeps. What must come true is polled with a deadline
//     ([World.Eventually], [Poll]): the deadline is no measure, only a test that
//     fails takes that long.
//   - A process that a test started ends with the test, and all of them end with
//     the test's process, however that ends.
//   - A node sees nothing of the environment that would configure it ([Environ]).
//   - A test that fails shows the logs of its nodes.
//
// A test begins with [Open] in its TestMain, then [World.New] for each node,
// [Node.Start], [World.Found] and [Group.Fund].
package nodes
