package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/api"
)

// scheduleFlags say when a payment is to be proposed, in place of now.
type scheduleFlags struct {
	every, on, at, zone string
	notBefore, until    string
}

func (f *scheduleFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.every, "every", "", "have it proposed again and again, each `period`: 2d, 1w, 1mo or 1y")
	flags.StringVar(&f.on, "on", "", "with --every: on which `day`, as monday, or from 1 to 31")
	flags.StringVar(&f.at, "at", "", "with --every: at what `time` of the day, as 09:00")
	flags.StringVar(&f.zone, "zone", "", "the time `zone` of days and times of the day, as Europe/Berlin (default UTC)")
	flags.StringVar(&f.notBefore, "not-before", "", "have it proposed from a `day` (of --zone), time or height on, as 2027-01-15, 2027-01-15T09:00:00Z or 950000")
	flags.StringVar(&f.until, "until", "", "with --every: up to the end of this `day`, or to before this time")
	for _, with := range []string{"coin", "replaces", "allow", "csv"} {
		cmd.MarkFlagsMutuallyExclusive("every", with)
		cmd.MarkFlagsMutuallyExclusive("not-before", with)
	}
}

// later says whether it is to be proposed later.
func (f *scheduleFlags) later() (bool, error) {
	later := f.every != "" || f.notBefore != ""
	if !later && f.on+f.at+f.zone+f.until != "" {
		return false, api.Misuse("conflicting", "a day, a time of the day, a zone and an end are of payments that recur", "give how often as well, as --every 1mo")
	}
	return later, nil
}

// request reads what is asked for.
func (f *scheduleFlags) request(r api.Propose) (api.NewSchedule, error) {
	out := api.NewSchedule{
		To: r.To, FeeRate: r.FeeRate, TargetBlocks: r.TargetBlocks, Note: r.Note, Expires: r.Expires, Unsigned: r.Unsigned,
		Every: f.every, On: f.on, At: f.at, Zone: f.zone, RequestID: r.RequestID,
	}
	if f.every == "" {
		out.Zone = "" // it says whose days are meant
	}
	var err error
	if out.Height, err = parseHeight(f.notBefore); err != nil {
		return out, err
	}
	zone, err := time.LoadLocation(f.zone)
	if err != nil {
		return out, api.Misuse("bad_schedule", fmt.Sprintf("--zone %.60q is no time zone", f.zone), "write Europe/Berlin, or UTC")
	}
	if out.Height == 0 {
		if out.NotBefore, err = parseMoment("--not-before", f.notBefore, zone, false); err != nil {
			return out, err
		}
	}
	if out.Until, err = parseMoment("--until", f.until, zone, true); err != nil {
		return out, err
	}
	return out, nil
}

// parseHeight reads a height, 0 where a text is none.
func parseHeight(text string) (int32, error) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, nil
	}
	var height int64
	if _, err := fmt.Sscan(text, &height); err != nil || len(text) > 9 || height < 1 || height >= 500_000_000 {
		return 0, api.Misuse("bad_height", fmt.Sprintf("%.40q is no height of a block", text), "give a height, or a day as 2027-01-15")
	}
	return int32(height), nil
}

// parseMoment reads a day of a zone, or a time, nil where there is no text.
func parseMoment(flag, text string, zone *time.Location, end bool) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	if day, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		if end {
			day = day.AddDate(0, 0, 1)
		}
		return &day, nil
	}
	t, err := parseDay(flag, text, end)
	if err != nil {
		return nil, err
	}
	return &t, nil
}

// schedule has a payment proposed later. On a terminal it is shown before.
func (c *cli) schedule(ctx context.Context, node *api.Client, wallet string, x api.NewSchedule, yes bool) error {
	if !yes && !x.DryRun && c.asker() != nil {
		dry := x
		dry.DryRun = true
		would, err := node.Schedule(ctx, wallet, dry)
		if err != nil {
			return err
		}
		showSchedule(c.paper(c.err), would)
		c.note("")
		if err := c.agreed(ctx, false, "Have this node propose that by itself"+signing(x)+"?"); err != nil {
			return err
		}
	}
	made, err := node.Schedule(ctx, wallet, x) // with --dry-run it only says when
	if err != nil {
		return err
	}
	return answer(c, made, showSchedule)
}

func signing(x api.NewSchedule) string {
	if x.Unsigned {
		return " when it is due"
	}
	return " when it is due, and sign it"
}

func showPayees(w io.Writer, to []api.ScheduledPayee) {
	rows := [][]string{{"PAYS", "AMOUNT", "LABEL"}}
	for _, p := range to {
		rows = append(rows, []string{p.Address, scheduledAmount(p), string(p.Label)})
	}
	table(w, rows)
}

func scheduledAmount(p api.ScheduledPayee) string {
	switch {
	case p.Amount == nil:
		return "all"
	case p.PaysFee:
		return formatAmount(*p.Amount) + " less the fee"
	}
	return formatAmount(*p.Amount)
}

func showSchedule(w io.Writer, s api.Schedule) {
	fee := "estimated each time"
	if s.FeeRate != nil {
		fee = fmt.Sprintf("%.3g sat/vB", *s.FeeRate)
	}
	id := s.Schedule
	if strings.Trim(id, "0") == "" {
		id = "" // it is none yet
	}
	pairs(w, "schedule", id, "due", s.Rhythm, "fee rate", fee, "next", nextDue(s), "state", s.State, "note", string(s.Note), "problem", string(s.Problem))
	if s.Missed > 0 {
		pairs(w, "missed", plural(int64(s.Missed), "time"))
	}
	fmt.Fprintln(w)
	showPayees(w, s.To)
}

// nextDue says when it is due next.
func nextDue(s api.Schedule) string {
	var out []string
	if s.NextDue != nil {
		out = append(out, when(*s.NextDue))
	}
	if s.Height != nil {
		out = append(out, fmt.Sprintf("height %d", *s.Height))
	}
	if len(out) == 0 {
		return "no more"
	}
	return strings.Join(out, " and ")
}
