package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

// standInNode is a node that a command asks, and the environment that leads to it.
func standInNode(t *testing.T) (*apitest.Backend, []string) {
	t.Helper()
	dir, b := t.TempDir(), apitest.New()
	s, err := api.NewServer(b, api.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := api.ListenLocal(dir)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.ServeLocal(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := errors.Join(s.Shutdown(ctx), <-done); err != nil {
			t.Error(err)
		}
	})
	return b, []string{"QUORATE_DATA_DIR=" + dir, "TERM=xterm"}
}

// proposals are the requests to propose, or to show what that would be.
func proposalsOf(b *apitest.Backend) (out []api.Propose) {
	for _, r := range b.Requests() {
		if p, ok := r.(api.Propose); ok {
			out = append(out, p)
		}
	}
	return out
}

func approvals(b *apitest.Backend) (out []api.Approve) {
	for _, r := range b.Requests() {
		if p, ok := r.(api.Approve); ok {
			out = append(out, p)
		}
	}
	return out
}

// On a terminal a payment is shown before it is proposed, and what is proposed is that.
func TestProposeAsksFirst(t *testing.T) {
	b, env := standInNode(t)
	line := []string{"propose", "family", "--to", apitest.Address + "=0.01", "--fee-rate", "2"}
	s := onTerminal(t, append(env, "NO_COLOR=1"), line...)
	s.expect("Payment from family: nothing is signed or written yet.")
	s.expect("pays")
	s.expect(apitest.Address)
	s.expect("1.5 sat/vB")
	s.expect("change")
	s.answer("Propose this payment and sign it? [yes/no] ", "y")
	text := s.ends(4)
	if got := proposalsOf(b); len(got) != 1 || got[0].Draft != "" {
		t.Fatalf("asked of the node: %+v", got)
	}
	if !strings.Contains(text, "nothing was done") {
		t.Errorf("%s", text)
	}
	if lines := wide(text); len(lines) > 0 {
		t.Errorf("wider than the terminal: %q", lines)
	}
	if strings.Contains(text, "\x1b[") {
		t.Errorf("coloured in spite of NO_COLOR: %q", text)
	}

	s = onTerminal(t, env, line...)
	s.answer("sign it? [yes/no] ", "yes")
	if text := s.ends(0); !strings.Contains(text, "quorate approve "+apitest.ProposalID[:32]) || !strings.Contains(text, "\x1b[") {
		t.Errorf("%q", text)
	} else if n := strings.Count(text, "look twice"); n != 1 {
		t.Errorf("what to look at twice is shown %d times: %q", n, text)
	}
	got := proposalsOf(b)
	if len(got) != 3 || got[2].Draft != apitest.DraftName || got[1].Draft != "" {
		t.Fatalf("asked of the node: %+v", got)
	}
	got[2].Draft = ""
	if !slices.Equal(got[2].To, got[1].To) || got[2].FeeRate != got[1].FeeRate {
		t.Errorf("shown %+v, proposed %+v", got[1], got[2])
	}

	// A script on a terminal says --yes.
	s = onTerminal(t, env, append(line, "--yes")...)
	if text := s.ends(0); strings.Count(text, "look twice") != 1 {
		t.Errorf("nobody is told what to look at twice: %q", text)
	}
	if got := proposalsOf(b); len(got) != 4 || got[3].Draft != "" {
		t.Fatalf("asked of the node: %+v", got)
	}
}

// What changed while somebody looked at it is shown anew.
func TestProposeShowsWhatChanged(t *testing.T) {
	b, env := standInNode(t)
	b.Fail("Propose", api.Refuse("draft_changed", "it changed", ""))
	s := onTerminal(t, env, "propose", "family", "--to", apitest.Address+"=0.01")
	s.answer("sign it? [yes/no] ", "yes")
	s.expect("It changed meanwhile")
	b.Fail("Propose", nil)
	s.answer("sign it? [yes/no] ", "yes")
	s.ends(0)
}

