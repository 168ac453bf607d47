package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// Each rule of the language, broken once, with the place that is told. At "|" the error is.
func TestParseRefuses(t *testing.T) {
	const head = "title = \"T\"\nrobots = [\"vault-1\", \"vault-2\"]\ngroups.f = [\"ana\", \"boris\"]\nmeters.d = { limit = \"1btc\", window = \"1d\" }\nrecipients.a = { addresses = [\"bc1qa\"] }\n"
	const rule = head + "[[rules]]\nname = \"r\"\nthen = \"sign\"\n"
	for name, c := range map[string]struct{ text, want string }{
		"no TOML":                        {"title = \"T\"\nrobots |!\n", "expected '='"},
		"text not ended":                 {"title = \"T|\n", "new lines"},
		"no UTF-8":                       {"title = \"T|\xff\"", "no UTF-8"},
		"nothing":                        {"|", "title: a policy has a title"},
		"no title":                       {"|robots = [\"ana\"]", "title: a policy has a title"},
		"title of spaces":                {"title = |\"  \"\nrobots = [\"ana\"]", "title:"},
		"title hides":                    {"title = |\"a\\u202eb\"\nrobots = [\"ana\"]", "cannot be seen"},
		"title is a number":              {"title = |5", "title: it is a whole number, not a text"},
		"long title":                     {"title = |\"" + strings.Repeat("x", 65) + "\"\nrobots = [\"ana\"]", "65 bytes"},
		"unknown key":                    {head + "|tolerte = 1", `unknown key "tolerte"; did you mean tolerate?`},
		"key twice":                      {head + "|title = \"U\"", `"title" is there twice`},
		"table twice":                    {head + "[meters.e]\nlimit = \"1btc\"\nwindow = \"1d\"\n[|meters.e]\n", "table e already exists"},
		"adds to a closed one":           {head + "|meters.d.pool = \"5%\"", ""},
		"no robots":                      {"|title = \"T\"", "robots: say which"},
		"robots empty":                   {"title = \"T\"\nrobots = |[]", "robots: the list is empty"},
		"robot is a stranger":            {"title = \"T\"\nrobots = [\"vault-1\", |\"valt-2\"]", `"valt-2" is no member of the wallet; did you mean vault-2?`},
		"robot twice":                    {"title = \"T\"\nrobots = [\"vault-1\", |\"vault-1\"]", "there twice"},
		"robot by two names":             {"title = \"T\"\nrobots = [\"vault-1\", |\"00000003\"]", "by another name"},
		"tolerates too many":             {head + "tolerate = |3", "tolerate: there are 2 robots"},
		"tolerates a fraction":           {head + "tolerate = |1.5", "tolerate: it is a number with a fraction"},
		"tolerates fewer than none":      {head + "tolerate = |-1", "tolerate: it is no plain number"},
		"hears nobody":                   {head + "start_quorum = |0", "start_quorum: it is 1 at least"},
		"hears too many":                 {head + "start_quorum = |5", "start_quorum: a robot has 4 other"},
		"long change":                    {head + "change_delay = |\"31d\"", "change_delay: it is between 0 and 30 days"},
		"change without a unit":          {head + "change_delay = |\"72\"", "change_delay: the unit is missing"},
		"change is a number":             {head + "change_delay = |72", "change_delay: the unit is missing"},
		"change is a date":               {head + "change_delay = |1979-05-27", "change_delay: it is"},
		"bad time":                       {head + "change_delay = |\"3x\"", "no length of time"},
		"groups is a list":               {"title = \"T\"\nrobots = [\"ana\"]\ngroups = |[\"ana\"]", "groups: it is a list"},
		"group of a stranger":            {head + "groups.g = [\"ana\", |\"dora\"]", `group "g", members: "dora" is no member`},
		"group of a group":               {head + "groups.g = [|\"f\"]", `"f" is no member`},
		"group is a member":              {head + "groups.|ana = [\"ana\"]", `group "ana": a member has this name`},
		"group is a member, in capitals": {head + "groups.|ANA = [\"ana\"]", "a member has this name"},
		"group without members":          {head + "groups.g = |[]", "the list is empty"},
		"group hides":                    {head + "groups.|\"a\\u0007\" = [\"ana\"]", "control character"},
		"groups alike":                   {head + "groups.|\"F\" = [\"ana\"]", `the names of "F" and "f" look alike`},
		"recipient of nothing":           {head + "recipients.b = |{ }", `recipient "b": it has neither`},
		"recipient of no address":        {head + "recipients.b = { addresses = [|\"hello\"] }", "it is no address"},
		"recipient elsewhere":            {head + "recipients.b = { addresses = [\"bc1qb\", |\"tb1qb\"] }", "address of testnet"},
		"recipient twice":                {head + "recipients.b = { addresses = [|\"bc1qa\"] }", `it is a recipient already, "a"`},
		"address twice":                  {head + "recipients.b = { addresses = [\"bc1qb\", |\"BC1QB\"] }", `it is a recipient already, "b"`},
		"lookahead of nothing":           {head + "recipients.b = { addresses = [\"bc1qb\"], lookahead = |5 }", "it is for descriptors"},
		"far lookahead":                  {head + "recipients.b = { descriptor = \"wpkh(a)\", lookahead = |1001 }", "between 1 and 1000"},
		"recipient is a text":            {head + "recipients.b = |\"bc1qb\"", "it is a text, not a table"},
		"key of a recipient":             {head + "recipients.b = { |address = [\"bc1qb\"] }", "did you mean addresses?"},
		"meter of zero":                  {head + "meters.e = { limit = |\"0btc\", window = \"1d\" }", "between 1 satoshi"},
		"meter without a unit":           {head + "meters.e = { limit = |\"5\", window = \"1d\" }", "limit: the unit is missing"},
		"meter is a number":              {head + "meters.e = { limit = |5, window = \"1d\" }", "limit: the unit is missing"},
		"meter is a fraction":            {head + "meters.e = { limit = |0.5, window = \"1d\" }", "limit: the unit is missing"},
		"meter too fine":                 {head + "meters.e = { limit = |\"0.123456789btc\", window = \"1d\" }", "more than 8 decimal places"},
		"meter above all":                {head + "meters.e = { limit = |\"21000001btc\", window = \"1d\" }", "21 million"},
		"meter without limit":            {head + "meters.e = |{ window = \"1d\" }", "a meter has a limit"},
		"meter without window":           {head + "meters.e = |{ limit = \"1btc\" }", "a meter has a window"},
		"window of zero":                 {head + "meters.e = { limit = \"1btc\", window = |\"0h\" }", "it is zero"},
		"long window":                    {head + "meters.e = { limit = \"1btc\", window = |\"367d\" }", "366 days"},
		"meter for whom":                 {head + "meters.e = { limit = \"1btc\", window = \"1d\", per = |\"robot\" }", "none of group, initiator, recipient"},
		"pool above all":                 {head + "meters.e = { limit = \"1btc\", window = \"1d\", pool = |\"101%\" }", "above 100%"},
		"pool of a fraction":             {head + "meters.e = { limit = \"1btc\", window = \"1d\", pool = |\"0.5%\" }", "whole percent"},
		"pool without a unit":            {head + "meters.e = { limit = \"1btc\", window = \"1d\", pool = |50 }", "pool: the unit is missing"},
		"rules is a table":               {head + "[|rules]\nname = \"r\"", "write [[rules]]"},
		"rule without a name":            {head + "[[|rules]]\nthen = \"deny\"", "a rule has a name"},
		"rule without then":              {head + "[[|rules]]\nname = \"r\"", `rule "r", then: say what to do`},
		"rules of one name":              {rule + "[[rules]]\nname = |\"r\"\nthen = \"deny\"", "another rule has this name"},
		"key of a rule":                  {rule + "|requires = { }", "did you mean require?"},
		"then what":                      {head + "[[rules]]\nname = \"r\"\nthen = |\"allow\"", `"allow" is none of sign, ask, deny`},
		"else signs":                     {rule + "else = |\"sign\"", "it is ask or deny"},
		"deny requires":                  {head + "[[rules]]\nname = \"r\"\nthen = \"deny\"\nrequire = |{ outputs_max = 1 }", "requires nothing"},
		"deny asks":                      {head + "[[rules]]\nname = \"r\"\nthen = \"deny\"\nelse = |\"ask\"\nask = [{ who = \"f\", within = \"1d\" }]", "no other case"},
		"ask without steps":              {head + "[[|rules]]\nname = \"r\"\nthen = \"ask\"", "nobody is named"},
		"steps without ask":              {rule + "ask = |[{ who = \"f\", within = \"1d\" }]", "nobody would be asked"},
		"no steps":                       {rule + "else = \"ask\"\nask = |[]", "the list is empty"},
		"step without within":            {rule + "else = \"ask\"\nask = [|{ who = \"f\" }]", `rule "r", ask number 1.within: say how long`},
		"step without who":               {rule + "else = \"ask\"\nask = [|{ within = \"1d\" }]", "say who"},
		"long step":                      {rule + "else = \"ask\"\nask = [{ who = \"f\", within = |\"91d\" }]", "90 days"},
		"step of too many":               {rule + "else = \"ask\"\nask = [{ who = \"f\", within = \"1d\", n = |3 }]", "3 approvals are asked of 2 members"},
		"step of robots":                 {rule + "else = \"ask\"\nask = [{ who = [\"ana\", \"vault-1\"], within = \"1d\", n = |2 }]", "nobody can satisfy it"},
		"step bounds nothing":            {rule + "else = \"ask\"\nask = [|{ who = \"f\", within = \"1d\", amount_max = \"1btc\" }]", "without n no robot signs"},
		"when is a list":                 {rule + "when = |[1]", "it is a list, not a table"},
		"an agent":                       {rule + "when = { |agent = [\"ana\"] }", "unknown key"},
		"endorsements":                   {rule + "require = { |endorsements = [{ of = \"ana\", n = 1 }] }", "unknown key"},
		"key of when":                    {rule + "when = { |amount_max = \"1btc\" }", "unknown key"},
		"unknown kind":                   {rule + "when = { kind = [\"payment\", |\"bumb\"] }", `there is no kind "bumb"; did you mean bump?`},
		"kind twice":                     {rule + "when = { kind = [\"bump\", |\"bump\"] }", "there twice"},
		"unknown recipient":              {rule + "when = { to = [|\"acme\"] }", `there is no recipient "acme"`},
		"initiator is nobody":            {rule + "when = { initiator = [\"f\", |\"dora\"] }", "no group of the policy and no member"},
		"pays nobody":                    {rule + "when = { kind = \"cancel\", to = |[\"a\"] }", "it never holds"},
		"labels of anybody":              {rule + "when = { coins = |{ label = [\"x\"] } }", "any member's word"},
		"labels of nothing":              {rule + "when = { coins = |{ by = \"f\" } }", "say which labels"},
		"label hides":                    {rule + "when = { coins = { label = [|\"x\\u200b\"], by = \"f\" } }", "cannot be seen"},
		"another script":                 {rule + "when = { script = |\"tr\" }", "this wallet's script is wsh"},
		"unknown meter":                  {rule + "require = { meters = [|\"e\"] }", `there is no meter "e"`},
		"meters not a list":              {rule + "require = { meters = |true }", "it is true or false, not a text"},
		"amount of zero":                 {rule + "require = { amount_max = |\"0sat\" }", "between 1 satoshi"},
		"amounts cross":                  {rule + "require = { amount_max = \"1btc\", amount_min = |\"2btc\" }", "above amount_max"},
		"amount above a meter":           {rule + "require = { meters = \"d\", amount_min = |\"2btc\" }", `above the limit of meter "d"`},
		"fee twice":                      {rule + "require = { fee_max = [\"1%\", |\"2%\"] }", "one share and one amount"},
		"fee is a number":                {rule + "require = { fee_max = |5 }", "the unit is missing"},
		"fee of zero":                    {rule + "require = { fee_max = |\"0%\" }", "it is zero"},
		"fee above all":                  {rule + "require = { fee_max = |\"101%\" }", "above 100%"},
		"rate without a unit":            {rule + "require = { fee_rate_max = |\"200\" }", "the unit is missing"},
		"rate in what":                   {rule + "require = { fee_rate_max = |\"200sat\" }", "no fee rate"},
		"outputs of zero":                {rule + "require = { outputs_max = |0 }", "it is 1 at least"},
		"a lock time":                    {rule + "require = { locktime = |\"800000\" }", "is none of none"},
		"a lock time in a number":        {rule + "require = { locktime = |0 }", "not a text"},
		"outputs in a text":              {rule + "require = { outputs_max = |\"5\" }", "it is a text, not a whole number"},
		"change of zero":                 {rule + "require = { change_max = |\"0%\" }", "it is zero"},
		"delay of zero":                  {rule + "require = { delay = |\"0h\" }", "it is zero"},
		"long delay":                     {rule + "require = { delay = |\"91d\" }", "out of bounds"},
		"approvals of none":              {rule + "require = { approvals = [{ of = \"f\", n = |0 }] }", "it is 1 at least"},
		"approvals of nobody":            {rule + "require = { approvals = [|{ n = 1 }] }", "say whose"},
		"approvals of too many":          {rule + "require = { approvals = [{ of = \"f\", n = |3 }] }", "3 approvals are asked of 2 members"},
		"approvals of robots":            {rule + "require = { approvals = [{ of = [\"vault-1\", \"vault-2\"], n = |1 }] }", `rule "r", require.approvals number 1.n: nobody can satisfy it`},
		"approvals of oneself":           {rule + "when = { initiator = \"f\" }\nrequire = { approvals = [{ of = \"f\", n = |2 }] }", "whoever may propose it does not count"},
		"approvals of each other":        {rule + "when = { initiator = \"f\" }\nrequire = { approvals = |[{ of = \"ana\", n = 1 }, { of = \"boris\", n = 1 }] }", "nobody can satisfy all"},
		"no zone":                        {rule + "require = { hours = |\"Mon-Fri 08:00-18:00 Europe/Atlantis\" }", `there is no zone "Europe/Atlantis"`},
		"zone of the machine":            {rule + "require = { hours = |\"Mon-Fri 08:00-18:00 Local\" }", "no zone of the IANA"},
		"zone is a file":                 {rule + "require = { hours = |\"Mon-Fri 08:00-18:00 ../UTC\" }", "zone"},
		"hours without a zone":           {rule + "require = { hours = |\"Mon-Fri 08:00-18:00\" }", "days, times and a zone"},
		"hours empty":                    {rule + "require = { hours = [\"Mon 08:00-18:00 UTC\", |\"Mon 18:00-18:00 UTC\"] }", "is empty"},
		"hours over midnight":            {rule + "require = { hours = |\"Mon 22:00-04:00 UTC\" }", "write two"},
		"hours of no day":                {rule + "require = { hours = |\"Mo-Fr 08:00-18:00 UTC\" }", "no day of the week"},
		"hours of no time":               {rule + "require = { hours = |\"Mon 8-18 UTC\" }", "no times of a day"},
		"hours past the day":             {rule + "require = { hours = |\"Mon 08:00-24:01 UTC\" }", "no times of a day"},
		"never reached":                  {rule + "[[|rules]]\nname = \"s\"\nwhen = { initiator = \"ana\" }\nthen = \"sign\"\n", `rule "s": it can never be reached: whatever it is for, rule "r"`},
		"nested deep":                    {head + "x = " + strings.Repeat("[", 9) + "|5" + strings.Repeat("]", 9), "nested too deep"},
	} {
		t.Run(name, func(t *testing.T) {
			at := strings.Index(c.text, "|")
			text := c.text[:at] + c.text[at+1:]
			want := fmt.Sprintf("%d:%d", 1+strings.Count(text[:at], "\n"), at-strings.LastIndex(text[:at], "\n"))
			p, err := Parse([]byte(text), testRoster())
			var e *Error
			if !errors.As(err, &e) || p != nil {
				t.Fatalf("%v, %v", p, err)
			}
			if got := fmt.Sprintf("%d:%d", e.Line, e.Column); got != want || !strings.Contains(e.Error(), c.want) {
				t.Errorf("want %s, %q; got: %v", want, c.want, err)
			}
		})
	}
}

