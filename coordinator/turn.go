package coordinator

import (
	"errors"
	"fmt"
	"slices"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// Turn is what one commit makes durable together: messages that a machine takes
// one after the other, the batch they make, and what follows from it. Whatever
// runs a machine runs it by turns, so that all of them keep to the same order:
// take, commit, execute. A Turn is synchronous and starts no goroutine.
type Turn struct {
	shell   Shell
	machine Machine
	batch   port.Batch
	effects []Effect
	judging bool // a robot is being asked: what that changes is looked at afterwards
}

// Together is how many entries one turn takes at most: so many share a batch.
const Together = 128

// Shell is what a turn asks of whoever runs it.
type Shell struct {
	// Input gives a message the time and the entropy of its step.
	Input func(Message) (Input, error)
	// Sign asks for this node's signatures.
	Sign func(local Local, spend *wallet.Spend) ([]wallet.Signature, error)
	// Claim asks for the signature of a claim by this node's account key.
	Claim func(local Local, claim event.KeyClaim) ([]byte, error)
	// May asks a signer in another process whether it would sign, before anything is made
	// durable for it. It is nil where there is none.
	May func(local Local, spend *wallet.Spend) error
	// Detached is set where the signer is another process: it makes the sign guard
	// durable before that is asked.
	Detached func([]port.GuardUpdate) error
	// Fault hears of a fault of this program that was contained, or is nil.
	Fault func(what string, err error)
}

// NewTurn begins a turn of a machine.
func NewTurn(m Machine, sh Shell) *Turn {
	return &Turn{shell: sh, machine: m, batch: port.Batch{Group: m.State.Group(), Puts: map[string][]byte{}}}
}

// Machine returns the machine as it is after what was taken. It holds once Finish
// has returned.
func (t *Turn) Machine() Machine { return t.machine }

// Take runs Step for a message and, where that asks for signatures, at once for
// its result: no other message comes in between. What it returns is true once
// Finish has returned.
func (t *Turn) Take(msg Message) (any, error) {
	in, err := t.shell.Input(msg)
	if err != nil {
		return nil, err
	}
	next, effects, err := t.step(in)
	if err != nil {
		return nil, err
	}
	for _, e := range effects {
		if x, ok := e.(Sign); ok {
			// Nothing of this step is kept but the question: Step asks every
			// rule again when the answer comes.
			return t.Take(t.sign(next.local, x))
		}
	}
	var value any
	for _, e := range effects {
		switch x := e.(type) {
		case Persist:
			t.batch.Merge(x.Batch)
		case Reply:
			value = x.Value
		default:
			t.effects = append(t.effects, e)
		}
	}
	t.machine = next
	_, tick := msg.(Tick)
	if tick {
		t.signDue()
		t.answerDue()
	}
	t.judgeDue(tick)
	return value, nil
}

// judgeDue has a robot say what is new, and sign what it may. What hinders it is tried again
// with the next tick.
func (t *Turn) judgeDue(tick bool) {
	if !t.machine.robotDue(tick) || t.judging {
		return
	}
	t.judging = true
	defer func() { t.judging = false }()
	if tick {
		_, _ = t.Take(FollowPolicy{})
	}
	in, err := t.shell.Input(FollowPolicy{})
	if err != nil {
		return
	}
	next, due := t.machine.dueVerdicts(in, tick)
	t.machine = next
	for _, id := range due {
		_, _ = t.Take(Judge{id})
	}
}

// answerDue has this node answer a ping that is open: what hinders it hinders nothing else.
func (t *Turn) answerDue() {
	if !t.machine.State.AnyAsked() {
		return
	}
	in, err := t.shell.Input(Tick{})
	if err != nil {
		return
	}
	next, due, ok := t.machine.duePing(in.Now)
	t.machine = next
	if ok {
		_, _ = t.Take(due)
	}
}

// signDue has a bump signed that its user agreed to before. What hinders it, a signer
// that does not answer, say, hinders nothing else: it is tried again with the next tick.
func (t *Turn) signDue() {
	if t.machine.watch.bumps.Len() == 0 {
		return
	}
	in, err := t.shell.Input(SignBump{})
	if err != nil {
		return
	}
	next, due, ok := t.machine.dueBump(in)
	t.machine = next
	if ok {
		_, _ = t.Take(SignBump{due})
	}
}

// sign answers the question for signatures.
func (t *Turn) sign(local Local, x Sign) Signed {
	out := x.Signed
	if x.Claim != nil {
		out.Proof, out.Err = t.shell.Claim(local, *x.Claim)
		return out
	}
	if t.shell.May != nil {
		if out.Err = t.shell.May(local, x.Spend); out.Err != nil {
			return out
		}
	}
	if t.shell.Detached != nil && len(x.Guard) > 0 {
		// It stays so if nothing is signed: a further proposal on these coins must
		// then replace this one.
		if out.Err = t.shell.Detached(x.Guard); out.Err != nil {
			return out
		}
		if _, out.Err = t.Take(Guarded{x.Guard}); out.Err != nil {
			return out
		}
	}
	out.Signatures, out.Err = t.shell.Sign(local, x.Spend)
	return out
}

// step runs Step. A fault of this program in it is an error like any other;
// the entry that it fails on is stored without effect, so that nobody is asked
// for it again, and is told. That is this node's alone: what it makes of its
// entries differs from what others do until a version without the fault reads
// them again.
func (t *Turn) step(in Input) (next Machine, effects []Effect, err error) {
	run := func(msg Message) error {
		return group.Contained(func() (err error) {
			of := in
			of.Msg = msg
			next, effects, err = Step(t.machine, of)
			return err
		})
	}
	err = run(in.Msg)
	t.fault(fmt.Sprintf("%T", in.Msg), err)
	if e, ok := in.Msg.(EntryIn); ok && errors.Is(err, group.ErrFault) {
		err = run(unread{e.Entry})
		t.fault("unread", err)
	}
	return next, effects, err
}

func (t *Turn) fault(what string, err error) {
	if t.shell.Fault != nil && errors.Is(err, group.ErrFault) {
		t.shell.Fault(what, err)
	}
}

// Finish makes durable what was taken and then, and only then, hands the machine
// and each effect on, in order. Where commit fails the turn is as if it had never
// been, and nothing is handed on.
func (t *Turn) Finish(commit func(port.Batch) error, keep func(Machine), execute func(Effect)) error {
	if b := t.batch; !b.Empty() {
		if err := commit(t.batch); err != nil {
			return err
		}
	}
	keep(t.machine)
	for _, e := range t.effects {
		execute(e)
	}
	return nil
}

// Effects returns what follows from what was taken, in order: see Finish.
func (t *Turn) Effects() []Effect { return slices.Clone(t.effects) }

// Entries returns how many entries the turn makes durable.
func (t *Turn) Entries() int { return len(t.batch.Entries) }
