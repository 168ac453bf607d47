package robot

// Codes of why a robot is silent whatever is proposed, besides those of refusals.
const (
	UnreadyPaused  = "paused"             // its operator stopped it
	UnreadyEntries = "unreadable_entries" // it cannot open all that it holds
)

// RefusedElse is the code of what refuses a transaction and has none of its own.
const RefusedElse = "refused"
