package coordinator

import (
	"fmt"
	"slices"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/journal"
)

// A cosigner's name is what it writes of itself. A roster in which two names look
// alike, or one cannot be seen, is neither closed nor ratified here; in a wallet
// that has one, of an older version, such a member is shown with part of its peer
// id beside its name. No entry is judged by its names: all versions must agree on
// which entries are valid (decision 0027).

// CheckName returns ErrBadRequest for what can be no name of a cosigner.
func CheckName(name string) error {
	err := event.CheckText("name", name, event.MaxNameBytes, false)
	if err == nil {
		err = group.CheckPerson(name)
	}
	if err != nil {
		return fmt.Errorf("%w: the cosigner's name %.70q: %w", refusal.ErrBadRequest, display.Line(name), err)
	}
	return nil
}

// alike says whether readers could take two names for each other.
func alike(a, b string) bool { return a == b || display.Alike(a, b) }

// checkNames refuses a roster in which a name does not tell who it is.
func checkNames(members []group.Member) error {
	for i, m := range members {
		if err := group.CheckPerson(m.Name); err != nil {
			return refusal.New(refusal.BadName, "the name of cosigner %s: %v", m.FullName(), err).
				WithHint("abandon the wallet and found another, in which that cosigner has another name")
		}
		for _, o := range members[:i] {
			if alike(o.Name, m.Name) {
				return refusal.New(refusal.NameTaken, "two cosigners have names that look alike: %s and %s", o.FullName(), m.FullName()).
					WithHint("abandon the wallet and found another, in which one of them has another name")
			}
		}
	}
	return nil
}

// namesTaken are the names in a forming wallet but that of one identity, at most
// maxAdmissions: what a founder tells a joiner at the door.
func (m *Machine) namesTaken(but journal.Author) []string {
	var out []string
	for _, c := range m.Cosigners() {
		if (c.Hosted() || c.Identity != but) && len(out) < event.MaxAdmissions {
			out = append(out, c.Name)
		}
	}
	return out
}

// FreeName refuses the name of a cosigner that one of these looks like.
func FreeName(name string, taken []string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if slices.Contains(taken, name) {
		return refusal.New(refusal.NameTaken, "a cosigner of the wallet is named %q already", name)
	}
	if i := slices.IndexFunc(taken, func(t string) bool { return alike(t, name) }); i >= 0 {
		return refusal.New(refusal.NameTaken, "a cosigner of the wallet is named %q already, which %q looks like", display.Line(taken[i]), name)
	}
	return nil
}
