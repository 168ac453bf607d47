// Package display decides which characters of text from elsewhere may reach a
// terminal, a log or a page, and which names look alike. It is the one list of
// them: whoever shows or takes text asks it.
//
// Nothing here decides whether an event of a journal is valid. The tables of
// Unicode grow with each version of Go, and two nodes of one wallet must never
// read one entry in two ways (decision 0027).
package display
