package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
)

// askedBack is how many of the words are asked for after they were shown.
const askedBack = 3

// newWords draws the words of a new seed and has the person write them down,
// before anything is made: on a screen apart, which is wiped, and then by asking
// for some of them.
func (q *asker) newWords(ctx context.Context) (string, error) {
	text, err := ops.NewWords()
	if err != nil {
		return "", err
	}
	words := strings.Fields(text)
	err = q.apart(func() error {
		for {
			q.say("These 24 words are the key. Whoever has them can sign for you; without them,")
			q.say("your part of the money is lost with this machine. Write them on paper, with")
			q.say("their numbers, and let no camera and no other program see them.")
			q.grid(words)
			if _, err := q.line(ctx, "\nPress Enter when they are on paper. This screen is then wiped. "); err != nil {
				return err
			}
			q.wipe()
			ok, err := q.askBack(ctx, words)
			if err != nil || ok {
				return err
			}
			q.say("They are shown again.\n")
		}
	})
	return text, err
}

// askBack asks for some of the words, and says whether all were right.
func (q *asker) askBack(ctx context.Context, words []string) (bool, error) {
	q.say("Read from your paper:")
	places, err := drawPlaces(len(words))
	if err != nil {
		return false, err
	}
	for _, at := range places {
		right := false
		for range maxTries {
			s, err := q.line(ctx, fmt.Sprintf("  word %2d: ", at+1))
			if err != nil {
				return false, err
			}
			word, known := ops.SeedWord(s)
			if right = word == words[at]; right {
				break
			}
			if known {
				q.say("  That is not word %d.", at+1)
			} else {
				q.say("  That is no word of the list: a typing error?")
			}
		}
		if !right {
			return false, nil
		}
	}
	return true, nil
}

// drawPlaces draws which words are asked for, in their order.
func drawPlaces(of int) ([]int, error) {
	var places []int
	for len(places) < askedBack {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(of)))
		if err != nil {
			return nil, api.Fail("no_entropy", "random bytes could not be drawn: "+err.Error(), "")
		}
		if at := int(n.Int64()); !slices.Contains(places, at) {
			places = append(places, at)
		}
	}
	slices.Sort(places)
	return places, nil
}

// grid shows words with their numbers, in columns.
func (q *asker) grid(words []string) { writeGrid(q.out, words) }

func writeGrid(w io.Writer, words []string) {
	fmt.Fprintln(w)
	const columns = 3
	rows := (len(words) + columns - 1) / columns
	for r := range rows {
		var line strings.Builder
		for c := range columns {
			if at := c*rows + r; at < len(words) {
				fmt.Fprintf(&line, "   %2d %-12s", at+1, words[at])
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// wipe takes everything off the screen.
func (q *asker) wipe() { fmt.Fprint(q.out, wipe) }

// newSeed says what the seed of a new keystore is to be: the words of a file, new
// ones that a person writes down or that go into a file, or none where its keys are
// elsewhere. Whatever fails does so before anything is made. The file of the words is
// there when it returns.
func (c *cli) newSeed(ctx context.Context, f initFlags, elsewhere bool) (mnemonic []byte, err error) {
	switch {
	case f.mnemonicFile != "" && f.wordsFile != "":
		return nil, api.Misuse("bad_request", "--words-file is for new words, and --mnemonic-file brings some", "leave one of them out")
	case f.wordsFile != "" && elsewhere:
		return nil, api.Misuse("bad_request", "--words-file is for new words, and this node gets no seed", "leave it out")
	case f.mnemonicFile != "":
		words, err := readSecret("mnemonic", f.mnemonicFile)
		if err == nil && len(words) == 0 {
			err = api.Misuse("bad_mnemonic", "the mnemonic file is empty", "put 12 to 24 words into it")
		}
		return words, err
	case elsewhere:
		return nil, nil
	case f.wordsFile != "":
		words, err := ops.NewWords()
		if err == nil {
			err = ops.WriteWords(f.wordsFile, words)
		}
		return []byte(words), err
	}
	q := c.asker()
	if q == nil {
		return nil, api.Refuse("words_unseen", "nobody would see the 24 words: there is no terminal to show them on", "write them to a new file with --words-file FILE, or bring words with --mnemonic-file, or no seed with --no-seed")
	}
	words, err := q.newWords(ctx)
	return []byte(words), err
}
