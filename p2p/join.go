package p2p

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	xrate "golang.org/x/time/rate"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// The join protocol, over the authenticated connection: the founder sends a
// nonce, the joiner a group and its proof, the founder a grant or an outcome.
// Frames are as in the sync protocol.

// Bounds of the join protocol.
const (
	joinTimeout  = 20 * time.Second
	joinLimit    = 512      // bytes of nonce and proof frames: 32+32, and 32+73+64 of a claim
	grantLimit   = 64 << 10 // bytes of a grant
	maxJoins     = 64       // served at once
	maxPeerJoins = 3        // of one peer: the one before may not have ended
	joinsPerSec  = 16       // of all peers
	joinsBurst   = 64
	joinPerSec   = 1 // of one peer
	joinBurst    = 8
)

// ErrJoinFailed is returned when the founder could not answer, for a reason of
// its own.
var ErrJoinFailed = errors.New("the founder could not answer now")

type joinNonce struct {
	Nonce []byte `cbor:"1,keyasint"`
}

type joinProof struct {
	Group []byte `cbor:"1,keyasint"`
	Proof []byte `cbor:"2,keyasint"`
	// Claim answers the challenge of an invite that replaces a member.
	Claim *port.SuccessionClaim `cbor:"3,keyasint,omitempty"`
}

type joinAnswer struct {
	Outcome uint64 `cbor:"1,keyasint"`
	Genesis []byte `cbor:"2,keyasint,omitempty"`
	Secret  []byte `cbor:"3,keyasint,omitempty"`
	// Challenge is there where the invite replaces a member; without genesis and
	// secret it is to be answered.
	Challenge *port.Challenge `cbor:"4,keyasint,omitempty"`
}

// joinNames is a frame of its own after a grant, which an older joiner leaves
// unread and an older founder does not send: the names that are taken.
type joinNames struct {
	Names []string `cbor:"1,keyasint,omitempty"`
}

// outcomes are what the founder answers, by number. 0 is a grant.
func outcomes() []error {
	return []error{
		nil, port.ErrInviteUnknown, port.ErrInviteUsed,
		port.ErrInviteExpired, port.ErrInviteProof, ErrJoinFailed,
	}
}

// joiner speaks the join protocol on either side.
type joiner struct {
	self    journal.Author
	doorman port.Doorman
	codec   *codec
	log     *slog.Logger
	tap     func(string, []byte)
	// stay gives a peer that sent a proof so much more time; it may be nil.
	stay func(journal.Author, time.Duration)

	rate   *xrate.Limiter
	by     *limiters[journal.Author]
	slots  chan struct{}
	mu     sync.Mutex
	busy   map[journal.Author]int
	inLine map[journal.Author]bool // who waits for an earlier one of its own to end
	ended  chan struct{}           // closed when one ends, and made anew
}

func newJoiner(self journal.Author, d port.Doorman, c *codec, log *slog.Logger, tap func(string, []byte)) *joiner {
	return &joiner{
		self: self, doorman: d, codec: c, log: log, tap: tap,
		rate: xrate.NewLimiter(joinsPerSec, joinsBurst),
		by:   newLimiters[journal.Author](joinPerSec, joinBurst),
		busy: map[journal.Author]int{}, inLine: map[journal.Author]bool{}, ended: make(chan struct{}),
		slots: make(chan struct{}, maxJoins),
	}
}

// serve answers one stranger, or resets the stream.
func (j *joiner) serve(ctx context.Context, st Stream, from journal.Author) {
	if j.doorman == nil || !j.by.allow(from) || !j.rate.Allow() || !j.begin(ctx, from) {
		_ = st.Reset()
		return
	}
	defer j.end(from)
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	select {
	case j.slots <- struct{}{}:
		defer func() { <-j.slots }()
	case <-ctx.Done():
		_ = st.Reset()
		return
	}
	stop := context.AfterFunc(ctx, func() { _ = st.Reset() })
	defer stop()
	if err := j.admit(ctx, st, from); err != nil {
		j.log.Debug("join attempt ended early", "peer", from, "error", err)
		_ = st.Reset()
		return
	}
	_ = st.Close()
}

// begin says whether a peer may have one more stream served. One more than those
// waits a moment: the peer may know that an earlier one is over before this node does.
func (j *joiner) begin(ctx context.Context, p journal.Author) bool {
	ctx, cancel := context.WithTimeout(ctx, proofTime)
	defer cancel()
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.busy[p] >= maxPeerJoins {
		if j.inLine[p] {
			return false
		}
		j.inLine[p] = true
		ended := j.ended
		j.mu.Unlock()
		select {
		case <-ended:
		case <-ctx.Done():
		}
		j.mu.Lock()
		delete(j.inLine, p)
		if ctx.Err() != nil {
			return false
		}
	}
	j.busy[p]++
	return true
}

