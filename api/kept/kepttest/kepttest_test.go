package kepttest_test

import (
	"testing"

	"github.com/quorate/quorate/api/kept"
	"github.com/quorate/quorate/api/kept/kepttest"
)

func TestMemory(t *testing.T) {
	m := &kepttest.Memory{}
	kepttest.Conform(t, m, func() kept.Store { return m })
}
