package app

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/frozen"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store"
)

// Examiner collects what is wrong with a node, and what was looked at.
type Examiner struct {
	api.Examination
	// Mend makes right what is safe.
	Mend bool
	Now  time.Time
}

// Says adds what is wrong.
func (d *Examiner) Says(code, what, where, do string) *api.Ailment {
	d.Items = append(d.Items, api.Ailment{Code: code, What: what, Where: where, Do: do})
	return &d.Items[len(d.Items)-1]
}

// Made makes one ailment right, where that was asked for.
func (d *Examiner) Made(a *api.Ailment, how func() error) {
	if !d.Mend {
		return
	}
	if err := how(); err != nil {
		a.Do = "it could not be mended: " + err.Error()
		return
	}
	a.Mended = true
}

// DoMend is what to do about what is mended.
const DoMend = "`quorate doctor --mend` does it"

// Look says that a part was looked at by look, and finds it wrong where that says so.
func (d *Examiner) Look(part string, look func() error) error {
	before := len(d.Items)
	err := look()
	verdict := api.LookFine
	if len(d.Items) > before {
		verdict = api.LookBad
	}
	d.Looks = append(d.Looks, api.Look{Look: part, Verdict: verdict})
	return err
}

// Unseen says that a part was not looked at, and why.
func (d *Examiner) Unseen(why string, parts ...string) {
	for _, p := range parts {
		d.Looks = append(d.Looks, api.Look{Look: p, Verdict: api.LookNone, Note: api.Text(why)})
	}
}

// doctor looks at everything that the running node holds.
func (n *Node) doctor(ctx context.Context) (api.Examination, error) {
	d := &Examiner{Now: time.Now()}
	self, err := n.parts.Secrets.Self()
	if err != nil {
		return d.Examination, api.Fail("failed", err.Error(), "")
	}
	s, err := n.Status(ctx)
	if err != nil {
		return d.Examination, err
	}
	if err := d.Look("history", func() error { return d.Contents(ctx, n.parts.Store, self) }); err != nil {
		return d.Examination, err
	}
	if _, _, known := n.parts.Store.Space(); known {
		_ = d.Look("space", func() error { d.alarms(s, "space"); return nil })
	} else {
		d.Unseen("this system does not tell how much is free", "space")
	}
	for _, part := range []string{"listeners", "broadcasts", "alarms"} {
		_ = d.Look(part, func() error { d.alarms(s, part); return nil })
	}
	d.chain(s.Chain)
	d.Looks = append(d.Looks, backupLook(s))
	return d.Examination, nil
}

// chain looks at what the node sees of the chain. While it takes blocks in there is
// nothing to be said of those that it has not seen.
func (d *Examiner) chain(c api.ChainStatus) {
	switch {
	case c.Backend == "none":
		d.Unseen("chain.backend is none", "chain")
	case c.Problem == "" && !c.Synced:
		d.Unseen("it is not synced yet: ask again when `quorate status` says that it is", "chain")
	default:
		_ = d.Look("chain", func() error {
			if c.Problem != "" {
				d.Says("chain_problem", string(c.Problem), c.Backend, "look at the Bitcoin node, and at chain in config.toml")
			}
			return nil
		})
	}
}

// backupLook says when a backup was last made; how old one may be only its owner knows.
func backupLook(s api.Status) api.Look {
	note := "none was made through this node"
	if s.LastBackup != nil {
		note = "the last was made " + s.LastBackup.Format(time.RFC3339)
	}
	return api.Look{Look: "backup", Verdict: api.LookFine, Note: api.Text(note)}
}

// partOf is the part of a node that an alarm is about.
func partOf(code string) string {
	switch code {
	case AlarmDiskFull:
		return "space"
	case AlarmNotListening, AlarmCrowded:
		return "listeners"
	case coordinator.AlarmRefused, coordinator.AlarmUnsent, coordinator.AlarmUnseen, coordinator.AlarmUnbuilt:
		return "broadcasts"
	}
	return "alarms"
}

// alarms adds those of one part that were not found otherwise.
func (d *Examiner) alarms(s api.Status, part string) {
	known := map[string]bool{}
	for _, a := range d.Items {
		known[a.Code] = true
	}
	add := func(where string, alarms []api.Alarm) {
		for _, a := range alarms {
			if partOf(a.Code) == part && !known[a.Code] {
				d.Says(a.Code, a.Message, where, alarmAdvice(a.Code))
			}
		}
	}
	add("the node", s.Alarms)
	for _, w := range s.Wallets {
		add("wallet "+w.Name, w.Alarms)
		if part != "alarms" {
			continue
		}
		if w.State == "failed" {
			d.Says("wallet_failed", string(w.Problem), "wallet "+w.Name, "stop the node and run `quorate doctor`")
		}
		if w.Restored != nil {
			d.Says("restored_unsynced", "not heard from since the restore: "+w.Restored.Missing(), "wallet "+w.Name, "have their nodes online; until then this one does not sign")
		}
	}
}

