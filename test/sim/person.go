package sim

import (
	"crypto/sha256"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// person is who a node is: the same in all runs, so that keys are derived once.
type person struct {
	name    string
	self    *group.Self
	account *wallet.AccountKey
}

func newPerson(n int, cache *wallet.SigCache) (*person, error) {
	secret := func(what byte) [32]byte { return sha256.Sum256([]byte{what, byte(n)}) }
	sealing, err := journal.NewSealingKey(secret('k'))
	if err != nil {
		return nil, err
	}
	seed := secret('s')
	p := &person{name: string(rune('A' + n)), self: &group.Self{Identity: journal.NewIdentity(secret('i')), Sealing: sealing, Verified: cache}}
	p.account, err = wallet.DeriveAccount(seed[:], wallet.Regtest, wallet.ScriptWSH, 0)
	return p, err
}

func (p *person) id() journal.Author { return p.self.Identity.Author() }

func (p *person) key() coordinator.CosignerKey {
	return coordinator.CosignerKey{Key: p.account.Key(), Prove: func(k event.KeyClaim) ([]byte, error) { return p.account.SignHash(k.Hash()), nil }}
}
