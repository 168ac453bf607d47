//go:build !race

package proof

const eachByte = 1
