package ops

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/p2p"
)

// relayList is who may use a relay, and which file said so.
type relayList struct {
	groups p2p.RelayGroups
	peers  int
	stamp  fs.FileInfo // nil without a file
}

// changed says whether the file is another one than it was.
func (l relayList) changed(o RelayOptions) bool {
	if o.AllowFile == "" {
		return false
	}
	now, err := os.Stat(o.AllowFile)
	if err != nil {
		return false // it is being replaced, or gone: what it said holds
	}
	if age := time.Since(now.ModTime()); age >= 0 && age < relayPoll/2 {
		return false // somebody may still be writing
	}
	return l.stamp == nil || !os.SameFile(now, l.stamp) || !now.ModTime().Equal(l.stamp.ModTime()) || now.Size() != l.stamp.Size()
}

// reloadRelayList reads the list again. One that cannot be read changes
// nothing: nobody is let in or put out by a slip of the pen.
func reloadRelayList(o RelayOptions, r *p2p.Relay, was relayList, told bool) relayList {
	if !told && !was.changed(o) {
		return was
	}
	next, err := readRelayList(o)
	if err == nil {
		err = r.Allow(next.groups)
	}
	if err != nil {
		o.Log.Warn("the list of who may use the relay was not read again; the one before holds", "error", err)
		if now, err := os.Stat(o.AllowFile); err == nil {
			was.stamp = now // say it once
		}
		return was
	}
	o.Log.Info("the list of who may use the relay was read again", "allowed", next.peers)
	return next
}

// maxRelayList bounds the file of a list: a thousand lines.
const maxRelayList = 256 << 10

func readRelayList(o RelayOptions) (relayList, error) {
	l := relayList{groups: p2p.RelayGroups{}}
	for _, a := range o.Allow {
		name, id, ok := strings.Cut(a, "=")
		if !ok {
			name, id = "", a
		}
		l.groups[name] = append(l.groups[name], id)
	}
	if o.AllowFile != "" {
		f, err := os.Open(o.AllowFile)
		if err != nil {
			return l, api.Misuse("bad_allow_file", "the list of who may use the relay was not read: "+err.Error(), "")
		}
		defer func() { _ = f.Close() }()
		if l.stamp, err = f.Stat(); err != nil {
			return l, api.Misuse("bad_allow_file", "the list of who may use the relay was not read: "+err.Error(), "")
		}
		b, err := io.ReadAll(io.LimitReader(f, maxRelayList+1))
		if err != nil || len(b) > maxRelayList {
			return l, api.Misuse("bad_allow_file", fmt.Sprintf("%s was not read, or is larger than %d bytes", o.AllowFile, maxRelayList), "")
		}
		parseRelayList(string(b), l.groups)
	}
	all := map[string]bool{}
	for _, ids := range l.groups {
		for _, id := range ids {
			all[id] = true
		}
	}
	// An empty file is a list: that of nobody.
	if l.peers = len(all); l.peers == 0 && o.AllowFile == "" {
		return l, api.Misuse("nobody_allowed", "nobody may use this relay", "name peers with --allow or --allow-file; `quorate status` shows a node's peer id")
	}
	return l, nil
}

// parseRelayList reads one peer ID a line, with anything after it for people;
// [NAME] begins a group and # a comment.
func parseRelayList(text string, into p2p.RelayGroups) {
	group := ""
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "["); ok {
			group = strings.TrimSpace(strings.TrimSuffix(name, "]"))
			continue
		}
		if f := strings.Fields(line); len(f) > 0 {
			into[group] = append(into[group], f[0])
		}
	}
}
