package sim

// robotBreaches are rules about robots that are broken. The runs of robots find each.
func robotBreaches() []breach {
	one := func(name, file, was, then string) breach {
		return breach{name: name, robots: true, edits: []edit{{file, was, then}}}
	}
	return []breach{
		one("window counted from signing", "policy/meter/book.go",
			"	return x.lies + x.leftSince(begin(window, now))\n",
			"	for at, key := range b.lying.All() {\n		if y, _ := b.signed.Get(key); at.seconds() < begin(window, now) {\n			x.lies = max(0, x.lies-of(y.takes, s))\n		}\n	}\n"+
				"	return x.lies + x.leftSince(begin(window, now))\n"),
		one("limit shared by nobody", "policy/share.go",
			"int64(r) < robots {", "int64(r) < 0 {"),
		one("pool without leave", "coordinator/robot/budget.go",
			"x.Reserved, x.Granted = true, w.allGranted(", "x.Reserved, x.Granted = true, true || w.allGranted("),
		one("replacement charged by its difference", "policy/meter/book.go",
			"	for _, c := range distinct(coins) {\n		x, _ := b.coins.Get(byCoin(c[:]))\n		w -= of(x.charges, t.Subject)\n	}\n",
			"	for _, x := range b.signed.All() {\n		if slices.ContainsFunc(x.coins, func(c Coin) bool { return slices.Contains(coins, c) }) {\n			w -= of(x.takes, t.Subject)\n		}\n	}\n"),
		one("shares of two policies at once", "coordinator/robot/decide.go",
			"		return d.now.line.share(x.State, x.Key, m, of, now), 0\n",
			"		_, _ = now, of\n		share, _ = p.Share(m, p.R(len(x.State.Active().Members), x.State.Genesis().Threshold))\n		return share, 0\n"),
		one("bump believed", "coordinator/robot/kind.go",
			"case all && bumps(p, paid, over, signedByMe):", "case all && (len(p.Body.Replaces) > 0 || bumps(p, paid, over, signedByMe)):"),
		one("approval of another entry", "coordinator/robot/stands.go",
			"case !m.Hosted() && ok && a.Through", "case !m.Hosted() && (ok || !ok) && a.Through"),
		{name: "charge dropped at withdrawal", robots: true, edits: []edit{
			{"coordinator/robot/decide.go", "if !ok || !p.Sound || !w.State.Signed(p, key)", "if !ok || w.State.Withdrawn(p) || !p.Sound || !w.State.Signed(p, key)"},
			{"coordinator/robot/desk.go", "	if !pending {\n", "	if !pending {\n		d.now = nil\n"},
		}},
		one("clock believed", "coordinator/robot/decide.go",
			"	p := d.now.compiled.Policy\n	refused, hindered", "	next := *d.now\n	next.charges.now, d.now = max(x.Own, next.charges.now), &next\n	p := d.now.compiled.Policy\n	refused, hindered"),
	}
}
