package node

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
)

// taking is a backend that says beforehand whether it takes a transaction.
type taking struct {
	port.Chain
	test   error
	handed int
}

func (c *taking) TestAccept(context.Context, *wire.MsgTx) error { return c.test }

func (c *taking) Broadcast(context.Context, *wire.MsgTx) (port.Reach, error) {
	c.handed++
	return port.ReachNode, nil
}

// What the backend says it refuses is not handed over; what it cannot say is no refusal.
func TestABackendIsAskedBeforehand(t *testing.T) {
	refusal := fmt.Errorf("%w: dust", port.ErrTxRejected)
	for _, x := range []struct {
		test error
		want error
	}{{nil, nil}, {port.ErrUnsupported, nil}, {errors.New("away"), nil}, {refusal, refusal}} {
		c := &taking{test: x.test}
		a := &Actor{ports: Ports{Chain: c}}
		if _, err := a.hand(t.Context(), wire.NewMsgTx(2)); !errors.Is(err, x.want) || (c.handed == 0) != (x.want != nil) {
			t.Errorf("%v: %v, handed over %d times", x.test, err, c.handed)
		}
	}
}
