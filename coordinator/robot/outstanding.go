package robot

// OutstandingAfter is for how many seconds what a robot signed may lie before a person is
// told: it counts until it is mined, or can never be.
const OutstandingAfter = 7 * 86400

// outstanding is how many transactions a robot signed so long ago, by the chain, and that
// still lie, and when it signed the first of them, Unix seconds.
func (d Desk) outstanding() (n int, first int64) {
	for x := range d.now.charges.Outstanding(d.now.charges.now - OutstandingAfter) {
		if n++; first == 0 || x.At < first {
			first = x.At
		}
	}
	return n, first
}
