package coordinator

import (
	"errors"
	"maps"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
)

// This file is the table of messages: what each begins with.

func (x EntryIn) run(s *step) error { return s.entry(x.Entry, group.State.Add) }
func (x unread) run(s *step) error {
	return errors.Join(s.entry(x.entry, group.State.AddUnread), s.keepUnread(x.entry))
}
func (x ClaimIn) run(s *step) error {
	s.m.claims = s.m.claims.Set(mapkey.Of(x.From), maps.Clone(x.Claim.Frontier))
	s.claimed(x.From, maps.Clone(x.Claim.Frontier))
	return nil
}
func (x Tick) run(s *step) error    { return s.tick(x) }
func (x Started) run(s *step) error { return s.started() }

func (x ChainIn) run(s *step) error      { return s.chain(x.Notice) }
func (x Streamed) run(s *step) error     { return s.streamed(x) }
func (x Born) run(s *step) error         { return s.born(x) }
func (x Watched) run(s *step) error      { s.m.View = s.m.View.Asked(x.Call); return nil }
func (x LookedBackIn) run(s *step) error { return s.lookedBack(x.Found) }
func (x Broadcasted) run(s *step) error  { return s.broadcasted(x) }

func (x Guarded) run(s *step) error { s.m = s.m.guarded(x, s.now()); return nil }
func (x Signed) run(s *step) error  { return s.signed(x) }

func (x NewInvite) run(s *step) error { return s.newInvite(x) }
func (x Admit) run(s *step) error     { return s.admit(x) }
func (x Host) run(s *step) error      { return s.host(x) }
func (x ChangeKey) run(s *step) error { return s.changeKey(x) }
func (x Prove) run(s *step) error     { return s.prove(x) }
func (x Ratify) run(s *step) error    { return s.ratify(x) }
func (x Abandon) run(s *step) error   { return s.abandon(x) }
func (x Named) run(s *step) error     { return s.named(x) }

func (x Propose) run(s *step) error       { return s.propose(x) }
func (x Approve) run(s *step) error       { return s.approve(x) }
func (x SignBump) run(s *step) error      { return s.signBump(x) }
func (x Judge) run(s *step) error         { return s.judge(x) }
func (x FollowPolicy) run(s *step) error  { return s.followPolicy() }
func (x PauseRobot) run(s *step) error    { return s.pauseRobot(x) }
func (x ProposePolicy) run(s *step) error { return s.proposePolicy(x) }
func (x VotePolicy) run(s *step) error    { return s.votePolicy(x) }
func (x Reject) run(s *step) error        { return s.reject(x) }
func (x Withdraw) run(s *step) error      { return s.withdraw(x) }
func (x Remark) run(s *step) error        { return s.remark(x) }
func (x Plan) run(s *step) error          { return s.plans(x) }
func (x Unplan) run(s *step) error        { return s.unplan(x) }
func (x Resume) run(s *step) error        { return s.resume(x) }
func (x Passed) run(s *step) error        { return s.passed(x) }
func (x Delayed) run(s *step) error       { return s.delayed(x) }
func (x Settled) run(s *step) error       { return s.settled(x) }
func (x Export) run(s *step) error        { return s.export(x) }
func (x Import) run(s *step) error        { return s.importSignatures(x) }

func (x LeaseAddress) run(s *step) error      { return s.lease(x) }
func (x SetLabels) run(s *step) error         { return s.setLabels(x) }
func (x Freeze) run(s *step) error            { return s.freeze(x) }
func (x Stop) run(s *step) error              { return s.stop(x) }
func (x Lift) run(s *step) error              { return s.lift(x) }
func (x Archive) run(s *step) error           { return s.archive(x) }
func (x Rekey) run(s *step) error             { return s.rekey(x) }
func (x RescanFrom) run(s *step) error        { return s.rescanFrom(x) }
func (x Ping) run(s *step) error              { return s.ping(x) }
func (x AnswerPing) run(s *step) error        { return s.answerPing(x) }
func (x ApproveSuccession) run(s *step) error { return s.approveSuccession(x) }

// And this is what commands are answered with.

func (EntryIn) reply(a Stored) Reply        { return Reply{a} }
func (Streamed) reply(a Done) Reply         { return Reply{a} }
func (Born) reply(a Done) Reply             { return Reply{a} }
func (NewInvite) reply(a port.Invite) Reply { return Reply{a} }
func (Admit) reply(a port.Grant) Reply      { return Reply{a} }
func (Host) reply(a Done) Reply             { return Reply{a} }
func (ChangeKey) reply(a Done) Reply        { return Reply{a} }
func (Prove) reply(a Done) Reply            { return Reply{a} }
func (Ratify) reply(a Done) Reply           { return Reply{a} }
func (Abandon) reply(a Done) Reply          { return Reply{a} }
func (Named) reply(a Done) Reply            { return Reply{a} }

func (Propose) reply(a Proposed) Reply        { return Reply{a} }
func (Approve) reply(a Done) Reply            { return Reply{a} }
func (SignBump) reply(a Done) Reply           { return Reply{a} }
func (PauseRobot) reply(a Done) Reply         { return Reply{a} }
func (ProposePolicy) reply(a PolicyPut) Reply { return Reply{a} }
func (VotePolicy) reply(a Done) Reply         { return Reply{a} }
func (Reject) reply(a Done) Reply             { return Reply{a} }
func (Withdraw) reply(a Done) Reply           { return Reply{a} }
func (Remark) reply(a Done) Reply             { return Reply{a} }
func (Plan) reply(a Planned) Reply            { return Reply{a} }
func (Unplan) reply(a Done) Reply             { return Reply{a} }
func (Resume) reply(a Planned) Reply          { return Reply{a} }
func (Passed) reply(a Proposed) Reply         { return Reply{a} }
func (Delayed) reply(a Done) Reply            { return Reply{a} }
func (Settled) reply(a Done) Reply            { return Reply{a} }
func (Export) reply(a Exported) Reply         { return Reply{a} }
func (Import) reply(a Imported) Reply         { return Reply{a} }

func (LeaseAddress) reply(a Lease) Reply     { return Reply{a} }
func (SetLabels) reply(a LabelsSet) Reply    { return Reply{a} }
func (Freeze) reply(a Done) Reply            { return Reply{a} }
func (Stop) reply(a Stopped) Reply           { return Reply{a} }
func (Lift) reply(a Done) Reply              { return Reply{a} }
func (Archive) reply(a Done) Reply           { return Reply{a} }
func (Rekey) reply(a Done) Reply             { return Reply{a} }
func (RescanFrom) reply(a Done) Reply        { return Reply{a} }
func (Ping) reply(a Pinged) Reply            { return Reply{a} }
func (AnswerPing) reply(a Done) Reply        { return Reply{a} }
func (ApproveSuccession) reply(a Done) Reply { return Reply{a} }
