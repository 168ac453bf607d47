package sim

import (
	"fmt"
	"time"
)

// Plan is a whole run, made from a seed before it begins, so that parts of it
// can be left out and the rest run again.
type Plan struct {
	Seed      uint64
	K, N      int
	Found     bool  // begins before the group is founded
	Hosted    bool  // one more cosigner has no node
	Beside    bool  // the nodes have another wallet besides
	Byzantine []int // members who lie
	Network   Network
	Calm      time.Duration // when the honest have peace of each other; 0: never
	Robots    []int         // members whose nodes sign by themselves
	Allowance int           // entries that a liar may have each store at once; 0: as in the product
	Actions   []Action
}

// Network is how bad the network is while faults last.
type Network struct {
	Loss, Duplicates int           // of 1000 messages
	Delay            time.Duration // at most
	Abort            int           // of 1000 syncs, those that end in the middle
}

// Action is one thing that a user, a fault or a liar does. What R means depends
// on the kind and on what is there when it happens.
type Action struct {
	At   time.Duration
	Kind Kind
	Who  int
	R    [4]uint32
	// Beside says that it happens in the other wallet.
	Beside bool
}

// Kind is what an action does.
type Kind string

// What users do.
const (
	UserPropose  Kind = "propose"
	UserReplace  Kind = "replace"
	UserApprove  Kind = "approve"
	UserReject   Kind = "reject"
	UserBump     Kind = "bump"
	UserCancel   Kind = "cancel"
	UserWithdraw Kind = "withdraw"
	UserLease    Kind = "lease"
	UserAgain    Kind = "again" // the last request, after no answer came
	UserLabel    Kind = "label"
	UserPing     Kind = "ping"
	UserFreeze   Kind = "freeze" // a coin, or lift that
	Deposit      Kind = "deposit"
)

// What goes wrong.
const (
	Cut       Kind = "cut"       // one link
	Partition Kind = "partition" // two halves
	Crash     Kind = "crash"
	DiskFull  Kind = "disk-full"
	DiskError Kind = "disk-error"
	Skew      Kind = "clock-skew"
	Reorg     Kind = "reorg"
	Block     Kind = "block"
	Backend   Kind = "backend-down"
	Snapshot  Kind = "snapshot"
)

// What happens to whole machines.
const (
	Backup  Kind = "backup"
	Restore Kind = "restore" // the disk is lost, and a backup takes its place
	Lose    Kind = "lose"    // the disk is lost, and another device takes the member's place
)

// UserDevice is a cosigner without a node who signs with a device.
const UserDevice Kind = "device"

// quiet is when faults end.
const quiet = 4 * time.Minute

func (a Action) String() string {
	where := ""
	if a.Beside {
		where = " in the other wallet"
	}
	return fmt.Sprintf("%8s %c %s %v%s", a.At.Truncate(time.Millisecond), 'A'+rune(a.Who), a.Kind, a.R, where)
}

// weighted is how often each kind is drawn.
type weighted struct {
	kind   Kind
	weight int
}
