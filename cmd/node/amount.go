package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/display"
)

// maxMoney is all the bitcoin there can be, in satoshis.
const maxMoney = 21_000_000 * 100_000_000

// parseAmount reads "0.01" or "0.01btc" as bitcoin, "10mBTC" as thousandths of one and
// "25000sat" as satoshis, exactly. Units are in any case, but for an M, which means
// millions elsewhere. An integer without a unit is refused: nobody knows which was meant.
func parseAmount(s string) (int64, error) {
	number, unit := s, ""
	if i := strings.IndexFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }); i >= 0 {
		number, unit = s[:i], s[i:]
		if !strings.HasPrefix(unit, "M") {
			unit = strings.ToLower(unit)
		}
	}
	var places int
	switch {
	case unit == "sat":
		places = 0
	case unit == "mbtc":
		places = 5
	case unit == "btc", unit == "" && strings.Contains(number, "."):
		places = 8
	case unit == "":
		return 0, badAmount(s, "has no unit")
	default:
		return 0, badAmount(s, "is not an amount")
	}
	v, err := parseDecimal(number, places)
	if err != nil {
		return 0, badAmount(s, err.Error())
	}
	if v == 0 || v > maxMoney {
		return 0, badAmount(s, "is not between 1 satoshi and 21 million bitcoin")
	}
	return v, nil
}

func badAmount(s, why string) error {
	return api.Misuse("bad_amount", fmt.Sprintf("amount %.40q %s", s, why), "write 0.01, 0.01btc, 10mBTC or 25000sat")
}

// parseDecimal reads a plain decimal number as an integer of 10^-places.
func parseDecimal(s string, places int) (int64, error) {
	whole, frac, point := strings.Cut(s, ".")
	if whole == "" || point && frac == "" || strings.Trim(whole+frac, "0123456789") != "" {
		return 0, fmt.Errorf("is not a number")
	}
	if len(frac) > places {
		return 0, fmt.Errorf("has more than %d decimal places", places)
	}
	v, err := strconv.ParseInt(whole+frac+strings.Repeat("0", places-len(frac)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("is too large")
	}
	return v, nil
}

// formatAmount shows satoshis with their unit.
func formatAmount(sat int64) string { return display.Amount(sat) }

// parseRecipient reads ADDRESS=AMOUNT, ADDRESS=all, or a bitcoin: link with an amount.
func parseRecipient(s string) (api.Recipient, error) {
	if isURI(s) {
		if plain := s[len(uriScheme):]; !strings.Contains(plain, "?") && strings.Contains(plain, "=") {
			s = plain // bitcoin:ADDRESS=AMOUNT
		} else {
			u, err := parseURI(s)
			if err != nil {
				return api.Recipient{}, err
			}
			if u.amount == 0 {
				return api.Recipient{}, api.Misuse("bad_recipient", fmt.Sprintf("the link %.120q has no amount", s), "write "+u.address+"=0.01")
			}
			return api.Recipient{Address: u.address, Amount: u.amount, Label: u.label}, nil
		}
	}
	address, amount, ok := strings.Cut(s, "=")
	if !ok || address == "" {
		return api.Recipient{}, api.Misuse("bad_recipient", fmt.Sprintf("recipient %.120q is not ADDRESS=AMOUNT", s), "write --to ADDRESS=0.01, ADDRESS=all or a bitcoin: link in quotes")
	}
	if strings.EqualFold(amount, "all") {
		return api.Recipient{Address: address, All: true}, nil
	}
	sat, err := parseAmount(amount)
	return api.Recipient{Address: address, Amount: sat}, err
}

// parseFeeRate reads satoshis per virtual byte, to three decimal places.
func parseFeeRate(s string) (float64, error) {
	milli, err := parseDecimal(s, 3)
	if err != nil || milli == 0 || milli > 100_000_000 {
		return 0, api.Misuse("bad_fee_rate", fmt.Sprintf("fee rate %.40q is not between 0.001 and 100000 sat/vB", s), "write --fee-rate 2.5")
	}
	return float64(milli) / 1000, nil
}

// parseOutPoint checks TXID:VOUT.
func parseOutPoint(s string) (string, error) {
	txid, vout, _ := strings.Cut(s, ":")
	if _, err := strconv.ParseUint(vout, 10, 32); err != nil || len(txid) != 64 || strings.Trim(txid, "0123456789abcdef") != "" {
		return "", api.Misuse("bad_outpoint", fmt.Sprintf("coin %.80q is not TXID:VOUT", s), "`quorate coins WALLET` lists them")
	}
	return s, nil
}
