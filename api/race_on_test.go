//go:build race

package api_test

// eachWrong: under the race detector, which makes it many times slower, one wrong request
// in so many is sent; the run without it sends each.
const eachWrong = 23
