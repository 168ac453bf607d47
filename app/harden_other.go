//go:build !linux

package app

import "errors"

var errHarden = errors.New("this system is not asked to protect memory: only Linux is")

// Harden says that nothing was done.
func Harden() error { return errHarden }

func lockMemory() error { return errHarden }

func locked(secret []byte) ([]byte, error) { return secret, errHarden }

func unlocked(secret []byte) { clear(secret) }