// A member without a node is no robot, by whatever name, and may be all else.
func TestParseHosted(t *testing.T) {
	roster := testRoster()
	roster.Members[1].Host = "chen"
	for _, name := range []string{"boris", "Boris", "00000001"} {
		p, err := Parse([]byte("title = \"T\"\nrobots = [\"ana\", \""+name+"\"]"), roster)
		if p != nil || err == nil || !strings.Contains(err.Error(), "line 2, column 18: robots: \""+name+"\" has no node of its own") || !strings.Contains(err.Error(), "chen") {
			t.Error(p, err)
		}
	}
	if p, err := Parse([]byte("title = \"T\"\nrobots = [\"ana\"]\ngroups.g = [\"boris\", \"chen\"]"), roster); err != nil || p.Groups[0].Keys != KeysOf(1, 2) {
		t.Error(p, err)
	}
}

// Names that two members have are nobody's, and the fingerprint of a key is.
func TestParseAmbiguous(t *testing.T) {
	roster := testRoster()
	roster.Members[1].Names[0] = "Ana"
	_, err := Parse([]byte("title = \"T\"\nrobots = [\"ana\"]"), roster)
	if err == nil || !strings.Contains(err.Error(), "line 2, column 11: robots: \"ana\": 2 members are called so") {
		t.Error(err)
	}
	if p, err := Parse([]byte("title = \"T\"\nrobots = [\"00000001\"]"), roster); err != nil || p.Robots != KeysOf(1) {
		t.Error(p, err)
	}
}

