//go:build !unix

package ops

import (
	"errors"
	"os"
)

const (
	canTurn  = false
	noFollow = 0
)

func duplicate(_, _ *os.File) error { return errors.ErrUnsupported }

func lockLog(*os.File) (func(), error) { return nil, errors.ErrUnsupported }
