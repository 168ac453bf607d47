package ops

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/app/backup"
	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/journal"
)

// RuleBackupUnauthenticated refuses to restore what anybody may have written:
// a backup that is sealed to recipients, which are public, where nobody says
// which node it must be of.
const RuleBackupUnauthenticated = "backup_unauthenticated"

// BackupSummary is what a backup brings, in the words of whoever wrote it. Of
// these only PeerID is proved: the secret key of that identity is in it.
type BackupSummary struct {
	Name, Network, PeerID string
	Created               time.Time
	// Sealed is what it is sealed to, as in BackupResult.
	Sealed string
	// Signed is whether its node signed it; older versions did not.
	Signed  bool
	Wallets []BackupWallet
	// Settings are those of its configuration that differ from the defaults.
	Settings []config.Setting

	sha256 []byte
}

// BackupWallet is a wallet in a backup.
type BackupWallet struct {
	Wallet  string
	Entries uint64
}

// Servers are the keys of its configuration that name other parties, or open doors.
func (s BackupSummary) Servers() []string {
	var out []string
	for _, x := range s.Settings {
		if x.Server {
			out = append(out, x.Key)
		}
	}
	return out
}

// summarize reads a backup to its end, and writes nothing.
func summarize(f io.Reader, o *RestoreOptions) (BackupSummary, error) {
	in, err := openBackup(f, o)
	if err != nil {
		return BackupSummary{}, err
	}
	h := in.Header()
	s := BackupSummary{Name: h.Name, Network: h.Network, PeerID: h.PeerID, Created: h.Created, Sealed: "passphrase"}
	if o.Identities != "" {
		s.Sealed = "recipients"
	}
	content, conf, err := readNode(in, o)
	if err != nil {
		return s, err
	}
	author := journal.NewIdentity(content.IdentitySeed).Author()
	content.Zero()
	c, err := config.Parse(conf, app.ConfigName)
	if err != nil {
		return s, fmt.Errorf("%w: %w", backup.ErrCorrupt, err)
	}
	s.Settings = c.Settings()
	entries := map[journal.GroupID]uint64{}
	var groups []journal.GroupID
	for {
		i, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return s, err
		}
		if i.Kind == backup.Entry {
			entries[i.Group]++
		}
		if i.Kind == backup.Record && isWallet(i) {
			g, _ := node.GroupOf(i.Key)
			groups = append(groups, g)
		}
	}
	for _, g := range groups {
		s.Wallets = append(s.Wallets, BackupWallet{g.String(), entries[g]})
	}
	s.sha256 = in.Manifest().SHA256
	if err = in.Manifest().Verify(author); errors.Is(err, backup.ErrUnsigned) {
		return s, nil
	}
	s.Signed = err == nil
	return s, err
}

// agree says whether a backup is to be restored, by an error where it is not,
// and whether the servers of its configuration are taken over. To open a backup
// is not to know who wrote it: what tells is the peer id, which nobody can put
// into a backup who does not have that node's keys.
func (o RestoreOptions) agree(s BackupSummary) (keep bool, err error) {
	if o.Show != nil {
		o.Show(s)
	}
	if o.Expect != "" {
		if o.Expect != s.PeerID {
			return false, api.Refuse("unexpected_node", fmt.Sprintf("restore: the backup is of %s, not of %.80q", s.PeerID, o.Expect), "it is another node's, or somebody put another file in its place")
		}
		return true, nil
	}
	if s.Sealed == "recipients" && !slices.Contains(o.Allow, RuleBackupUnauthenticated) {
		if o.Ask == nil {
			return false, errUnauthenticated(s)
		}
		yes, err := o.Ask("Whoever knows the recipient can write such a file. Is this your node's peer id, and are these your wallets?")
		if err != nil {
			return false, err
		}
		if !yes {
			return false, errUnauthenticated(s)
		}
	}
	servers := s.Servers()
	if o.KeepConfig || len(servers) == 0 || o.Ask == nil {
		return o.KeepConfig, nil
	}
	return o.Ask("Take over " + strings.Join(servers, ", ") + " too?")
}

func errUnauthenticated(s BackupSummary) error {
	return api.Refuse(RuleBackupUnauthenticated,
		fmt.Sprintf("restore: whoever knows the recipient can have written this backup of %.64q, peer id %s", s.Name, s.PeerID),
		"say with --expect PEER_ID which node it must be of, or go on by --allow "+RuleBackupUnauthenticated)
}
