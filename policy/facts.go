package policy

// Facts are what is known of one transaction when it is decided about. They are gathered by
// the coordinator and go into the journal with the verdict, so that everybody can decide
// again. Amounts are satoshis, times Unix seconds.
type Facts struct {
	Robot Key  `cbor:"1,keyasint"`           // whose robot decides
	Kind  Kind `cbor:"2,keyasint"`           // what the transaction is
	Claim Kind `cbor:"3,keyasint,omitempty"` // what its entry says it is, or 0
	// Initiator is whose entry it is; of a tainted one nobody's.
	Initiator Key  `cbor:"4,keyasint"`
	Tainted   bool `cbor:"5,keyasint,omitempty"`
	// Level is which of the wallet's ways to spend it takes; 0 is that of k keys.
	Level  uint64 `cbor:"6,keyasint,omitempty"`
	Script string `cbor:"7,keyasint"` // kind of the wallet's script

	Inputs  uint64 `cbor:"8,keyasint"`
	Outputs uint64 `cbor:"9,keyasint"`
	In      int64  `cbor:"10,keyasint"` // of the coins
	Own     int64  `cbor:"11,keyasint"` // what goes to scripts of the wallet
	Fee     int64  `cbor:"12,keyasint"`
	VSize   int64  `cbor:"13,keyasint"` // vbytes
	Pays    []Pay  `cbor:"14,keyasint,omitempty"`

	Confirmations int64    `cbor:"15,keyasint"`           // of the coin with the fewest
	Age           int64    `cbor:"16,keyasint"`           // of the youngest coin, seconds by median time past
	Labelled      []uint64 `cbor:"17,keyasint,omitempty"` // rules whose When.Labels holds of all coins; ascending

	// Approved has the keys whose members signed this transaction and named this entry of it
	// with their own approval, those marked by pre-approval left out.
	Approved Keys `cbor:"18,keyasint"`
	Rejected Keys `cbor:"19,keyasint"` // who stands against the transaction
	// Refused are the codes of the rules for every cosigner that refuse it, Hindered those that
	// refuse it for now, each in order.
	Refused  []string `cbor:"20,keyasint,omitempty"`
	Hindered []string `cbor:"21,keyasint,omitempty"`
	Frozen   bool     `cbor:"22,keyasint,omitempty"` // somebody froze the group

	Now    int64  `cbor:"23,keyasint"`           // min(own clock, median time past + 4h), never before the latest used
	Doubt  bool   `cbor:"24,keyasint,omitempty"` // the clock is in doubt: hours and delays do not come
	Zones  []Zone `cbor:"25,keyasint,omitempty"` // of the hours of the rules that are for it
	Height int64  `cbor:"26,keyasint"`
	// Fulfilled is when this robot wrote that everything else but the delay is fulfilled, and
	// still is; 0 where it did not.
	Fulfilled int64 `cbor:"27,keyasint,omitempty"`
	// Step is which step this robot asks, counted from 1, and Asked since when; 0 for none.
	Step  uint64 `cbor:"28,keyasint,omitempty"`
	Asked int64  `cbor:"29,keyasint,omitempty"`
	Uses  []Use  `cbor:"30,keyasint,omitempty"` // by meter, then who it is for
	// Heard is how many other members were heard since this robot started; Unready that it has
	// to be silent for another reason (it was restored, say), in a code.
	Heard   uint64 `cbor:"31,keyasint"`
	Unready string `cbor:"32,keyasint,omitempty"`
	// LockTime is the transaction's nLockTime: a height below 500,000,000, Unix seconds from there.
	LockTime uint64 `cbor:"33,keyasint,omitempty"`
}

// Zone is how many seconds east of UTC a zone of the IANA database was at Now.
type Zone struct {
	Name   string `cbor:"1,keyasint"`
	Offset int64  `cbor:"2,keyasint"`
}

// Pay is what goes to the same recipients: a script may be one of several's, or of none's.
type Pay struct {
	To      []uint64 `cbor:"1,keyasint,omitempty"` // indexes in Policy.Recipients, ascending; none: a stranger
	Amount  int64    `cbor:"2,keyasint"`
	Outputs uint64   `cbor:"3,keyasint"`
}

// Use is what a transaction would charge to a meter.
type Use struct {
	Meter  uint64 `cbor:"1,keyasint"`
	Charge int64  `cbor:"2,keyasint"`           // what it adds to what lies on its coins
	Used   int64  `cbor:"3,keyasint"`           // in the window, or signed and not known to be over, by the share
	Share  int64  `cbor:"4,keyasint"`           // what this robot may sign by itself
	Pool   int64  `cbor:"5,keyasint,omitempty"` // what all robots together may sign with leave
	Takes  int64  `cbor:"6,keyasint"`           // what it takes, whatever lies on its coins
	// Reserved: this robot has asked the others for leave; Granted: all gave it.
	Reserved bool `cbor:"7,keyasint,omitempty"`
	Granted  bool `cbor:"8,keyasint,omitempty"`
	// Lapsing is when so much of Used ends that it fits, by median time past; 0 where not known.
	Lapsing int64 `cbor:"9,keyasint,omitempty"`
	// Later: share or pool will have room for it, once all robots follow the policy and what they
	// signed before has ended.
	Later bool `cbor:"10,keyasint,omitempty"`
}
