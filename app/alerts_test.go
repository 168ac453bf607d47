package app

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/quorate/quorate/coordinator"
)

// labelsOf are the labels of each metric.
func labelsOf(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	of := regexp.MustCompile(`fqName: "([a-z_]+)".*variableLabels: \{([^}]*)\}`)
	for _, d := range described() {
		m := of.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("what is %s?", d)
		}
		out[m[1]] = strings.Split(m[2], ",")
	}
	return out
}

// wrongRules says what the rules for Prometheus, and the tests of them, have that the node
// does not, and which rule has no test in which it fires and one in which it does not.
func wrongRules(rules, tests string, labels map[string][]string) []string {
	var out []string
	known := func(metric, label string) {
		if have, ok := labels[metric]; !ok {
			out = append(out, "there is no "+metric)
		} else if label != "" && !slices.Contains(have, label) && label != "instance" { // that one is Prometheus's own
			out = append(out, metric+" has no label "+label)
		}
	}
	metric, label := regexp.MustCompile(`quorate_[a-z_]+`), regexp.MustCompile(`\$labels\.([a-z_]+)|([a-z_]+) *=~?"`)
	var names []string
	for _, rule := range strings.Split(rules, "- alert: ")[1:] {
		name, _, _ := strings.Cut(rule, "\n")
		names = append(names, name)
		if fires, all := strings.Count(tests, "alertname: "+name+"\n"), regexp.MustCompile("alertname: "+name+"\n +eval_time: [0-9a-z]+\n +exp_alerts:"); len(all.FindAllString(tests, -1)) == 0 || len(all.FindAllString(tests, -1)) == fires {
			out = append(out, "no test has "+name+" fire, or not fire")
		}
		of := metric.FindAllString(rule, -1)
		for _, m := range of {
			known(m, "")
		}
		for _, l := range label.FindAllStringSubmatch(rule, -1) {
			if len(of) > 0 {
				known(of[0], l[1]+l[2])
			}
		}
	}
	for _, m := range regexp.MustCompile(`\bcode(?:=|!=|=~|!~)"([^"]*)"`).FindAllStringSubmatch(rules+tests, -1) {
		for _, code := range strings.Split(m[1], "|") {
			if !slices.Contains(alarmCodes(), code) {
				out = append(out, "there is no alarm "+code)
			}
		}
	}
	for _, m := range regexp.MustCompile(`alertname: (\w+)`).FindAllStringSubmatch(tests, -1) {
		if !slices.Contains(names, m[1]) {
			out = append(out, "there is no rule "+m[1])
		}
	}
	for _, line := range regexp.MustCompile(`series: (quorate_[a-z_]+)(.*)`).FindAllStringSubmatch(tests, -1) {
		known(line[1], "")
		for _, l := range label.FindAllStringSubmatch(line[2], -1) {
			known(line[1], l[2])
		}
	}
	return out
}

func alertFiles(t *testing.T) (rules, tests string) {
	t.Helper()
	for _, f := range []string{"alerts.yml", "alerts.test.yml", "alerts.days.test.yml"} {
		b, err := os.ReadFile(filepath.Join("..", "packaging", f))
		if err != nil {
			t.Fatal(err)
		}
		if f == "alerts.yml" {
			rules = string(b)
		} else {
			tests += string(b)
		}
	}
	return rules, tests
}

// The rules for Prometheus, and their tests, name metrics and labels that there are.
func TestTheRulesNameWhatThereIs(t *testing.T) {
	rules, tests := alertFiles(t)
	labels := labelsOf(t)
	for _, w := range wrongRules(rules, tests, labels) {
		t.Error(w)
	}
	if n := strings.Count(rules, "- alert: "); n < 7 {
		t.Errorf("%d rules were found", n)
	}
	for what, broken := range map[string][2]string{
		"a metric of a rule":  {strings.Replace(rules, "quorate_chain_synced", "quorate_chain_sync", 1), tests},
		"a label of a rule":   {strings.Replace(rules, "$labels.code", "$labels.kind", 1), tests},
		"a metric of a test":  {rules, strings.Replace(tests, "quorate_disk_free_bytes", "quorate_disk_bytes", 1)},
		"a label of a test":   {rules, strings.Replace(tests, `{peer="p"}`, `{who="p"}`, 1)},
		"a rule without one":  {rules + "      - alert: QuorateNew\n        expr: quorate_chain_synced == 2\n", tests},
		"an alarm of a rule":  {strings.Replace(rules, `code="robot_silent"`, `code="robot_still"`, 1), tests},
		"one of several":      {strings.Replace(rules, `"robot_silent|`, `"robot_still|`, 1), tests},
		"an alarm of a test":  {rules, strings.Replace(tests, `code="pool_held"`, `code="pool_lost"`, 1)},
		"a test without rule": {rules, tests + "      - alertname: QuorateOld\n"},
	} {
		if broken == [2]string{rules, tests} || len(wrongRules(broken[0], broken[1], labels)) == 0 {
			t.Errorf("%s that is not there is not seen", what)
		}
	}
}

// What tells of a robot is left out of the rule for all alarms, and has one of its own.
func TestARobotsAlarmsAreToldOnce(t *testing.T) {
	rules, _ := alertFiles(t)
	rest := regexp.MustCompile(`code!~"([^"]*)"`).FindStringSubmatch(rules)
	if rest == nil {
		t.Fatal("no rule is for the rest of the alarms")
	}
	own := regexp.MustCompile(`quorate_alarms\{code="([a-z_]+)"\} > 0`).FindAllStringSubmatch(rules, -1)
	var codes []string
	for _, m := range own {
		codes = append(codes, m[1])
	}
	if got := strings.Join(codes, "|"); got != rest[1] {
		t.Errorf("rules are for %s, and left out are %s", got, rest[1])
	}
	for _, code := range []string{
		coordinator.AlarmSilent, coordinator.AlarmPaused, coordinator.AlarmCharges, coordinator.AlarmUnreadable, coordinator.AlarmParted, coordinator.AlarmPoolHeld, AlarmTogether,
	} {
		if !slices.Contains(codes, code) {
			t.Errorf("no rule is for %s", code)
		}
	}
}

// Prometheus reads the rules, and each fires when it is to.
func TestTheRulesFire(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed (it is in Debian's package prometheus): the rules are NOT tried")
	}
	run := func(args ...string) (string, error) {
		c := exec.CommandContext(t.Context(), promtool, args...)
		c.Dir = filepath.Join("..", "packaging")
		out, err := c.CombinedOutput()
		return string(out), err
	}
	if out, err := run("check", "rules", "alerts.yml"); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if out, err := run("test", "rules", "alerts.test.yml", "alerts.days.test.yml"); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
