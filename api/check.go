package api

import "fmt"

// Reason is why a node is not well.
type Reason struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Wallet  Text   `json:"wallet" doc:"The name of the wallet that it is about; null for the node."`
}

// Check says why a node is not well; nothing where it is.
func (s Status) Check() []Reason {
	var out []Reason
	of := func(code, message string) { out = append(out, Reason{Code: code, Message: message}) }
	switch {
	case s.Chain.Backend == "none":
		// It carries messages and signs nothing: as it was set.
	case s.Chain.Problem != "":
		of("chain_problem", string(s.Chain.Problem))
	case !s.Chain.Synced:
		of("chain_not_synced", fmt.Sprintf("the chain is not synced: height %d; the node neither proposes nor signs", s.Chain.Height))
	}
	for _, a := range s.Alarms {
		of(a.Code, a.Message)
	}
	for _, w := range s.Wallets {
		if w.State == "abandoned" || w.State == "archived" {
			continue
		}
		in := func(code, message string) {
			out = append(out, Reason{Code: code, Message: message, Wallet: Text(w.Name)})
		}
		if w.State == "failed" {
			in("wallet_failed", string(w.Problem))
		}
		for _, a := range w.Alarms {
			in(a.Code, a.Message)
		}
		if w.Restored != nil {
			in("restored_unsynced", "not heard from since the restore: "+w.Restored.Missing())
		}
	}
	return out
}
