package explore

import "fmt"

// called is the name of an entry: its author, its place among those that the
// author wrote in the walk, and what it is.
func (s *setting) called(e uint32) string {
	x := s.entries[e]
	n := uint64(0)
	for _, old := range s.Members[x.author].Entries {
		if old.Header().Author == x.e.Header().Author {
			n++
		}
	}
	return fmt.Sprintf("%c%d (%s)", 'A'+x.author, x.seq-n, x.text)
}

// describe says what the entries are that come of a message.
func (s *setting) describe(c call) string {
	switch c.what {
	case cmdPropose:
		return "a payment"
	case cmdReplace:
		return "a replacement"
	case cmdApprove:
		return "an approval of " + s.called(c.about)
	case cmdReject:
		return "a rejection of " + s.called(c.about)
	case cmdWithdraw:
		return "a withdrawal of " + s.called(c.about)
	}
	return "unasked"
}
