// Package leak looks for a group's secrets where outsiders may look: in what
// its nodes send, in what they store, and in what they log. It holds tests only.
package leak
