package policy

import "math/bits"

// Language is the version of the language that this program reads and writes.
const Language = 1

// What a policy may have at most. They bound what its canonical form takes, and what a
// decision costs.
const (
	MaxBytes      = 64 << 10 // of the canonical form
	MaxRules      = 64
	MaxMeters     = 32
	MaxGroups     = 32
	MaxRecipients = 256
	MaxAddresses  = 1024 // of all recipients together
	MaxSteps      = 8    // of one rule
	MaxName       = 64   // bytes
	MaxKeys       = 64   // of a wallet: Keys has a bit for each
	// MaxChangeDelay is 30 days, MaxWindow a year, MaxDelay 90 days, in seconds.
	MaxChangeDelay = 30 * 86400
	MaxWindow      = 366 * 86400
	MaxDelay       = 90 * 86400
	// MaxAmount is all bitcoin that there will ever be, in satoshis.
	MaxAmount = 21_000_000 * 100_000_000
	// MaxLookahead is how many addresses of a descriptor past the last one that was paid are its
	// recipient's at most, DefaultLookahead how many where nothing is said.
	MaxLookahead     = 1000
	DefaultLookahead = 20
)

// Key is the index of a member's key in the wallet's descriptor.
type Key uint8

// Keys is a set of keys, a bit for each.
type Keys uint64

// KeysOf returns the set of some keys.
func KeysOf(keys ...Key) Keys {
	var s Keys
	for _, k := range keys {
		s |= 1 << k
	}
	return s
}

// Has says whether a key is in the set.
func (s Keys) Has(k Key) bool { return s&(1<<k) != 0 }

// Count returns how many keys are in the set.
func (s Keys) Count() int { return bits.OnesCount64(uint64(s)) }

// Within says whether all keys of the set are in another one.
func (s Keys) Within(of Keys) bool { return s&^of == 0 }

// Policy is what a group's robots follow, in its typed form. Its canonical form is the
// deterministic CBOR of it (RFC 8949, section 4.2.1). Amounts are satoshis, times seconds.
type Policy struct {
	Version     uint64 `cbor:"1,keyasint"` // of the language
	Title       string `cbor:"2,keyasint"`
	ChangeDelay int64  `cbor:"3,keyasint"` // before a looser policy takes effect
	Robots      Keys   `cbor:"4,keyasint"`
	// Tolerate is how many robots' keys may be bad; at most all robots.
	Tolerate uint64 `cbor:"5,keyasint"`
	// StartQuorum is how many other members a robot hears before it signs, after each start.
	StartQuorum uint64      `cbor:"6,keyasint"`
	Groups      []Group     `cbor:"7,keyasint"` // by name, ascending
	Recipients  []Recipient `cbor:"8,keyasint"` // by name, ascending
	Meters      []Meter     `cbor:"9,keyasint"` // by name, ascending
	Rules       []Rule      `cbor:"10,keyasint"`
}

// Group is members under a name.
type Group struct {
	Name string `cbor:"1,keyasint"`
	Keys Keys   `cbor:"2,keyasint"`
}

// Who names members: those of groups (indexes in Policy.Groups, ascending), and some by
// themselves. See Policy.Keys.
type Who struct {
	Groups []uint64 `cbor:"1,keyasint,omitempty"`
	Keys   Keys     `cbor:"2,keyasint,omitempty"`
}

// Empty says whether nobody is named.
func (w Who) Empty() bool { return len(w.Groups) == 0 && w.Keys == 0 }

// Keys returns the keys of all who are named.
func (p *Policy) Keys(w Who) Keys {
	k := w.Keys
	for _, g := range w.Groups {
		k |= p.Groups[g].Keys
	}
	return k
}

// Recipient is somebody who may be paid: addresses, and descriptors of which further
// addresses are derived (BIP380), without checksums left out.
type Recipient struct {
	Name        string   `cbor:"1,keyasint"`
	Addresses   []string `cbor:"2,keyasint,omitempty"` // ascending
	Descriptors []string `cbor:"3,keyasint,omitempty"` // ascending
	// Lookahead is how many addresses of each descriptor past the last one that was paid.
	Lookahead uint64 `cbor:"4,keyasint,omitempty"`
}

// Per says what a meter counts by itself.
type Per uint8

// What a meter counts: all that leaves, what each initiator has leave, what goes to each recipient.
const (
	PerGroup     Per = 0
	PerInitiator Per = 1
	PerRecipient Per = 2
)

// Meter limits what leaves the wallet in a window of time.
type Meter struct {
	Name   string `cbor:"1,keyasint"`
	Limit  int64  `cbor:"2,keyasint"`
	Window int64  `cbor:"3,keyasint"`
	Per    Per    `cbor:"4,keyasint,omitempty"`
	// Pool is how many percent of the limit robots use with each other's leave, instead of by
	// their shares.
	Pool uint64 `cbor:"5,keyasint,omitempty"`
}

