package main

import (
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

const heard = "cement cactus used rival require beyond"

// forming is a wallet of three on its way, with as many that joined and ratified.
func forming(joined, ratified int, words bool) api.Wallet {
	w := api.Wallet{WalletItem: api.WalletItem{WalletSummary: api.WalletSummary{
		Name: "treasury", State: "forming", Threshold: api.Known(2), CosignerCount: joined, PlaceCount: api.Known(3),
	}}}
	for i, name := range []string{"alice", "bob", "carol"}[:joined] {
		p := apitest.Person(name)
		id := "12D3KooW" + string('A'+rune(i))
		p.PeerID = &id
		w.Cosigners = append(w.Cosigners, api.Cosigner{Person: p, Ratified: i < ratified})
	}
	if words {
		text := heard
		w.State, w.Words = "verifying", &text
	}
	return w
}

// comeTogether plays the ceremony from the first who joined to the last who ratified.
func comeTogether(t *testing.T, s *screen, node *apitest.Backend) {
	t.Helper()
	s.expect("1 of 3 have joined (alice)")
	node.SetWallet(forming(2, 0, false))
	s.expect("2 of 3 have joined (alice, bob)")
	node.SetWallet(forming(3, 0, true))
	s.answer("The words that you heard: ", heard)
	s.expect("[yes/no] ")
	node.SetWallet(forming(3, 1, true))
	s.keys("yes\r")
	s.expect("1 of 3 have ratified (alice)")
	done := forming(3, 3, true)
	done.State = "active"
	node.SetWallet(done)
}

func createSession() session {
	return session{
		name:  "Founding a wallet",
		about: "`wallet create` stays until the others have joined, asks for the six words, and ratifies. Ctrl-C leaves at any time; `wallet ratify` goes on.",
		args:  []string{"wallet", "create", "treasury", "--threshold", "2", "--cosigners", "3"},
		play: func(t *testing.T, s *screen, node *apitest.Backend) {
			node.SetWallet(forming(1, 0, false))
			comeTogether(t, s, node)
		},
	}
}

func joinSession() session {
	return session{
		name:  "Joining",
		about: "The invite does not show while it is pasted. The six words are typed: what is pasted from the own screen is refused, where the terminal tells.",
		args:  []string{"wallet", "join", "-"},
		play: func(t *testing.T, s *screen, node *apitest.Backend) {
			node.SetWallet(forming(1, 0, false))
			s.answer("Invite (it is not shown): ", "quorate1invite")
			comeTogether(t, s, node)
		},
	}
}

func ratifyTypoSession() session {
	return session{
		name:  "Words that are not the same",
		about: "A word that is none is a typing error. Other words than this node's are refused, and nothing is ratified.",
		args:  []string{"wallet", "ratify"},
		exit:  4,
		play: func(_ *testing.T, s *screen, node *apitest.Backend) {
			node.SetWallet(forming(3, 0, true))
			s.answer("The words that you heard: ", "cement cactus used rival require beyong")
			s.answer("The words that you heard: ", "cement cactus used rival require")
			s.answer("The words that you heard: ", "cement cactus useful rival require beyond")
		},
	}
}

// What was heard from somebody else is no agreement.
func TestNotHeard(t *testing.T) {
	node := apitest.New()
	node.SetWallet(forming(3, 0, true))
	s := onTerminal(t, []string{"QUORATE_DATA_DIR=" + serveFake(t, node)}, "wallet", "ratify")
	s.answer("The words that you heard: ", "\x1b[200~"+heard+"\x1b[201~")
	s.answer("The words that you heard: ", heard)
	s.answer("[yes/no] ", "no")
	s.ends(4)
	for _, r := range node.Requests() {
		if _, is := r.(api.RatifyWallet); is {
			t.Error("it was ratified")
		}
	}
}
