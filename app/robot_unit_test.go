package app

import (
	"os"
	"strings"
	"testing"
)

// The unit of a robot is that of a node, as hard, but for where it is, whence its passphrase
// comes, and that it is always started again.
func TestTheUnitOfARobotIsThatOfANode(t *testing.T) {
	read := func(name string) []string {
		b, err := os.ReadFile("../packaging/" + name)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for line := range strings.Lines(string(b)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				out = append(out, line)
			}
		}
		return out
	}
	differ := map[string]string{
		"Description": "", "ExecStart": "/usr/bin/quorate --data-dir /var/lib/quorate-robot start", "StateDirectory": "quorate-robot", "Restart": "always",
		"LoadCredential": "", "LoadCredentialEncrypted": "passphrase:/etc/quorate/robot-passphrase.cred",
	}
	node, robot := read("quorate.service"), read("quorate-robot.service")
	if len(node) != len(robot) || len(node) < 40 {
		t.Fatalf("%d lines, and %d", len(node), len(robot))
	}
	for i, line := range robot {
		key, value, _ := strings.Cut(line, "=")
		want, may := differ[key]
		switch {
		case line != node[i] && !may:
			t.Errorf("%q is not %q", line, node[i])
		case want != "" && value != want:
			t.Errorf("%s is %q, not %q", key, value, want)
		}
	}
}
