package port

// Reach is how a node knows that a transaction is in the network.
type Reach string

const (
	// ReachNode: this node's own Bitcoin node has it.
	ReachNode Reach = "node"
	// ReachHeld: Bitcoin peers that it was handed to hold it.
	ReachHeld Reach = "held"
	// ReachShown: a Bitcoin peer that it was not handed to has it.
	ReachShown Reach = "shown"
)
