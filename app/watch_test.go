package app

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
)

// What is new of a proposal is one line each, and no amount, address or note is in any.
func TestTheLogbook(t *testing.T) {
	var log bytes.Buffer
	noTime := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{} // its digits may be those of an amount
		}
		return a
	}
	l := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{ReplaceAttr: noTime}))
	who := func(name string) api.Person {
		id := "12D3KooW" + name
		return api.Person{Name: name, PeerID: &id}
	}
	p := api.Proposal{
		Proposal: "78e5", Author: who("alice"), Status: "pending", TxID: "ab12", Threshold: 2, Note: "rent for May", Fee: 4711,
		Outputs: []api.TxOutput{{Address: "bcrt1qsecret", Amount: 123456}},
	}
	var b logbook
	var said []string
	note := func(change func()) []string {
		t.Helper()
		if change != nil {
			change()
		}
		log.Reset()
		b.note(l, "treasury", p)
		said = nil
		for line := range strings.Lines(log.String()) {
			var x map[string]any
			if err := json.Unmarshal([]byte(line), &x); err != nil {
				t.Fatal(err)
			}
			if x["wallet"] != "treasury" || x["proposal"] != "78e5" || x["level"] != "INFO" {
				t.Errorf("%s", line)
			}
			by, _ := x["by"].(string)
			said = append(said, strings.TrimSpace(x["msg"].(string)+" "+by))
		}
		for _, secret := range []string{"bcrt1q", "123456", "rent", "4711"} {
			if strings.Contains(log.String(), secret) {
				t.Errorf("the log holds %s: %s", secret, &log)
			}
		}
		return said
	}
	for _, x := range []struct {
		change func()
		want   string
	}{
		{func() { p.Approvals = append(p.Approvals, api.Approval{Cosigner: who("alice")}) }, "proposed alice, approved alice"},
		{nil, ""},
		{func() { p.Rejections = append(p.Rejections, api.Rejection{Cosigner: who("carol"), Reason: "rent"}) }, "rejected carol"},
		{func() { p.Approvals, p.Status = append(p.Approvals, api.Approval{Cosigner: who("bob")}), "final" }, "approved bob, proposal is final"},
		{func() { p.Status = "broadcast" }, "proposal is broadcast"},
		{func() { p.Status = "confirmed" }, "proposal is confirmed"},
		{nil, ""},
		{func() { b = logbook{} }, "proposal is confirmed"}, // after a restart: nobody votes anew
	} {
		if got := strings.Join(note(x.change), ", "); got != x.want {
			t.Errorf("said %q, not %q", got, x.want)
		}
	}
}

// An alarm begins and ends once each, whatever order they are looked at in.
func TestAlarmsBeginAndEnd(t *testing.T) {
	a, b := standing{"w", "foreign_spend", "x"}, standing{"", AlarmDiskFull, "y"}
	for _, x := range []struct {
		before, now map[string]standing
		began, over int
	}{
		{nil, map[string]standing{"1": a}, 1, 0},
		{map[string]standing{"1": a}, map[string]standing{"1": a, "2": b}, 1, 0},
		{map[string]standing{"1": a, "2": b}, map[string]standing{"2": b}, 0, 1},
		{map[string]standing{"2": b}, nil, 0, 1},
	} {
		if began, over := differ(x.before, x.now); len(began) != x.began || len(over) != x.over {
			t.Errorf("%+v: began %v, over %v", x, began, over)
		}
	}
}

// Each answer of the operating system has words, a code and a way out of its own; what
// is no such answer has none.
func TestWordsOfTheSystem(t *testing.T) {
	dir := t.TempDir()
	seen := map[string]bool{}
	for errno, code := range map[syscall.Errno]string{
		syscall.EACCES: "permission_denied", syscall.EROFS: "read_only", syscall.EMFILE: "too_many_open_files", syscall.ENFILE: "too_many_open_files",
		syscall.EIO: "disk_error", syscall.ENOSPC: "disk_full", syscall.ENOLCK: "no_locks",
	} {
		err := &os.PathError{Op: "open", Path: dir + "/db/000001.vlog", Err: errno}
		for _, e := range []*api.Error{SystemError("it was not opened", dir, err), api.AsError(storeError(dir, err)), api.AsError(err)} {
			if e.Code != code || e.Hint == "" || !strings.Contains(e.Message, "000001.vlog") || strings.Contains(e.Error(), "corrupt") || strings.Contains(e.Hint, "restore") {
				t.Errorf("%v: %+v", errno, e)
			}
		}
		if e := SystemError("x", dir, err); seen[e.Message] {
			t.Errorf("%v has the words of another", errno)
		} else {
			seen[e.Message] = true
		}
	}
	if e := SystemError("x", dir, os.ErrNotExist); e != nil {
		t.Errorf("%v", e)
	}
}

// Root works in no data directory of another user, and says as whom to.
func TestRootWorksInNoOthersDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := ownDir(dir+"/none", 0); err != nil {
		t.Errorf("one that is not there: %v", err)
	}
	if os.Geteuid() != 0 {
		if err := ownDir(dir, 0); api.AsError(err) == nil || api.AsError(err).Code != "other_owner" {
			t.Errorf("root in ours: %v", err)
		}
		return
	}
	if err := OwnDir(dir); err != nil {
		t.Errorf("its own: %v", err)
	}
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	_, err := Unlock(dir, "", nil)
	if e := api.AsError(err); e == nil || e.Code != "other_owner" || !strings.Contains(e.Hint, "sudo -u ") {
		t.Errorf("%v", err)
	}
	if err := ownDir(dir, 65534); err != nil {
		t.Errorf("its owner: %v", err)
	}
}

// A node that does not listen somewhere, or whose disk is full, has an alarm for it.
func TestTheReasonsOfACheck(t *testing.T) {
	s := api.Status{Chain: api.ChainStatus{Backend: "core", Synced: true}}
	if got := s.Check(); len(got) != 0 {
		t.Errorf("a healthy node: %+v", got)
	}
	s.Chain.Synced = false
	s.Alarms = []api.Alarm{{Code: AlarmDiskFull, Message: "full", Since: time.Now()}}
	s.Wallets = []api.WalletSummary{
		{Name: "w", State: "active", Alarms: []api.Alarm{{Code: "equivocation", Message: "bob"}}, Restored: &api.Restored{Unread: 1}},
		{Name: "x", State: "failed", Problem: "y"}, {Name: "z", State: "archived", Alarms: []api.Alarm{{Code: "address_tie"}}},
	}
	var codes []string
	for _, r := range s.Check() {
		codes = append(codes, r.Code)
	}
	if got := strings.Join(codes, " "); got != "chain_not_synced disk_full equivocation restored_unsynced wallet_failed" {
		t.Errorf("reasons %s", got)
	}
}
