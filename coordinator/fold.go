package coordinator

// Rules that make an entry inert. Each is a name that `peers` and `status` show.
const (
	ruleNotAuthor = "not_the_author"
)
