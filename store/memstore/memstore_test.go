package memstore_test

import (
	"testing"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/store/memstore"
	"github.com/quorate/quorate/store/storetest"
)

func TestMemoryConformance(t *testing.T) {
	storetest.Run(t, func(*testing.T) (port.Store, func() port.Store) {
		s := memstore.New()
		return s, func() port.Store {
			s = s.Reopen()
			return s
		}
	})
}
