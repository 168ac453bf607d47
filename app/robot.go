package app

import (
	"fmt"
	"io"
	"os"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/wallet"
)

func robotMode(c config.Config) robot.Mode {
	switch c.Robot.Mode {
	case config.RobotShadow:
		return robot.Shadow
	case config.RobotSign:
		return robot.Signs
	}
	return robot.Off
}

// robotsTogether says which other robots of a wallet are connected from this machine, where
// the member who has a key of it is a robot, too.
func robotsTogether(robots policy.Keys, members []group.Member, me journal.Author, here func(journal.Author) bool) (out []string) {
	mine := false
	for k, x := range members {
		switch {
		case !robots.Has(policy.Key(k)):
		case x.Identity == me:
			mine = true
		case here(x.Identity):
			out = append(out, x.Called())
		}
	}
	if !mine {
		return nil
	}
	return out
}

// maxCeiling is how long the file of a ceiling is at most; the language has a bound of its own.
const maxCeiling = 1 << 20

// readCeiling reads the file of a robot's ceiling, if it has one. Whether its members are
// those of a wallet is seen when that is opened; anything else that is wrong is told here.
func readCeiling(c config.Config) ([]byte, error) {
	if c.Robot.Ceiling == "" || c.Robot.Mode == config.RobotOff {
		return nil, nil
	}
	text, err := readBounded(c.Robot.Ceiling, maxCeiling)
	if err != nil {
		return nil, api.Misuse("bad_config", "robot.ceiling: the file cannot be read: "+err.Error(), "")
	}
	if err := policy.CheckCeiling(text, wallet.PayeeReader(wallet.Network(c.Network))); err != nil {
		return nil, api.Misuse("bad_config", fmt.Sprintf("robot.ceiling: %s: %v", c.Robot.Ceiling, err), "docs/signer.md says what a ceiling has")
	}
	return text, nil
}

func readBounded(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s has more than %d bytes", path, most)
	}
	return b, err
}
