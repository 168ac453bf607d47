package coordinator

// recSnapshot says where a snapshot of State is. It can be rebuilt from the
// entries at any time: one that is of another version, or damaged, is left aside.
const recSnapshot = "snapshot"
