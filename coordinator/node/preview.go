package node

import (
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
)

// Preview returns what a Propose would come to now (see coordinator.Machine.Preview).
// The actor does nothing for it.
func (a *Actor) Preview(x coordinator.Propose) (out coordinator.Drafted, err error) {
	in, err := a.input(x)
	if err != nil {
		return out, err
	}
	err = group.Contained(func() (err error) {
		out, err = a.Machine().Preview(x, in)
		return err
	})
	a.logFault("preview", err)
	return out, err
}
