package explore

import (
	"fmt"
	"slices"
	"strings"
)

// words say what happens.
func (s *setting) words(a action) string {
	var b strings.Builder
	if a.letter != mine && a.letter != reorg {
		fmt.Fprintf(&b, "%c ", 'A'+a.node)
	}
	b.WriteString([...]string{"proposes", "proposes to replace", "approves", "rejects", "withdraws", "takes", "takes, before what comes before it,",
		"takes again", "is killed and starts again", "a block comes", "a reorg comes", "forks its chain at"}[a.letter])
	if slices.Contains([]letter{replace, approve, reject, withdraw, deliver, lose, repeat, fork}, a.letter) {
		b.WriteString(" " + s.called(a.which))
	}
	b.WriteString([...]string{"", ", and is killed before the commit", ", and is killed after the commit"}[a.crash])
	return b.String()
}

// schedule tells how a state was reached and what happened then, and what each
// step made its node write.
func (k *walker) schedule(at uint32, more []action) []string {
	var list []action
	for ; at != 0; at = k.steps[at].from {
		list = append(list, k.steps[at].by)
	}
	slices.Reverse(list)
	list = append(list, more...)
	w := k.open(k.states[0])
	var out []string
	for _, a := range list {
		line := k.words(a)
		was := w
		_, err := w.happen(a)
		var wrote []string
		for _, e := range w.nodes[a.node].held {
			if _, had := slices.BinarySearch(was.nodes[a.node].held, e); !had && k.entries[e].author == int(a.node) {
				wrote = append(wrote, k.called(e))
			}
		}
		if w.loose != was.loose {
			wrote = append(wrote, k.called(w.loose-1))
		}
		if len(wrote) > 0 && err == nil {
			line += ": " + strings.Join(wrote, ", ")
		}
		out = append(out, line)
	}
	return out
}
