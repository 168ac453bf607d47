package api

// Ailment is one thing that is wrong with a node.
type Ailment struct {
	Code  string `json:"code" doc:"Stable name of what is wrong."`
	What  string `json:"what" doc:"What is wrong, in one line."`
	Where string `json:"where" doc:"The file, the wallet or the part of the node."`
	Do    string `json:"do" doc:"What to do about it."`
	// Mended: it was made right.
	Mended bool `json:"mended" doc:"Whether it was made right."`
}

// Verdicts of a look.
const (
	LookFine = "fine"
	LookBad  = "wrong"
	LookNone = "not_looked_at"
)

// Look is one part of a node, and whether it was looked at.
type Look struct {
	Look    string `json:"look" doc:"What is looked at." enum:"files,configuration,keystore,store,space,history,clock,chain,listeners,broadcasts,alarms,backup"`
	Verdict string `json:"verdict" enum:"fine,wrong,not_looked_at"`
	Note    Text   `json:"note" doc:"Why it was not looked at, or what else is worth knowing; null for nothing."`
}

// Examination is what was looked at, and what is wrong.
type Examination struct {
	Items List[Ailment] `json:"items"`
	Looks List[Look]    `json:"looks"`
}
