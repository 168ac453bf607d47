package api

import (
	"context"
	"time"
)

// RobotBackend is a node that signs by its group's policy, and what robots said.
type RobotBackend interface {
	// Robot says how this node is as a robot of a wallet.
	Robot(ctx context.Context, wallet string) (Robot, error)
	// PauseRobot stops this robot in a wallet, ResumeRobot has it go on.
	PauseRobot(ctx context.Context, wallet string) (Robot, error)
	ResumeRobot(ctx context.Context, wallet string) (Robot, error)
	// Explain says what each robot of the wallet did about a proposal, and why.
	Explain(ctx context.Context, proposal string) (Explanation, error)
}

// Robot is how a node is as a robot of one wallet.
type Robot struct {
	Wallet     string `json:"wallet"`
	WalletName string `json:"wallet_name"`
	Mode       string `json:"mode" enum:"off,shadow,sign" doc:"sign: it signs by itself what the policy lets it sign. shadow: it says what a robot would do, and signs nothing by itself. off: it is no robot."`
	Paused     bool   `json:"is_paused" doc:"Its operator has stopped it, until resumed."`
	// Policy is the one that this robot follows.
	Policy  *PolicyRef     `json:"policy" doc:"The policy that it follows; null where it follows none."`
	Silent  *RobotReason   `json:"silent" doc:"Why it signs nothing, whatever is proposed; null where it signs by the policy."`
	Heard   uint64         `json:"heard_count" doc:"How many other members were heard since its node started."`
	Needed  uint64         `json:"needed_count" doc:"How many it has to hear before it signs, by the policy."`
	Meters  List[MeterUse] `json:"meters" doc:"What it has used of the meters of the policy, by itself."`
	Waiting int            `json:"outstanding_count" doc:"How many transactions it signed more than 7 days ago that are neither mined nor impossible: they go on to count."`
}

// PolicyRef names a policy.
type PolicyRef struct {
	Version string `json:"version" doc:"Of what was voted on, and what it follows: 64 hex characters."`
	Title   Text   `json:"title" doc:"The words of who proposed it; null where this version of the program cannot read it."`
}

// RobotReason is why a robot does what it does.
type RobotReason struct {
	Code    string `json:"code"`
	Message string `json:"message" doc:"In plain words, as a clause."`
}

// MeterUse is how much one robot has used of a meter by itself, in satoshis.
type MeterUse struct {
	Meter     string  `json:"meter" doc:"Its name in the policy."`
	Initiator *Person `json:"initiator" doc:"Whose it is, of a meter for each initiator; null for others."`
	Recipient Text    `json:"recipient" doc:"Whose it is, of a meter for each recipient; null for others."`
	Taken     int64   `json:"taken" doc:"What it signed that still counts."`
	Share     int64   `json:"share" doc:"What it may sign by itself."`
	Limit     int64   `json:"limit" doc:"Of all robots together."`
	Window    int64   `json:"window_seconds"`
}

// Verdict is what a robot said last of a proposal.
type Verdict struct {
	Robot Person `json:"robot" doc:"The cosigner whose node it is."`
	// Outcome is null of a robot that said nothing.
	Outcome *string           `json:"outcome" enum:"sign,wait,ask,deny" doc:"null: it has said nothing of it."`
	Shadow  bool              `json:"is_shadow" doc:"It signs nothing, whatever it says."`
	Text    string            `json:"text" doc:"What it did or waits for, in a sentence."`
	Policy  *PolicyRef        `json:"policy" doc:"By which policy; null where none was in force."`
	Rule    *uint64           `json:"rule" doc:"Which rule of it decided, counted from 1; null where none did."`
	Name    Text              `json:"rule_name" doc:"What the policy calls the rule."`
	Reasons List[RobotReason] `json:"reasons"`
	Asks    List[Person]      `json:"asks" doc:"Who is asked."`
	Until   *time.Time        `json:"until" doc:"Until when they are asked, by the robot's time; null where nobody is."`
	Time    *time.Time        `json:"time" doc:"When it said so, as it claims; null where it said nothing."`
}

// Explanation is what the robots of a wallet make of a proposal.
type Explanation struct {
	Proposal   string        `json:"proposal"`
	Wallet     string        `json:"wallet"`
	WalletName string        `json:"wallet_name"`
	TxID       string        `json:"txid"`
	Status     string        `json:"status" enum:"pending,final,broadcast,confirmed,conflicted,dead,withdrawn,rejected,expired,replaced"`
	Robots     List[Verdict] `json:"robots" doc:"One for each robot; empty where the wallet has none."`
}

// RobotSaid is the outcome of a robot's verdict on a proposal, in short.
type RobotSaid struct {
	Robot   Person            `json:"robot" doc:"The cosigner whose node it is."`
	Outcome string            `json:"outcome" enum:"sign,wait,ask,deny"`
	Shadow  bool              `json:"is_shadow" doc:"It signs nothing, whatever it says."`
	Reasons List[RobotReason] `json:"reasons"`
	Time    time.Time         `json:"time" doc:"As the robot claims."`
}
