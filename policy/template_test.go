package policy

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// Each template, filled for a wallet, is a policy that is valid for it, and bounds what leaves.
func TestTemplates(t *testing.T) {
	wallets := map[string]Roster{"3 of 5": testRoster()}
	for _, w := range []struct {
		name    string
		k       int
		members []string
	}{
		{"2 of 3", 2, []string{"buyer", `se"ll\er`, "vault"}}, {"2 of 2", 2, []string{"ana", "vault"}}, {"1 of 2", 1, []string{"ana", "vault"}}, {"3 of 3", 3, []string{"Ana", "Überbringer", "vault"}},
	} {
		r := testRoster()
		r.Threshold, r.Members = w.k, nil
		for i, m := range w.members {
			r.Members = append(r.Members, Member{Key: Key(i), Names: []string{m}})
		}
		wallets[w.name] = r
	}
	for name, r := range wallets {
		for _, template := range Templates() {
			text, err := Template(template, r, nil)
			if template == "escrow" && len(r.Members) < 3 {
				if !errors.Is(err, ErrTemplate) {
					t.Errorf("an escrow for %s: %v", name, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s for %s: %v", template, name, err)
				continue
			}
			p, err := Parse([]byte(text), r)
			if err != nil {
				t.Errorf("%s for %s: %v\n%s", template, name, err, text)
				continue
			}
			for i := range p.Rules {
				if p.Rules[i].unmetered() != "" || !p.boundsAll(p.Rules[i]) {
					t.Errorf("%s for %s: rule %q is bound by no meter", template, name, p.Rules[i].Name)
				}
			}
			if p.StartQuorum != uint64(min(r.Threshold, len(r.Members)-1)) {
				t.Errorf("%s for %s hears %d", template, name, p.StartQuorum)
			}
			if template != "escrow" && slices.ContainsFunc(p.Warnings(), func(w string) bool { return !strings.Contains(w, "No rule names recipient") }) {
				t.Errorf("%s for %s: %q", template, name, p.Warnings())
			}
		}
	}
}

func TestTemplateRefuses(t *testing.T) {
	r := testRoster()
	if _, err := Template("nothing", r, nil); !errors.Is(err, ErrTemplate) {
		t.Error(err)
	}
	if _, err := Template("../templates/escrow", r, nil); !errors.Is(err, ErrTemplate) {
		t.Error(err)
	}
	if _, err := Template("escrow", r, []string{"dora"}); err == nil {
		t.Error("a stranger is the robot")
	}
	if _, err := Template("escrow", r, []string{"ana", "boris", "chen", "vault-1", "vault-2"}); !errors.Is(err, ErrTemplate) {
		t.Error(err)
	}
	r.Members = r.Members[:1]
	if _, err := Template("escrow", r, nil); !errors.Is(err, ErrTemplate) {
		t.Error(err)
	}
	text, err := Template("payroll", testRoster(), []string{"vault-1", "vault-2"})
	if err != nil || !strings.Contains(text, `robots       = ["vault-1", "vault-2"]`) || !strings.Contains(text, `groups.payers = ["ana", "boris", "chen"]`) {
		t.Error(err, text)
	}
}
