//go:build !unix

package ceiling

import "errors"

func (f *file) lock() (unlock func(), err error) {
	return nil, errors.New("lock what was signed: a signer process is for Linux only")
}
