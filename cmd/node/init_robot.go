package main

import (
	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
)

// robotNext is what to do with the node of a robot that was just made.
const robotNext = `1. start it as a service: packaging/quorate-robot.service, and docs/robot.md
      2. join the wallet while it forms: quorate wallet join INVITE --name NAME
      3. compare the six words with the others: quorate wallet ratify WALLET
      4. have the group vote on a policy that names it: quorate policy new writes one
      5. see what it does: quorate robot status. Until a policy is in force it signs nothing.`

// mayBeRobot refuses what a robot cannot start with: nobody is there to type, and no device.
func (c *cli) mayBeRobot(f initFlags) error {
	switch {
	case f.noSeed:
		return api.Misuse("conflicting", "a robot signs by itself, and a node with --no-seed has no keys", "leave --no-seed out, or give its keys to a signer process with --set signer=PATH")
	case c.passphraseFile(f.passphraseFile) == "":
		return api.Misuse("no_passphrase", "a robot starts without a person, so its passphrase has to be in a file", "use --passphrase-file FILE, or a systemd credential, as docs/robot.md shows")
	}
	return ops.Vacant(c.dataDir)
}