func (j *joiner) end(p journal.Author) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.busy[p]--; j.busy[p] == 0 {
		delete(j.busy, p)
	}
	close(j.ended)
	j.ended = make(chan struct{})
}

func (j *joiner) staying(p journal.Author, d time.Duration) {
	if j.stay != nil {
		j.stay(p, d)
	}
}

func (j *joiner) admit(ctx context.Context, st Stream, from journal.Author) error {
	var nonce [32]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return fmt.Errorf("draw nonce: %w", err)
	}
	// Whoever has no proof is here to take a place.
	if err := st.SetDeadline(time.Now().Add(proofTime)); err != nil {
		return err
	}
	if err := j.send(st, joinNonce{nonce[:]}); err != nil {
		return err
	}
	var p joinProof
	if err := j.receive(st, joinLimit, &p); err != nil {
		return err
	}
	if len(p.Group) != 32 || len(p.Proof) != 32 {
		return errFrame
	}
	j.staying(from, strangerTime)
	grant, err := j.doorman.Admit(ctx, journal.GroupID(p.Group), from, nonce, [32]byte(p.Proof), p.Claim)
	a, more := joinAnswer{Outcome: outcomeOf(err)}, joinTimeout
	if err != nil {
		more = answerTime
	}
	j.staying(from, more)
	if err := st.SetDeadline(time.Now().Add(more)); err != nil {
		return err
	}
	if err == nil {
		a.Genesis, a.Challenge = grant.Genesis, grant.Challenge
		if len(grant.Genesis) > 0 {
			a.Secret = grant.Secret[:]
		}
	} else {
		j.log.Info("refused to let a peer join", "peer", from, "reason", err)
	}
	if err := j.send(st, a); err != nil {
		return err
	}
	if err == nil && len(grant.Names) > 0 {
		if err := j.send(st, joinNames{grant.Names}); err != nil {
			return err
		}
	}
	if err := st.CloseWrite(); err != nil {
		return err
	}
	// The connection ends after this: wait until the joiner has read.
	_, _ = io.Copy(io.Discard, io.LimitReader(st, joinLimit))
	return nil
}

func outcomeOf(err error) uint64 {
	all := outcomes()
	for i, o := range all {
		if errors.Is(err, o) {
			return uint64(i)
		}
	}
	return uint64(len(all) - 1)
}

// ask presents an invite on a stream to its founder.
func (j *joiner) ask(st Stream, inv port.Invite, claim *port.SuccessionClaim) (port.Grant, error) {
	var none port.Grant
	if err := st.SetDeadline(time.Now().Add(joinTimeout)); err != nil {
		return none, err
	}
	var n joinNonce
	if err := j.receive(st, joinLimit, &n); err != nil {
		return none, fmt.Errorf("read nonce: %w", err)
	}
	if len(n.Nonce) != 32 {
		return none, fmt.Errorf("read nonce: %w", errFrame)
	}
	proof := inv.Proof(j.self, [32]byte(n.Nonce))
	if err := j.send(st, joinProof{Group: inv.Group[:], Proof: proof[:], Claim: claim}); err != nil {
		return none, fmt.Errorf("send proof: %w", err)
	}
	var a joinAnswer
	if err := j.receive(st, grantLimit, &a); err != nil {
		return none, fmt.Errorf("read grant: %w", err)
	}
	all := outcomes()
	if a.Outcome >= uint64(len(all)) {
		return none, fmt.Errorf("read grant: %w", errFrame)
	}
	if err := all[a.Outcome]; err != nil {
		return none, err
	}
	if claim == nil && a.Challenge != nil && len(a.Genesis) == 0 && len(a.Secret) == 0 {
		return port.Grant{Challenge: a.Challenge}, nil
	}
	if len(a.Genesis) == 0 || len(a.Secret) != 32 || (claim != nil) != (a.Challenge != nil) {
		return none, fmt.Errorf("read grant: %w", errFrame)
	}
	g := port.Grant{Genesis: a.Genesis, Secret: [32]byte(a.Secret), Challenge: a.Challenge}
	var names joinNames
	if err := j.receive(st, grantLimit, &names); err == nil {
		g.Names = names.Names
	} else if !errors.Is(err, io.EOF) {
		// The names are help only: what was granted counts.
		j.log.Debug("the founder's names were not read", "error", err)
	}
	return g, nil
}

func (j *joiner) send(st Stream, v any) error {
	body, err := j.codec.enc.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode frame: %w", err)
	}
	b := appendFrame(body)
	if j.tap != nil {
		j.tap("join", b)
	}
	_, err = st.Write(b)
	return err
}

func (j *joiner) receive(st Stream, limit int, v any) error {
	b, err := readFrame(st, limit)
	if err != nil {
		return err
	}
	return j.codec.decode(b, v)
}
