package ops

import (
	"encoding/hex"
	"fmt"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/filetext"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/wallet"
)

// MaxPolicyFile is how long a file of a policy is at most, in bytes.
const MaxPolicyFile = 256 << 10

// Policy is what a file of a policy comes to, for one wallet.
type Policy struct {
	Title string
	Rules int
	// Hash is what the group votes on, Canonical the bytes that it is of.
	Hash      string
	Canonical []byte
	// Sentences say all of it, Worst what it lets leave at the worst, Warnings what its author
	// may not have meant.
	Sentences, Worst, Warnings []string

	typed *policy.Policy
	names func(policy.Key) string
}

// PolicyDifference is one between two policies: tighter, looser or the same, in words.
type PolicyDifference struct {
	Mark string `json:"mark"`
	Text string `json:"text"`
}

// ReadPolicy reads a file of a policy for a wallet. Errors are *api.Error; one of the file
// has line and column.
func ReadPolicy(file string, content []byte, w api.Wallet, network string) (Policy, error) {
	roster, err := rosterOf(w, network)
	if err != nil {
		return Policy{}, err
	}
	if text, ok := filetext.Text(content); ok {
		content = []byte(text) // editors of Windows write marks and UTF-16
	}
	p, err := policy.Parse(content, roster)
	if err == nil {
		_, err = policy.Decode(policy.Encode(p)) // as the other nodes will read it
	}
	if err != nil {
		return Policy{}, api.Misuse("bad_policy", fmt.Sprintf("%s, %v", file, err), "docs/policy.md is the manual of the language; `quorate policy new` writes a file to begin with")
	}
	if err := derivable(p, wallet.Network(network)); err != nil {
		return Policy{}, api.Misuse("bad_policy", fmt.Sprintf("%s, %v", file, err), "give fewer descriptors, or a smaller lookahead")
	}
	return described(p, w, roster)
}

// DecodePolicy reads the canonical form of a policy for a wallet, as ReadPolicy does a file.
func DecodePolicy(canonical []byte, w api.Wallet, network string) (Policy, error) {
	roster, err := rosterOf(w, network)
	if err != nil {
		return Policy{}, err
	}
	p, err := policy.Decode(canonical)
	if err == nil {
		err = p.Fits(len(roster.Members), roster.Threshold)
	}
	if err != nil {
		return Policy{}, api.Misuse("bad_policy", fmt.Sprintf("the policy is not read: %v", err), "is the node of another version?")
	}
	return described(p, w, roster)
}

// described says what a policy comes to.
func described(p *policy.Policy, w api.Wallet, roster policy.Roster) (Policy, error) {
	group, err := hex.DecodeString(w.Wallet)
	if err != nil || len(group) != 32 {
		return Policy{}, api.Fail("bad_answer", "the wallet's id is none", "is the node of another version?")
	}
	names := func(k policy.Key) string {
		if int(k) >= len(roster.Members) {
			return "nobody"
		}
		return roster.Members[k].Names[0]
	}
	out := Policy{Title: p.Title, Rules: len(p.Rules), Canonical: policy.Encode(p), typed: p, names: names}
	hash := policy.Hash([32]byte(group), out.Canonical)
	out.Hash = hex.EncodeToString(hash[:])
	n, k := len(roster.Members), roster.Threshold
	out.Sentences, out.Worst, out.Warnings = p.Sentences(names), p.WorstSentences(n, k, names), p.Warnings()
	return out, nil
}

// ComparePolicies says whether a policy is tighter than another one, and how they differ.
func ComparePolicies(old, new Policy) (tighter bool, found []PolicyDifference) {
	tighter, differences := policy.Tighter(old.typed, new.typed, new.names)
	for _, d := range differences {
		found = append(found, PolicyDifference{string(d.Mark), d.Text})
	}
	return tighter, found
}

// PolicyTemplates are the names of what NewPolicy writes.
func PolicyTemplates() []string { return policy.Templates() }

// NewPolicy writes the file of a policy for a wallet, to be changed.
func NewPolicy(template string, w api.Wallet, network string, robots []string) (string, error) {
	roster, err := rosterOf(w, network)
	if err != nil {
		return "", err
	}
	text, err := policy.Template(template, roster, robots)
	if err != nil {
		return "", api.Misuse("bad_template", err.Error(), "`quorate wallet show` lists the members")
	}
	return text, nil
}

// rosterOf is what a policy's file may name of a wallet. The order of its keys is that of the
// descriptor.
func rosterOf(w api.Wallet, network string) (policy.Roster, error) {
	if w.Descriptor == nil {
		return policy.Roster{}, api.Refuse("not_active", "the wallet is not active: its members are not known yet", "`quorate wallet show` says how far it is")
	}
	on, err := wallet.ParseNetwork(network)
	if err != nil {
		return policy.Roster{}, api.Fail("bad_answer", err.Error(), "is the node of another version?")
	}
	d, err := wallet.ParseDescriptor(*w.Descriptor, on)
	if err != nil {
		return policy.Roster{}, api.Fail("bad_answer", fmt.Sprintf("the wallet's descriptor is not read: %v", err), "is the node of another version?")
	}
	r := policy.Roster{Threshold: d.Threshold(), Script: string(d.ScriptType()), Check: wallet.PayeeReader(on)}
	for i, key := range d.Keys() {
		m := policy.Member{Key: policy.Key(i)}
		for _, c := range w.Cosigners {
			if c.XPub != key.XPub {
				continue
			}
			if c.HostedBy != nil {
				m.Host = c.HostedBy.Name
			}
			for _, name := range []string{c.Name, deref(c.PeerID), deref(c.Key)} {
				if name != "" {
					m.Names = append(m.Names, name)
				}
			}
		}
		if len(m.Names) == 0 {
			return policy.Roster{}, api.Fail("bad_answer", fmt.Sprintf("nobody has key %d of the wallet's descriptor", i+1), "is the node of another version?")
		}
		r.Members = append(r.Members, m)
	}
	return r, nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// maxDerived is how many keys a robot derives for the recipients of a policy: it follows none
// that takes more.
const maxDerived = 1 << 16

// derivable adds up the keys that are derived for a policy's recipients.
func derivable(p *policy.Policy, on wallet.Network) error {
	keys := 0
	for _, r := range p.Recipients {
		for _, text := range r.Descriptors {
			d, err := wallet.ParseRecipient(text, on)
			if err != nil {
				return fmt.Errorf("recipient %q: %w", r.Name, err)
			}
			indexes := 1
			if d.Ranged() {
				indexes = int(r.Lookahead)
			}
			if keys += d.Keys() * indexes; keys > maxDerived {
				return fmt.Errorf("recipient %q: robots derive at most %d keys for all recipients, and this would be more", r.Name, maxDerived)
			}
		}
	}
	return nil
}
