package coordinator

import (
	"fmt"
	"reflect"
	"time"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
)

// Step takes one input: it returns the machine as it is afterwards, and the
// effects to execute, or an error that changes nothing. It is synchronous and
// pure: the same machine and input give the same result, and the machine
// passed in stays as it was.
func Step(m Machine, in Input) (Machine, []Effect, error) {
	if in.Msg == nil || reflect.TypeOf(in.Msg).Kind() == reflect.Pointer {
		// A pointer has the methods of what it points to, and none of the rules that ask for its type.
		return m, nil, fmt.Errorf("%w: %T is no message", refusal.ErrBadRequest, in.Msg)
	}
	s := &step{m: m, before: m, in: in, batch: port.Batch{Group: m.State.Group(), Puts: map[string][]byte{}}}
	if _, ok := in.Msg.(Guarded); ok {
		err := in.Msg.run(s)
		return s.m, nil, err // nothing follows from it yet
	}
	s.tellMore()
	if err := in.Msg.run(s); err != nil {
		return m, nil, err
	}
	if err := s.settle(); err != nil {
		return m, nil, err
	}
	effects, err := s.finish()
	if err != nil {
		return m, nil, err
	}
	return s.m, effects, nil
}

func (s *step) born(x Born) error {
	if !s.m.View.Begun() && x.Height > s.m.View.Birthday() && !s.m.local.Rescanned {
		s.m.View = s.m.View.BornAt(x.Height)
		s.m.unsaved = saveEvery
	}
	answer(s, x, Done{})
	return nil
}

// guarded knows of what was made durable ahead of a step.
func (m Machine) guarded(x Guarded, now time.Time) Machine {
	for _, u := range x.Updates {
		m.Guard = m.Guard.add(u.GuardRecord)
	}
	// A signer in another process may sign them from here on, whoever entered them.
	for _, u := range x.Updates {
		for _, p := range m.State.CopiesOf(u.TxID) {
			m.desk = m.desk.Signed(m.State, m.View, p, now.Unix())
		}
	}
	return m
}
