package group

// AlarmReader is told of an entry that this program failed on.
const AlarmReader = "reader_failed"

// Inert reasons: the rules that make an entry inert. Each is a name that `peers`
// and `status` show.
const (
	ruleMalformed   = "malformed_event"
	ruleSealed      = "does_not_open"
	ruleNotFounder  = "not_the_founder"
	ruleRecord      = "bad_record"
	ruleProposal    = "bad_proposal"
	ruleSignature   = "bad_bitcoin_signature"
	ruleForeignKey  = "signature_of_another"
	rulePlain       = "plain_event"
	ruleNotRekey    = "sealed_rotation"
	ruleGenesis     = "other_genesis"
	ruleIncarnation = "misplaced_incarnation"
	ruleReplacement = "bad_replacement"
	ruleAnswer      = "bad_ping"
	ruleReader      = AlarmReader // of this node alone: the program failed on it
)
