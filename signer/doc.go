// Package signer holds Bitcoin keys and answers for them: in the process of a
// node (Local), or in a process of its own that a node asks over a Unix socket
// (Server, Client), so that what talks to the network never shares memory with a
// seed. It decides nothing: whether to sign is decided, and recorded in the sign
// guard, before it is asked. What it does see to is that it signs only inputs of
// a multisig that its own key is part of, each for all of the transaction
// (SIGHASH_ALL), and for nobody but the users it was told of.
//
// Everything that is signed today takes one round: a spend comes in, signatures
// go out, and nothing is kept in between. What takes two (nonces first, partial
// signatures next) gets requests of its own beside this one, since both sides
// refuse a field that they do not know, while a request that a signer does not
// know is answered so that the node can say that it is of an older version. Each
// of them names account, descriptor and packet as a spend does, so that the
// signer derives itself what is signed; and what is held between the rounds is
// in this process's memory only.
//
// Begin with wire.go, what is said; then server.go and client.go, the two ends,
// and local.go, which has the keys.
package signer
