// Package regtest makes regtest blocks and pays from their coinbases: what a
// chain of one's own needs beside a consensus engine. It holds no chain itself.
package regtest

import (
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
)

// Maturity is how many blocks a coinbase waits before it can be spent.
const Maturity = 100

// Params returns a private copy of the regtest parameters. The consensus
// engine writes its clock into the deployments, so two engines in one process
// must not share them.
func Params() *chaincfg.Params {
	p := chaincfg.RegressionNetParams
	for i := range p.Deployments {
		p.Deployments[i].DeploymentStarter = chaincfg.NewMedianTimeDeploymentStarter(time.Time{})
		p.Deployments[i].DeploymentEnder = chaincfg.NewMedianTimeDeploymentEnder(time.Time{})
	}
	return &p
}
