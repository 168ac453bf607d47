package api

import (
	"context"
	"time"
)

// ScheduleBackend is payments that a node proposes by itself when they are due.
type ScheduleBackend interface {
	// Schedule keeps a payment to be proposed when it is due.
	Schedule(ctx context.Context, wallet string, r NewSchedule) (Schedule, error)
	// Schedules lists what this node is to propose by itself, the oldest first.
	Schedules(ctx context.Context, wallet string) ([]Schedule, error)
	// EndSchedule ends one. What was proposed stays.
	EndSchedule(ctx context.Context, wallet, schedule string) (Schedule, error)
	// StartSchedule takes one up that the node holds since it was restored.
	StartSchedule(ctx context.Context, wallet, schedule string) (Schedule, error)
}

// NewSchedule asks for a payment that is proposed when it is due: again and again, or
// once from a time or a height on.
type NewSchedule struct {
	To           []Recipient `json:"to" minItems:"1" maxItems:"1000" nullable:"false" doc:"Whom it pays."`
	FeeRate      float64     `json:"fee_rate,omitempty" minimum:"0" maximum:"100000" doc:"Satoshis per virtual byte, the same each time."`
	TargetBlocks int         `json:"target_blocks,omitempty" minimum:"0" maximum:"1008" doc:"Within how many blocks it should confirm: its fee rate is estimated each time."`
	Note         string      `json:"note,omitempty" maxLength:"1024" doc:"For the other cosigners."`
	Expires      int64       `json:"expires_in,omitempty" minimum:"0" maximum:"31536000" doc:"Seconds after it is proposed, 0 for three days."`
	Unsigned     bool        `json:"unsigned,omitempty" doc:"Do not sign it at once. A token has to say so."`

	Every     string     `json:"every,omitempty" maxLength:"8" doc:"2d, 1w, 1mo or 1y; empty for once." example:"1mo"`
	On        string     `json:"on,omitempty" maxLength:"16" doc:"Of weeks the day, as monday; of months the day, from 1 to 31 (a shorter month has its last day). Empty for the first day on which it may be due."`
	At        string     `json:"at,omitempty" maxLength:"5" doc:"The time of the day; empty for 00:00." example:"09:00"`
	Zone      string     `json:"zone,omitempty" maxLength:"64" doc:"The time zone, of the IANA's list; empty for UTC." example:"Europe/Berlin"`
	NotBefore *time.Time `json:"not_before,omitempty" nullable:"false" doc:"It is not due before; needed for what is due once, if no height is given."`
	Height    int32      `json:"not_before_height,omitempty" minimum:"0" maximum:"499999999" doc:"It is not due before the chain has this height; of what is due once."`
	DryRun    bool       `json:"dry_run,omitempty" doc:"Only say when it would be due: nothing is kept, and it has no id."`
	RequestID string     `json:"request_id,omitempty" minLength:"1" maxLength:"128" doc:"The same id keeps one schedule, however often it is sent."`
	Until     *time.Time `json:"until,omitempty" nullable:"false" doc:"From then on it is not due."`
}

// Schedule is a payment that this node proposes by itself.
type Schedule struct {
	Schedule string               `json:"schedule" doc:"Its id; zeros where none was made."`
	Wallet   string               `json:"wallet"`
	To       List[ScheduledPayee] `json:"to"`
	// FeeRate is null where it is estimated each time.
	FeeRate      *float64   `json:"fee_rate" doc:"Satoshis per virtual byte; null where it is estimated each time."`
	TargetBlocks *int       `json:"target_blocks" doc:"Null where it is not given."`
	Note         Text       `json:"note"`
	Expires      int64      `json:"expires_in" doc:"Seconds after it is proposed."`
	Unsigned     bool       `json:"unsigned"`
	Every        Text       `json:"every" doc:"Null for once."`
	Rhythm       string     `json:"rhythm" doc:"When it is due, in words."`
	Created      time.Time  `json:"created"`
	NextDue      *time.Time `json:"next_due" doc:"When it is due next, by the clock of the node and by the median time of the chain; null where a height says it."`
	Height       *int32     `json:"not_before_height" doc:"Null where no height is given."`
	Until        *time.Time `json:"until"`
	State        string     `json:"state" enum:"waits,due,delayed,held" doc:"waits: until it is due. due: it is proposed in a moment. delayed: it is due, and problem says why it is not proposed; that is tried again. held: the node was restored, and a person has to start it."`
	Missed       uint64     `json:"missed_count" doc:"How many times were passed over before the last proposal, since the node was off or the one before was not done."`
	Last         Text       `json:"last_proposal" doc:"The proposal made last; null before the first."`
	Problem      Text       `json:"problem" doc:"Why it is not proposed; null where nothing hinders."`
}

// ScheduledPayee is whom a schedule pays.
type ScheduledPayee struct {
	Address string `json:"address"`
	Amount  *int64 `json:"amount" doc:"Satoshis; null where it gets all that is left."`
	PaysFee bool   `json:"pays_fee" doc:"The fee is taken from what it gets."`
	Label   Text   `json:"label"`
}
