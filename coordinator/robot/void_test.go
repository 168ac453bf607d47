package robot

import "testing"

// A coin that could never exist, as a rival of what makes it was buried, may be made once a reorg
// takes that back: also where what makes it was seen after the rival was buried.
func TestWhatCouldNeverExistComesBack(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	tx, in := w.deposit(10_000)
	rival := tx.Copy()
	rival.TxOut[0].Value--
	r := newRobot(w, metered(t))
	w.bury(rival)
	r.follow()
	p := w.pays(w.all[1], in[0], 5_000)
	r.sign(p)
	used := func() int64 { return r.uses(p)[0].Used }
	if used() == 0 {
		t.Fatal("what was signed is not charged")
	}
	w.see(tx)
	r.follow()
	if got := used(); got != 0 {
		t.Fatalf("of a coin that can never exist %d are charged", got)
	}
	w.undo()
	r.follow()
	if got, anew := used(), r.rebuilt().Uses(metered(t), 3, 2, TakesOf(w.view, r.c, p, 1))[0].Used; got == 0 || got != anew {
		t.Fatalf("after a reorg %d are charged, made anew %d", got, anew)
	}
}