// alarmAdvice is what to do about an alarm.
func alarmAdvice(code string) string {
	switch code {
	case AlarmDiskFull:
		return "free some space: `df -h` shows where"
	case AlarmNotListening:
		return "give this machine the address, or take it out of `listen` in config.toml and start the node again"
	case coordinator.AlarmRefused:
		return "propose a replacement with a higher fee, or see to the Bitcoin node"
	case coordinator.AlarmUnsent, coordinator.AlarmUnseen:
		return "see to the Bitcoin node, and to chain in config.toml"
	case frozen.AlarmGroup:
		return "`quorate wallet show` says by whom and why; `quorate unfreeze` lifts it, with enough cosigners"
	case coordinator.AlarmFork:
		return "ask whoever runs that node whether two copies of it run"
	case AlarmTogether:
		return "move one of the two robots to another machine, or have the policy name one alone"
	case AlarmStuck:
		return "look at the disk and at the signer, then stop the node and start it again: nothing acknowledged is lost"
	case coordinator.AlarmPaused, coordinator.AlarmSilent:
		return "`quorate robot status` says why, and docs/robot.md what to do"
	case coordinator.AlarmCharges:
		return "spend a coin of each back to the wallet, as docs/robot.md shows"
	case coordinator.AlarmUnreadable:
		return "install a newer version of quorate"
	case coordinator.AlarmParted:
		return "vote on a policy that names those in force as what it follows"
	case coordinator.AlarmPoolHeld:
		return "ask whoever runs that robot; docs/robot.md says what to do"
	case coordinator.AlarmOwnFork, coordinator.AlarmSuperseded, AlarmClock:
		return advice(code)
	}
	return "see docs/threat-model.md, and speak to the other cosigners"
}

// Contents reads everything in the store.
func (d *Examiner) Contents(ctx context.Context, db *store.Badger, self *group.Self) error {
	recs := map[journal.GroupID]map[string][]byte{{}: {}}
	entries := map[journal.GroupID][]*journal.Entry{}
	var guard []port.GuardRecord
	err := db.Inspect(ctx, func(i store.DumpItem) {
		switch {
		case i.Entry != nil:
			entries[i.Group] = append(entries[i.Group], i.Entry)
		case i.Guard != nil:
			guard = append(guard, *i.Guard)
		default:
			if recs[i.Group] == nil {
				recs[i.Group] = map[string][]byte{}
			}
			recs[i.Group][i.Key] = i.Value
		}
	}, func(x store.Damage) { d.damaged(ctx, db, x) })
	if err != nil {
		return api.Fail("store", "the store could not be read: "+err.Error(), "")
	}
	listed := map[journal.GroupID]bool{}
	for k := range recs[journal.GroupID{}] {
		if g, ok := node.GroupOf(k); ok {
			listed[g] = true
		}
	}
	sorted := func(of iter.Seq[journal.GroupID]) []journal.GroupID {
		return slices.SortedFunc(of, func(a, b journal.GroupID) int { return slices.Compare(a[:], b[:]) })
	}
	for _, g := range sorted(maps.Keys(entries)) {
		if !listed[g] {
			d.Says("wallet_unlisted", "entries of a wallet are stored that is not in the list of wallets", g.String(), RestoreElsewhere)
			listed[g] = true
		}
	}
	for _, g := range sorted(maps.Keys(listed)) {
		if len(entries[g]) == 0 && len(recs[g]) == 0 {
			continue // the node died between naming it and founding it: nothing was acknowledged
		}
		for _, f := range coordinator.Examine(ctx, self, g, recs[g], entries[g], guard, d.Now) {
			a := d.Says(f.Code, f.What, strings.TrimSpace("wallet "+g.String()[:8]+" "+f.Where), advice(f.Code))
			if f.Mend != nil {
				a.Do = DoMend
				d.Made(a, func() error { return db.Commit(ctx, *f.Mend) })
			}
		}
	}
	return nil
}

// RestoreElsewhere is what to do about what is lost.
const RestoreElsewhere = "keep a copy, and restore a backup in another data directory: the others hold what came after it"

func (d *Examiner) damaged(ctx context.Context, db *store.Badger, x store.Damage) {
	where := strings.TrimSpace("wallet " + x.Group.String()[:8] + " " + x.Where)
	if e := SystemError("it was not read", "", x.Err); e != nil {
		d.Says(e.Code, e.Message, where, e.Hint) // that says nothing about what is stored
		return
	}
	a := d.Says(x.Code, x.Err.Error(), where, RestoreElsewhere)
	if x.Code == "record_damaged" && x.Group != (journal.GroupID{}) && coordinator.Rebuilt(x.Where) {
		a.Code, a.Do = "view_damaged", DoMend
		if x.Where == "snapshot" {
			a.Code = "snapshot_stale"
		}
		d.Made(a, func() error { return dropRebuilt(ctx, db, x.Group) })
	}
}

// dropRebuilt takes away what a node makes anew: the snapshot and the view of
// the chain, which hang together.
func dropRebuilt(ctx context.Context, db *store.Badger, g journal.GroupID) error {
	var drop []string
	err := db.Inspect(ctx, func(i store.DumpItem) {
		if i.Entry == nil && i.Guard == nil && i.Group == g && coordinator.Rebuilt(i.Key) {
			drop = append(drop, i.Key)
		}
	}, func(x store.Damage) {
		if x.Code == "record_damaged" && x.Group == g && coordinator.Rebuilt(x.Where) {
			drop = append(drop, x.Where)
		}
	})
	if err != nil {
		return err
	}
	return db.Commit(ctx, port.Batch{Group: g, Deletes: drop})
}

// advice is what to do about a finding.
func advice(code string) string {
	switch code {
	case "own_chain_forked":
		return "stop the other copy; back this one up and restore it: it goes on as a new incarnation"
	case "superseded", "replaced":
		return "do not start it: the other one goes on"
	case "epoch_missing":
		return "start the node and let it reach the others: they hand it over"
	case "clock_behind":
		return "set the clock: expiries and invites go by it"
	}
	return RestoreElsewhere
}