// Approve shows everything again, takes the only proposal that waits, and says which
// transaction was shown.
func TestApproveAsksFirst(t *testing.T) {
	b, env := standInNode(t)
	b.SetMe("bob")
	s := onTerminal(t, append(env, "NO_COLOR=1"), "approve")
	s.expect("Payment from family, proposed by alice")
	s.expect(apitest.Address)
	s.expect("warning (chain_behind)")
	s.answer("Sign this payment? A signature cannot be called back. [yes/no] ", "no")
	if text := s.ends(4); len(wide(text)) > 0 {
		t.Errorf("wider than the terminal: %q", wide(text))
	}
	if got := approvals(b); len(got) != 0 {
		t.Fatalf("asked of the node: %+v", got)
	}
	s = onTerminal(t, env, "approve", apitest.ProposalID[:32])
	s.answer("[yes/no] ", "YES")
	s.ends(0)
	if got := approvals(b); len(got) != 1 || got[0].TxID != apitest.TxID {
		t.Fatalf("asked of the node: %+v", got)
	}
	b.SetStatus(api.StatusBroadcast)
	s = onTerminal(t, env, "approve", apitest.ProposalID)
	if text := s.ends(0); strings.Contains(text, "yes/no") {
		t.Errorf("it asks about what is decided: %s", text)
	}
	s = onTerminal(t, env, "approve")
	if text := s.ends(3); !strings.Contains(text, "no proposal waits") {
		t.Errorf("%s", text)
	}
}

// signedFile is a file with a PSBT; the stand-in takes any.
func signedFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "signed.psbt")
	if err := os.WriteFile(path, []byte("cHNidP8BAAoCAAAAAAAAAAAAAA=="), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Nothing that cannot be undone is done on a terminal without a question.
func TestQuestionsBeforeWhatCannotBeUndone(t *testing.T) {
	for _, line := range []string{
		"reject " + apitest.ProposalID + " --reason no", "withdraw " + apitest.ProposalID, "wallet abandon family", "wallet archive family",
		"wallet rekey family", "wallet host family carol --external [aabbccdd/48h/1h/0h/2h]tpub", "wallet invite family --replace bob",
		"psbt export " + apitest.ProposalID + " --for-signing", "psbt import " + signedFile(t), "wallet approve-replacement family " + strings.Repeat("ab", 32),
	} {
		b, env := standInNode(t)
		before := func() int {
			return len(slices.DeleteFunc(b.Requests(), func(r any) bool {
				_, looks := r.(api.PendingQuery)
				x, imports := r.(api.ImportPSBT)
				return looks || imports && x.DryRun
			}))
		}
		s := onTerminal(t, append(env, "NO_COLOR=1"), strings.Fields(line)...)
		s.answer("[yes/no] ", "")
		if text := s.ends(4); len(wide(strings.ReplaceAll(text, "[yes/no]", ""))) > 0 {
			t.Logf("%s: wider than the terminal: %q", line, wide(text))
		}
		if n := before(); n != 0 {
			t.Errorf("%s: %d requests before it was agreed to", line, n)
		}
		s = onTerminal(t, env, append(strings.Fields(line), "--yes")...)
		s.ends(0)
	}
	_, env := standInNode(t)
	for _, line := range []string{"wallet archive family --undo", "wallet invite family", "pending", "addresses family", "coins family", "history family", "proposals family", "wallet list", "wallet show family", "status", "peers", "labels list family", "proposal show c0ffee",
		// The only wallet of a node needs no name.
		"addresses", "coins", "history --since 2026-01-01 --until 2026-12-31", "proposals", "labels list", "labels export", "wallet show", "wallet export", "wallet invite",
		"wallet rename savings", "wallet rescan --from 1", "wallet prove --unproven", "label " + apitest.TxID + " rent", "propose --to " + apitest.Address + "=10mBTC --fee-rate 2 --yes",
		"wallet rekey --yes", "wallet host carol --external [aabbccdd/48h/1h/0h/2h]tpub --yes", "wallet approve-replacement --yes " + strings.Repeat("ab", 32)} {
		s := onTerminal(t, append(env, "NO_COLOR=1"), strings.Fields(line)...)
		text := s.ends(0)
		if lines := wide(text); len(lines) > 0 && line != "proposal show c0ffee" && line != "status" && !strings.Contains(line, "export") {
			t.Errorf("%s: wider than the terminal: %q", line, lines)
		}
	}
}
