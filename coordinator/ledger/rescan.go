package ledger

// BornAt begins the scan after a height: the wallet was not paid before.
func (v View) BornAt(height int32) View {
	v.birthday = height
	return v
}

// Rewind forgets all blocks, so that the scan begins anew after a height. What was
// confirmed is in doubt until then, as after a reorg of all that is known.
func (v View) Rewind(birthday int32) View {
	if n := len(v.blocks); n > 0 {
		v.blocks = v.blocks[n-1:]
		v, _ = v.Disconnect(v.Tip()) // it is the tip
	}
	v.birthday, v.caughtUp = birthday, false
	// The stream looks at everything.
	v.rescan, v.asked, v.near = 0, false, 0
	v.late, v.looking = [2]Span{}, [2]Span{}
	return v
}

// AskFrom notes that the blocks after a height are to be looked at again, until a
// CatchUp that covers it.
func (v View) AskFrom(height int32) View {
	near := v.nearTip(height+1) && (v.rescan == 0 || v.rescan == v.near || v.nearTip(v.rescan))
	if v.rescan == 0 || height+1 < v.rescan {
		v.rescan = height + 1
	}
	if v.near = 0; near {
		v.near = v.rescan
	}
	v.asked = false
	return v
}

// Again returns one past the lowest height from which blocks are looked at again
// (0: they are not), the same where that was near the tip, whether the follower
// has taken it, and as which call. It tells two views apart.
func (v View) Again() (from, near int32, taken bool, call uint64) {
	return v.rescan, v.near, v.asked, v.call
}

// Asked says that the follower has taken what is to be looked at again, as its
// call-th.
func (v View) Asked(call uint64) View {
	v.asked, v.call = v.rescan != 0, call
	return v
}

// CatchUp says that all blocks up to the tip were streamed, and that this covers
// so many calls. It returns whether that changes anything.
func (v View) CatchUp(watches uint64) (View, bool) {
	// One that was on its way when a rescan was asked for says nothing of it.
	done := v.asked && watches >= v.call
	touched := !v.caughtUp || done
	v.caughtUp = true
	if done {
		v.rescan, v.asked, v.near = 0, false, 0
	}
	return v, touched
}
