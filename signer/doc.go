// Package signer holds Bitcoin keys and answers for them: in the process of a
// node (Local), or in a process of its own that a node asks over a Unix socket
// (Server, Client), so that what talks to the network never shares memory with a
// seed. It decides nothing: whether to sign is decided, and recorded in the sign
// guard, before it is asked. What it does see to is that it signs only inputs of
// a multisig that its own key is part of, each for all of the transaction
// (SIGHASH_ALL), and for nobody but the users it was told of.
package signer