// Action is what a rule says.
type Action uint8

// The actions.
const (
	Sign Action = 1
	Ask  Action = 2
	Deny Action = 3
)

// Kind is what a transaction is. It is derived from the transaction, never believed.
type Kind uint8

// The kinds.
const (
	Payment       Kind = 1
	Bump          Kind = 2 // it replaces what this robot signed, and pays nobody more
	Consolidation Kind = 3
	Cancel        Kind = 4
	CPFP          Kind = 5
	Rotation      Kind = 6
	Recover       Kind = 7
	Refresh       Kind = 8
	Sweep         Kind = 9
)

// Rule is what is done about the transactions that it is for.
type Rule struct {
	Name    string  `cbor:"1,keyasint"`
	When    When    `cbor:"2,keyasint"`
	Require Require `cbor:"3,keyasint"`
	Then    Action  `cbor:"4,keyasint"`
	Else    Action  `cbor:"5,keyasint"`
	Steps   []Step  `cbor:"6,keyasint,omitempty"` // whom Ask asks, one after the other
}

// When says which transactions a rule is for, by what neither time nor figures change.
// What is empty asks for nothing, but Kinds, which always lists them: where the file names
// none, a rule that denies is for all kinds and another one for payments.
type When struct {
	Kinds      []Kind   `cbor:"1,keyasint"` // ascending
	Initiators Who      `cbor:"2,keyasint"`
	To         []uint64 `cbor:"3,keyasint,omitempty"` // recipients, who are all who are paid; indexes, ascending
	Labels     *Labels  `cbor:"4,keyasint,omitempty"`
	Scripts    []string `cbor:"5,keyasint,omitempty"` // of the wallet, ascending
}

// Labels are what some members called coins: each coin spent has one of these texts by one
// of them.
type Labels struct {
	Any []string `cbor:"1,keyasint"` // ascending
	By  Who      `cbor:"2,keyasint"`
}

// Require is what has to hold for Then. A bound of 0, or what is empty, asks for nothing.
type Require struct {
	AmountMin   int64  `cbor:"1,keyasint,omitempty"` // of what goes to others, without the fee
	AmountMax   int64  `cbor:"2,keyasint,omitempty"`
	FeeMax      int64  `cbor:"3,keyasint,omitempty"`
	FeeShareMax uint64 `cbor:"4,keyasint,omitempty"` // millionths of what goes to others; of the coins where nothing does
	FeeRateMax  int64  `cbor:"5,keyasint,omitempty"` // satoshis for 1000 vbytes
	InputsMax   uint64 `cbor:"6,keyasint,omitempty"`
	OutputsMax  uint64 `cbor:"7,keyasint,omitempty"`
	// ChangeShareMax is which part of the coins comes back to the wallet at most, in millionths.
	ChangeShareMax uint64     `cbor:"8,keyasint,omitempty"`
	Confirmations  int64      `cbor:"9,keyasint,omitempty"`  // of each coin, at least
	AgeMin         int64      `cbor:"10,keyasint,omitempty"` // of each coin, from its block's median time past to the tip's
	Meters         []uint64   `cbor:"11,keyasint,omitempty"` // indexes, ascending
	Approvals      []Approval `cbor:"12,keyasint,omitempty"`
	// InitiatorCounts: the signature of who proposed it is an approval like any other.
	InitiatorCounts bool    `cbor:"13,keyasint,omitempty"`
	Hours           []Hours `cbor:"14,keyasint,omitempty"` // one of them holds
	Delay           int64   `cbor:"15,keyasint,omitempty"` // after all else is fulfilled
	// NoLockTime: the transaction has no lock time, nLockTime is 0.
	NoLockTime bool `cbor:"16,keyasint,omitempty"`
}

// Approval asks for the signatures of so many of some members.
type Approval struct {
	Of Who    `cbor:"1,keyasint"`
	N  uint64 `cbor:"2,keyasint"`
}

// Hours are times of some days of the week, in a zone of the IANA database: from From to
// To, in minutes since midnight; To is after From, and at most 1440.
type Hours struct {
	Days uint8  `cbor:"1,keyasint"` // a bit for each, Monday the lowest
	From uint16 `cbor:"2,keyasint"`
	To   uint16 `cbor:"3,keyasint"`
	Zone string `cbor:"4,keyasint"`
}

// Step is whom Ask asks, and for how long. Where it has N, so many approvals of them let a
// robot sign within the step's bounds and those of Require that bound figures, fees, outputs
// and hours; where N is 0 the robot does not sign, and humans go on.
type Step struct {
	Who       Who      `cbor:"1,keyasint"`
	N         uint64   `cbor:"2,keyasint,omitempty"`
	Within    int64    `cbor:"3,keyasint"`
	AmountMax int64    `cbor:"4,keyasint,omitempty"` // in place of Require's
	Meters    []uint64 `cbor:"5,keyasint,omitempty"` // in place of Require's; indexes, ascending
}
