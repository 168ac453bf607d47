// Package service is what the API asks of a node, in the API's words:
// api.Backend over the wallets of package coordinator.
//
// A Node finds the wallet or the proposal that a request names (find.go), hands
// its actor a command or reads its Machine, and puts the answer into what the
// API shows. A member is always shown by person (person.go), an error of the
// rooms below always goes through apiError (errors.go), which gives it its kind,
// its stable code and what to do.
//
// What holds here:
//   - nothing is decided: what may be done is refused below, and only told here.
//     Checked here is what a text means: an address, an amount, a date, a cursor;
//   - nothing is kept but subscriptions (Hub), which never hold up a notice;
//   - one request sees one Machine, and a command's answer is shown as of the
//     Machine after it;
//   - a wallet that could not be opened is shown as failed, and leaves the
//     others alone.
//
// It knows neither HTTP nor libp2p nor the database: what it asks of the network
// and the store is in Parts, which package app fills in. Begin with node.go,
// status.go and proposal.go.
package service
