package group

// AlarmReader is told of an entry that this program failed on.
const AlarmReader = "reader_failed"

const ruleMalformed = "malformed_event"

const ruleSealed = "does_not_open"

const ruleNotFounder = "not_the_founder"

const ruleRecord = "bad_record"

const ruleProposal = "bad_proposal"

const ruleSignature = "bad_bitcoin_signature"

const ruleForeignKey = "signature_of_another"

const rulePlain = "plain_event"

const ruleNotRotation = "sealed_rotation"

const ruleGenesis = "other_genesis"

const ruleIncarnation = "misplaced_incarnation"

const ruleReplacement = "bad_replacement"

const ruleReader = AlarmReader // of this node alone: the program failed on it
