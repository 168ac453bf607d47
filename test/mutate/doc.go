// Package mutate changes one operator or constant of the source at a time and runs the tests
// of its packages: what no test finds is a rule that no test holds.
//
//	go test ./test/mutate -run TestMutants -v -timeout 0 -files 'policy/meter/*.go' -tests ./policy/meter
//
// Nothing is written in the tree: what is changed is laid over it. The mutants of functions are
// built into one program, which takes the one whose number it is told; each other is built by
// itself. A mutant that behaves like the source is listed in equivalent.txt, with the reason;
// one that is listed and found, or is no mutant of the files any more, fails too. The tests run
// short, two at a time.
//
// Begin with mutants (source_test.go).
package mutate
