package display

import "strings"

// Nearest returns the word that a person may have meant who typed another one: of
// those at most two letters away (one, for a short one), or that begin with what was
// typed, the nearest; "" where there is none. A letter too many, too few or wrong and
// two in the wrong order count as one.
func Nearest(typed string, words []string) string {
	typed = strings.ToLower(typed)
	most := 2
	if len(typed) < 4 {
		most = 1
	}
	best := ""
	for _, w := range words {
		d := apart(typed, strings.ToLower(w), most)
		if d > most && len(typed) >= 3 && strings.HasPrefix(strings.ToLower(w), typed) {
			d = most
		}
		if d <= most && (best == "" || d < most) {
			if best, most = w, d; d == 0 {
				break
			}
		}
	}
	return best
}

// apart is how many mistakes lead from a to b (optimal string alignment), or more than
// most where it is more.
func apart(a, b string, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	two, one, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range one {
		one[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			row[j] = min(one[j]+1, row[j-1]+1, one[j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], two[j-2]+1)
			}
		}
		two, one, row = one, row, two
	}
	return one[len(b)]
}
