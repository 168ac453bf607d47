package core

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/btcutil/v2/gcs"
	"github.com/btcsuite/btcd/btcutil/v2/gcs/builder"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/follow"
)

// filterCall is how a node is asked for compact filters (BIP158).
type filterCall uint8

const (
	filtersUnknown filterCall = iota // not asked yet
	filtersCore                      // getblockfilter, which needs -blockfilterindex
	filtersBtcd                      // getcfilter
	filtersNone
)

// errNoFilters says that the node has none at all, errNoFilter that it has none
// (yet) for this block, or one that does not fit.
var (
	errNoFilters = errors.New("the Bitcoin node has no block filters")
	errNoFilter  = errors.New("no usable filter for this block")
)

var _ follow.Filtered = source{}

// Interests implements follow.Filtered. Where the node has no filter, every
// block may be of interest. The filter is believed: it comes from the user's
// own node, which could as well hide the block. Only what was damaged, on its
// disk or on the way, is found, by the chain of filter headers (BIP157).
func (s source) Interests(ctx context.Context, hash chainhash.Hash, _ int32, scripts [][]byte) (bool, error) {
	filter, err := s.filter(ctx, hash)
	switch {
	case errors.Is(err, errNoFilters), errors.Is(err, errNoFilter):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("get its filter: %w", err)
	case filter.N() == 0:
		return false, nil
	}
	may, err := filter.MatchAny(builder.DeriveKey(&hash), scripts)
	return may || err != nil, nil
}

// filter fetches the filter of a block and checks it against its header.
func (s source) filter(ctx context.Context, hash chainhash.Hash) (*gcs.Filter, error) {
	text, headText, err := s.askFilter(ctx, hash, true)
	if err != nil {
		return nil, err
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		return nil, errNoFilter
	}
	filter, err := gcs.FromNBytes(builder.DefaultP, builder.DefaultM, raw)
	if err != nil {
		return nil, errNoFilter
	}
	head, err := chainhash.NewHashFromStr(headText)
	if err != nil {
		return nil, errNoFilter
	}
	header, err := s.oneHeader(ctx, hash)
	if err != nil {
		return nil, err
	}
	before, err := s.filterHead(ctx, header.PrevBlock)
	if err != nil {
		return nil, err
	}
	want, err := builder.MakeHeaderForFilter(filter, before)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || want != *head {
		s.filterHeads = newCache[chainhash.Hash](maxFilters) // whichever of the two is wrong
		return nil, errNoFilter
	}
	s.filterHeads.put(hash, *head, 1)
	s.filterHeads.put(header.PrevBlock, before, 1)
	return filter, nil
}

// filterHead returns the filter header of a block; that before the first is zero.
func (s source) filterHead(ctx context.Context, hash chainhash.Hash) (chainhash.Hash, error) {
	if hash == (chainhash.Hash{}) {
		return hash, nil
	}
	s.mu.Lock()
	head, known := s.filterHeads.by[hash]
	s.mu.Unlock()
	if known {
		return head, nil
	}
	_, text, err := s.askFilter(ctx, hash, false)
	if err != nil {
		return chainhash.Hash{}, err
	}
	got, err := chainhash.NewHashFromStr(text)
	if err != nil {
		return chainhash.Hash{}, errNoFilter
	}
	return *got, nil
}

// askFilter asks for a filter and its header in the way of Bitcoin Core, else of
// btcd, and remembers which works.
func (s source) askFilter(ctx context.Context, hash chainhash.Hash, whole bool) (filter, head string, err error) {
	s.mu.Lock()
	call := s.filters
	s.mu.Unlock()
	err = errNoFilters
	if call == filtersUnknown || call == filtersCore {
		filter, head, err = s.coreFilter(ctx, hash)
		if err == nil {
			s.useFilters(filtersCore)
		}
	}
	if errors.Is(err, errNoFilters) && call != filtersNone {
		filter, head, err = s.btcdFilter(ctx, hash, whole)
		if err == nil {
			s.useFilters(filtersBtcd)
		}
	}
	if errors.Is(err, errNoFilters) && call != filtersNone {
		s.useFilters(filtersNone)
	}
	return filter, head, err
}

// useFilters remembers how this node is asked; poll forgets it when the node fails.
func (s source) useFilters(call filterCall) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if call == filtersNone && s.filters != filtersNone {
		s.cfg.Log.Info("the Bitcoin node has no block filters (Bitcoin Core has them with blockfilterindex=1): every block is fetched")
	}
	s.filters = call
}

func (s source) coreFilter(ctx context.Context, hash chainhash.Hash) (filter, head string, err error) {
	var answer struct {
		Filter string `json:"filter"`
		Header string `json:"header"`
	}
	err = s.rpc.call(ctx, &answer, "getblockfilter", hash.String(), "basic")
	return answer.Filter, answer.Header, noFilter(err)
}

func (s source) btcdFilter(ctx context.Context, hash chainhash.Hash, whole bool) (filter, head string, err error) {
	if whole {
		if err := s.rpc.call(ctx, &filter, "getcfilter", hash.String(), wire.GCSFilterRegular); err != nil {
			return "", "", noFilter(err)
		}
	}
	err = s.rpc.call(ctx, &head, "getcfilterheader", hash.String(), wire.GCSFilterRegular)
	return filter, head, noFilter(err)
}

// noFilter tells a node without filters from one that lacks this one, and both
// from one that does not answer.
func noFilter(err error) error {
	switch code := rpcCode(err); {
	case errors.Is(err, ErrForbid): // some calls only
		return errNoFilters
	case code == 0:
		return err
	case code == codeMethodNotFound, strings.Contains(err.Error(), "must be enabled"),
		code == codeMisc && !strings.Contains(err.Error(), "being indexed"):
		return errNoFilters
	}
	return errNoFilter
}
