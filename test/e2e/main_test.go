package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/quorate/quorate/test/nodes"
)

// patience is how long a condition may take to come true. It is not a measure:
// only a test that fails takes this long.
const patience = 60 * time.Second

// world is what all tests share. They run one after the other.
var world *nodes.World

func TestMain(m *testing.M) {
	code, err := with(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "end-to-end tests:", err)
		code = 1
	}
	os.Exit(code)
}

func with(m *testing.M) (code int, err error) {
	if world, err = nodes.Open(context.Background(), nodes.Options{Name: "e2e", Patience: patience}); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, world.Close()) }()
	return m.Run(), nil
}

// What the tests call what they use most.
type (
	node   = nodes.Node
	party  = nodes.Group
	answer = nodes.Answer
)

const walletName = nodes.WalletName

func ask[T any](n *node, args ...string) T {
	n.T.Helper()
	return nodes.Ask[T](n, args...)
}

func read[T any](t testing.TB, a answer) T {
	t.Helper()
	return nodes.Read[T](t, a)
}

func outside(t testing.TB) string {
	t.Helper()
	return nodes.Outside(t)
}

func pay(t testing.TB, sat int64, more ...string) []string {
	t.Helper()
	return nodes.Pay(t, sat, more...)
}

// newNode is a node with the settings that most have, made with more flags of init.
func newNode(t testing.TB, name string, flags ...string) *node {
	t.Helper()
	return world.New(t, nodes.Config{Name: name}, flags...)
}

// newNodeOn is newNode with another chain backend.
func newNodeOn(t testing.TB, name, backend string) *node {
	t.Helper()
	return world.New(t, nodes.Config{Name: name, Backend: backend})
}

// newGroup makes nodes and holds the whole ceremony over their command lines.
func newGroup(t testing.TB, threshold, cosigners int) *party {
	t.Helper()
	var all []*node
	for i := range cosigners {
		all = append(all, newNode(t, string(rune('a'+i))).Start())
	}
	return groupOf(t, threshold, all...)
}

// groupOf is newGroup with nodes that run already. Each has heard from all others
// when it ratifies.
func groupOf(t testing.TB, threshold int, all ...*node) *party {
	t.Helper()
	g := world.Found(t, threshold, all...)
	for i, r := range g.Ratified {
		if len(r.HeardFrom) != len(all)-1 {
			t.Errorf("%s ratified words heard from %v", all[i].Name, r.HeardFrom)
		}
	}
	return g
}
