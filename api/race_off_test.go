//go:build !race

package api_test

const eachWrong = 1
