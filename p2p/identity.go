package p2p

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/quorate/quorate/journal"
)

var errNotEd25519 = errors.New("peer ID does not hold an Ed25519 key")

// PeerID returns the libp2p peer ID of an author: the same Ed25519 key.
func PeerID(a journal.Author) (peer.ID, error) {
	pub, err := crypto.UnmarshalEd25519PublicKey(a[:])
	if err != nil {
		return "", fmt.Errorf("read author key: %w", err)
	}
	id, err := peer.IDFromPublicKey(pub)
	if err != nil {
		return "", fmt.Errorf("derive peer ID: %w", err)
	}
	return id, nil
}

// AuthorOf returns the author behind a peer ID, or an error where the peer ID
// does not hold an Ed25519 key.
func AuthorOf(id peer.ID) (journal.Author, error) {
	var a journal.Author
	pub, err := id.ExtractPublicKey()
	if err != nil {
		return a, errNotEd25519
	}
	raw, err := pub.Raw()
	if err != nil || pub.Type() != crypto.Ed25519 || len(raw) != len(a) {
		return a, errNotEd25519
	}
	copy(a[:], raw)
	return a, nil
}

func hostKey(id *journal.Identity) (crypto.PrivKey, error) {
	seed := id.Seed()
	key, err := crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		return nil, fmt.Errorf("make host key: %w", err)
	}
	return key, nil
}