// The column is counted in characters.
func TestParseColumns(t *testing.T) {
	_, err := Parse([]byte("title = \"Überweisungen\"; x"), testRoster())
	if err == nil || !strings.Contains(err.Error(), "line 1, column 24") {
		t.Error(err)
	}
}

// Too many of anything are refused.
func TestParseBounds(t *testing.T) {
	many := func(n int, format string) string {
		var b strings.Builder
		b.WriteString("title = \"T\"\nrobots = [\"vault-1\"]\n")
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for name, c := range map[string]struct {
		most int
		form string
	}{
		"groups":     {MaxGroups, "groups.g%d-x = [\"ana\"]\n"},
		"meters":     {MaxMeters, "meters.m%d-x = { limit = \"1btc\", window = \"1d\" }\n"},
		"recipients": {MaxRecipients, "recipients.r%d-x = { addresses = [\"bc1q%[1]d\"] }\n"},
		"rules":      {MaxRules, "[[rules]]\nname = \"r%d\"\nwhen = { kind = \"payment\", coins = { label = \"l%[1]d\", by = \"ana\" } }\nthen = \"sign\"\n"},
	} {
		if _, err := Parse([]byte(many(c.most, c.form)), testRoster()); err != nil {
			t.Errorf("%d %s: %v", c.most, name, err)
		}
		if _, err := Parse([]byte(many(c.most+1, c.form)), testRoster()); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("at most %d", c.most)) {
			t.Errorf("%d %s: %v", c.most+1, name, err)
		}
	}
	if _, err := Parse([]byte(many(maxText/10, "# 345678 %.0d\n")), testRoster()); err == nil {
		t.Error("a huge file is read")
	}
	if _, err := Parse([]byte(many(maxFields+1, "k%d = 1\n")), testRoster()); err == nil || !strings.Contains(err.Error(), "more than 1024 keys") {
		t.Error(err)
	}
}
