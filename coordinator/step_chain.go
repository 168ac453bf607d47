package coordinator

import (
	"fmt"

	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
)

// saveEvery is how many blocks without interest pass before the view is stored.
const saveEvery = 50

// chain takes a notice of the follower. The chain never decides State or
// what is stored of the journal.
func (s *step) chain(n port.ChainNotice) error {
	v := s.m.View
	touched := false
	var err error
	switch n.Kind {
	case port.Connected:
		v, touched, err = v.Connect(n.Block, n.Prev, n.Txs)
		s.m.unsaved++
		if s.m.View.CaughtUp() {
			s.do(Tell{port.Notice{Type: "chain", Group: s.m.State.Group(), Height: n.Block.Height}})
		}
	case port.Disconnected:
		v, err = v.Disconnect(n.Block)
		touched = true
	case port.Rescanned:
		v, touched = v.Rescan(n.Block, n.Txs)
	case port.Seen:
		s.sighting = true
		for _, tx := range n.Txs {
			var t bool
			v, t = v.See(tx, true)
			touched = touched || t
		}
	case port.Unseen:
		s.sighting = true // told again after a crash, by whoever follows the chain
		v, touched = v.Unsee(n.TxIDs)
	case port.CaughtUp:
		v, touched = v.CatchUp(n.Watches)
	default:
		return fmt.Errorf("%w: chain notice %d", refusal.ErrBadRequest, n.Kind)
	}
	if err != nil {
		return err
	}
	first := v.CaughtUp() && !s.m.View.CaughtUp()
	s.m.View = v
	s.lookAroundNews(n.Kind != port.Seen && n.Kind != port.Unseen)
	s.m.desk = s.m.desk.Chain(s.m.State, s.m.View)
	s.age()
	if first {
		s.sendAgain(true, false) // the backend may not have been there to take it when this node started
	}
	if touched {
		s.m.unsaved = saveEvery
	}
	return s.extend(n.Block, n.Kind == port.Rescanned)
}

// lookAroundNews looks at what rests on the transactions that changed in this
// step; blocks says that it took or gave back a block.
func (s *step) lookAroundNews(blocks bool) {
	for id := range s.m.View.News() {
		s.lookAround(id, blocks)
	}
}

// watchFrom asks the follower for further scripts, and remembers durably that
// it was asked: an unfinished rescan begins again after a restart.
func (s *step) watchFrom(scripts [][]byte, from int32) {
	s.m.View = s.m.View.AskFrom(from)
	s.m.unsaved = saveEvery
	s.do(WatchScripts{Scripts: scripts, From: from})
}

// Unsaved returns how much the View is ahead of the one in the store, in blocks:
// so many are looked at once more after a crash.
func (m *Machine) Unsaved() int { return m.unsaved }

// saveView adds what the view changed to the batch.
func (s *step) saveView() error {
	if s.sighting {
		return nil
	}
	if !s.m.View.Changes() && s.m.unsaved < saveEvery {
		return nil
	}
	if err := s.saveScripts(); err != nil {
		return err
	}
	if whole, err := s.saveTxs(); err != nil || !whole {
		s.m.unsaved = saveEvery
		return err
	}
	s.m.unsaved = 0
	b, err := s.m.View.Record()
	if err != nil {
		return err
	}
	s.batch.Puts[ledger.RecView] = b
	return nil
}

// How much of the view one step stores: more of it would not fit into a batch,
// and anybody may pay the wallet thousands of times in one block. Steps of
// entries share a batch.
const (
	savedTxs       = 1000
	savedBytes     = 8 << 20
	savedTxsEach   = savedTxs / Together
	savedBytesEach = savedBytes / Together
)

// saveTxs adds transactions that changed to the batch, and says whether these
// are all. The blocks they are in are stored with the last of them.
func (s *step) saveTxs() (bool, error) {
	most, bytes := savedTxs, savedBytes
	if _, entry := s.in.Msg.(EntryIn); entry {
		most, bytes = savedTxsEach, savedBytesEach
	}
	for id := range s.m.View.Changed() {
		if most <= 0 || bytes <= 0 {
			return false, nil
		}
		s.m.View = s.m.View.Saved(id)
		most--
		name := ledger.RecTx + id.String()
		t, ok := s.m.View.Tx(id)
		if !ok {
			s.batch.Deletes = append(s.batch.Deletes, name)
			continue
		}
		b, err := t.Record()
		if err != nil {
			return false, err
		}
		bytes -= len(b)
		s.batch.Puts[name] = b
	}
	return true, nil
}

// saveScripts stores the scripts derived since the last time.
func (s *step) saveScripts() error {
	for branch := range s.m.saved {
		if s.m.saved[branch] == s.m.View.Watched()[branch] {
			continue
		}
		recs, err := s.m.View.ScriptRecords(s.m.State.Active().Descriptor, uint32(branch), s.m.saved[branch])
		if err != nil {
			return err
		}
		for name, b := range recs {
			s.batch.Puts[name] = b
		}
		s.m.saved[branch] = s.m.View.Watched()[branch]
	}
	return nil
}

// broadcasted takes the backend's answer. One that was taken counts as seen; why one
// was not is kept for as long as it is so.
func (s *step) broadcasted(x Broadcasted) error {
	s.unqueue(mapkey.Of(x.TxID))
	defer s.handWaiting()
	t, ok := s.m.View.Tx(x.TxID)
	if !ok {
		return nil
	}
	if x.Err != nil {
		s.notSent(x.TxID, x.Err)
		return nil
	}
	s.sighting = true
	s.m.watch.reach = s.m.watch.reach.Set(mapkey.Of(x.TxID), x.Reach)
	s.sent(x.TxID)
	s.m.View, _ = s.m.View.See(t.Tx, true)
	s.lookAroundNews(false) // what it replaced is not seen any more
	return nil
}
