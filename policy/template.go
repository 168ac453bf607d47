package policy

import (
	"embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

//go:embed templates/*.toml
var templates embed.FS

// Templates are the names of what Template writes.
func Templates() []string { return []string{"payroll", "treasury", "recovery", "escrow"} }

// ErrTemplate is returned for a name that is no template's, and for a wallet that one is not for.
var ErrTemplate = errors.New("no such template")

// Template writes a policy for a wallet, with comments, to be changed and checked. The last
// member is the robot, unless robots are named.
func Template(name string, roster Roster, robots []string) (string, error) {
	b, err := templates.ReadFile("templates/" + name + ".toml")
	if err != nil {
		return "", fmt.Errorf("%w: %.40q; there are %s", ErrTemplate, name, strings.Join(Templates(), ", "))
	}
	if len(roster.Members) < 2 {
		return "", fmt.Errorf("%w for a wallet of one member: a robot is one of several", ErrTemplate)
	}
	var chosen Keys
	for _, r := range robots {
		k, err := roster.find(r)
		if err != nil {
			return "", fmt.Errorf("robot %.60q: %w", r, err)
		}
		chosen |= KeysOf(k)
	}
	var others, people []string
	for i, m := range roster.Members {
		if called := roster.called(m); chosen.Has(m.Key) || chosen == 0 && i == len(roster.Members)-1 {
			others = append(others, called)
		} else {
			people = append(people, called)
		}
	}
	if len(people) == 0 || name == "escrow" && len(people) < 2 {
		return "", fmt.Errorf("%w for a wallet with so few members who are no robots", ErrTemplate)
	}
	// Who proposes does not answer. Where nobody else could, people go on without the robot.
	answers := ""
	if n := min(len(people)-1, roster.Threshold-1); len(people) > 1 {
		answers = fmt.Sprintf(`{ who = "board", n = %d, within = "48h", amount_max = "0.3btc", meters = ["week"] }, `, max(1, n))
	}
	return strings.NewReplacer(
		"<<robots>>", tomlList(others), "<<people>>", tomlList(people), "<<answers>>", answers,
		// So many that one of them is honest while fewer than the threshold are not.
		"<<quorum>>", strconv.Itoa(min(roster.Threshold, len(roster.Members)-1)),
	).Replace(string(b)), nil
}

// called is the first name of a member that means nobody else.
func (r Roster) called(m Member) string {
	for _, n := range m.Names {
		if k, err := r.find(n); err == nil && k == m.Key {
			return n
		}
	}
	return ""
}

func tomlList(names []string) string {
	var out []string
	for _, n := range names {
		out = append(out, tomlText(n))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// tomlText is a text in a file. Names hold no control characters.
func tomlText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
