package api

// Proof is what shows, once signed, that somebody holds an external key.
type Proof struct {
	Wallet      string `json:"wallet"`
	Key         string `json:"key" doc:"The external key with its origin."`
	Message     string `json:"message" doc:"Sign this as a message, exactly as it stands."`
	Address     string `json:"address" doc:"The P2WPKH address to sign with."`
	Path        string `json:"path" doc:"Where the address is, from the master key."`
	Fingerprint string `json:"fingerprint" doc:"Fingerprint of the master key, 8 hex characters."`
	PSBT        string `json:"psbt" doc:"The same as a PSBT that can never be mined (BIP322), in base64."`
}
