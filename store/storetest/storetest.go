// Package storetest is the suite that every port.Store passes.
package storetest

import (
	"testing"

	"github.com/quorate/quorate/coordinator/port"
)

// Open makes an empty store for a test. reopen gives the store that a process
// finds that starts after the former one ended; the former one is not used again.
type Open func(t *testing.T) (s port.Store, reopen func() port.Store)

// Run runs the suite.
func Run(t *testing.T, open Open) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Open)
	}{
		{"Empty", testEmpty},
		{"CommitIsAllOrNothing", testAtomic},
		{"GuardRefusesUnknown", testGuardConflict},
		{"GuardWithinOneBatch", testGuardWithinBatch},
		{"GuardRace", testGuardRace},
		{"WalkOrder", testWalkOrder},
		{"EntryTwice", testEntryTwice},
		{"Entry", testEntry},
		{"RangeLimits", testRange},
		{"RangeForked", testRangeForked},
		{"RecordsPrefix", testRecordsPrefix},
		{"RecordsReplace", testRecordsReplace},
		{"GroupsApart", testGroupsApart},
		{"NoAliases", testNoAliases},
		{"BadBatch", testBadBatch},
		{"LargeBatch", testLargeBatch},
		{"TooBig", testTooBig},
		{"Cancelled", testCancelled},
		{"Reopen", testReopen},
		{"ReadersDuringCommits", testConcurrent},
		{"WritersOfOneRecord", testSameRecord},
		{"CallsFromWalk", testCallsFromWalk},
		{"Notices", testNotices},
		{"NoticesAllOrNothing", testNoticesAtomic},
		{"NoticesTrimmed", testNoticesTrimmed},
		{"NoticesOfAllWriters", testNoticesOrdered},
		{"Closed", testClosed},
		{"Model", testModel},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open) })
	}
}
