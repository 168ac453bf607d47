package coordinator

import (
	"encoding/hex"
	"strings"

	"github.com/quorate/quorate/coordinator/group"
)

// ProposalsBy returns living proposals whose id in hex starts with a prefix, in
// order of their ids: at most two, which is enough to tell whether it names one.
// It looks at no others than those with the prefix.
func (m *Machine) ProposalsBy(prefix string) []*group.Proposal {
	whole, err := hex.DecodeString(prefix[:len(prefix)&^1])
	if err != nil {
		return nil
	}
	var out []*group.Proposal
	for p := range m.State.ProposalsFrom(string(whole)) {
		if !strings.HasPrefix(hex.EncodeToString(p.Ref.ID[:]), prefix) || !m.State.Alive(p) {
			continue
		}
		if out = append(out, p); len(out) == 2 {
			break
		}
	}
	return out
}
