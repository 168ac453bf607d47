// Package virtual runs the whole libp2p stack of many members in virtual time:
// what takes minutes on a network takes seconds here, and is the same each time
// but for who draws which random numbers.
package virtual
