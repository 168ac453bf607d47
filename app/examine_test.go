package app

import (
	"testing"

	"github.com/quorate/quorate/api"
)

// A chain that is not synced yet is not said to be fine: what is in the blocks to come
// was not looked at.
func TestAChainThatIsNotSyncedIsNotLookedAt(t *testing.T) {
	for name, x := range map[string]struct {
		chain   api.ChainStatus
		verdict string
		code    string
	}{
		"synced":     {api.ChainStatus{Backend: "core", Synced: true}, api.LookFine, ""},
		"not synced": {api.ChainStatus{Backend: "core"}, api.LookNone, ""},
		"away":       {api.ChainStatus{Backend: "core", Problem: "gone"}, api.LookBad, "chain_problem"},
		"none":       {api.ChainStatus{Backend: "none"}, api.LookNone, ""},
	} {
		var d Examiner
		d.chain(x.chain)
		if len(d.Looks) != 1 || d.Looks[0].Verdict != x.verdict || (x.verdict == api.LookNone) != (d.Looks[0].Note != "") {
			t.Errorf("%s: %+v", name, d.Looks)
		}
		if (x.code == "") != (len(d.Items) == 0) || x.code != "" && d.Items[0].Code != x.code {
			t.Errorf("%s: %+v", name, d.Items)
		}
	}
}
