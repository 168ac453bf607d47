package ops

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/filetext"
	"github.com/quorate/quorate/wallet"
)

// Limits of a list of payees.
const (
	// MaxPayeesFile is how long a list is at most, in bytes, MaxPayees how many it names.
	MaxPayeesFile = 4 << 20
	MaxPayees     = 10_000
	// MaxPayeesOfOne is how many one transaction pays at most.
	MaxPayeesOfOne = 1000
	// maxPayeeErrors is how many errors are told, each with its place.
	maxPayeeErrors = 50
	maxPayeeLabel  = 256 // bytes
)

// Payee is one line of a list: whom to pay how much, in satoshis, and what it is for.
type Payee struct {
	Address string
	Amount  int64
	Label   string
}

// PayeeErrors are all that is wrong with a list, each with line and column.
type PayeeErrors struct {
	Lines []string
	// Count is how many there are; Lines has the first 50.
	Count int
}

// Error lists them, one a line.
func (e *PayeeErrors) Error() string {
	text := strings.Join(e.Lines, "\n")
	if more := e.Count - len(e.Lines); more > 0 {
		text += fmt.Sprintf("\nand %d more", more)
	}
	return text
}

func (e *PayeeErrors) add(line, column int, format string, args ...any) {
	if e.Count++; len(e.Lines) < maxPayeeErrors {
		e.Lines = append(e.Lines, fmt.Sprintf("line %d, column %d: ", line, column)+fmt.Sprintf(format, args...))
	}
}

// columns says where of a line what stands, and the unit of amounts that carry none.
type payeeColumns struct {
	address, amount, label int
	unit                   string
}

// ReadPayees reads a list of payees: RFC 4180 with commas, semicolons or tabs, an
// address, an amount and, if there is one, a label in each line. A first line may name the
// columns, in any order; amount_btc or amount_sat there says the unit, else each amount
// carries its own. It reads all of it before it says what is wrong: the error is then a
// *PayeeErrors.
func ReadPayees(raw []byte, name string, amount func(string) (int64, error)) ([]Payee, error) {
	if len(raw) > MaxPayeesFile {
		return nil, fmt.Errorf("the list has %d bytes, at most %d", len(raw), MaxPayeesFile)
	}
	network := wallet.Network(name)
	text, ok := filetext.Text(raw)
	if !ok {
		return nil, errors.New("the file is not text")
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.TrimLeadingSpace, r.Comment = separator(text), -1, true, '#'
	wrong := &PayeeErrors{}
	cols := payeeColumns{0, 1, 2, ""}
	var out []Payee
	seen := map[string]int{}
	for first := true; ; first = false {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var broken *csv.ParseError
		switch {
		case errors.As(err, &broken):
			wrong.add(broken.Line, broken.Column, "%v", broken.Err)
			return nil, wrong // what follows is anything
		case err != nil:
			return nil, fmt.Errorf("read the list: %w", err)
		}
		if first {
			if named, is, err := payeeHeader(fields); is {
				if cols = named; err != nil {
					wrong.add(1, 1, "%v", err)
					return nil, wrong
				}
				continue
			}
		}
		if len(out)+wrong.Count >= MaxPayees {
			line, _ := r.FieldPos(0)
			return nil, fmt.Errorf("line %d: a list names at most %d payees", line, MaxPayees)
		}
		if p, ok := readPayee(r, fields, cols, network, amount, wrong); ok {
			line, column := r.FieldPos(cols.address)
			if before := seen[p.Address]; before > 0 {
				wrong.add(line, column, "pays the same address as line %d: put both into one line, or into two lists", before)
			} else {
				seen[p.Address] = line
			}
			out = append(out, p)
		}
	}
	switch {
	case wrong.Count > 0:
		return nil, wrong
	case len(out) == 0:
		return nil, errors.New("the list names nobody")
	}
	return out, nil
}

// separator is what the first line has most of.
func separator(text string) rune {
	line, _, _ := strings.Cut(text, "\n")
	best, most := ',', strings.Count(line, ",")
	for _, c := range ";\t" {
		if n := strings.Count(line, string(c)); n > most {
			best, most = c, n
		}
	}
	return best
}

// payeeHeader reads a first line that names the columns.
func payeeHeader(fields []string) (cols payeeColumns, is bool, err error) {
	cols = payeeColumns{-1, -1, -1, ""}
	for i, f := range fields {
		name := strings.ToLower(strings.TrimSpace(f))
		at := &cols.label
		switch name {
		case "address", "to", "recipient", "payee address":
			at = &cols.address
		case "amount":
			at = &cols.amount
		case "amount_btc", "amount (btc)", "btc":
			at, cols.unit = &cols.amount, "btc"
		case "amount_sat", "amount (sat)", "amount_sats", "sat", "sats", "satoshis":
			at, cols.unit = &cols.amount, "sat"
		case "label", "name", "memo", "description", "payee":
		default:
			if i == 0 {
				return cols, false, nil // a line of its own
			}
			return cols, true, fmt.Errorf("column %q is none of address, amount, amount_btc, amount_sat, label", display.Strip(f))
		}
		if *at >= 0 {
			return cols, true, fmt.Errorf("column %q stands there twice", display.Strip(f))
		}
		*at = i
	}
	if cols.address < 0 || cols.amount < 0 {
		return cols, true, errors.New("the first line names no address and amount column")
	}
	return cols, true, nil
}

// readPayee reads one line, and says all that is wrong with it.
func readPayee(r *csv.Reader, fields []string, cols payeeColumns, network wallet.Network, amount func(string) (int64, error), wrong *PayeeErrors) (Payee, bool) {
	before := wrong.Count
	field := func(i int) (string, int, int) {
		if i < 0 || i >= len(fields) {
			line, _ := r.FieldPos(0)
			return "", line, 1
		}
		line, column := r.FieldPos(i)
		return strings.TrimSpace(fields[i]), line, column
	}
	if most := max(cols.address, cols.amount, cols.label); len(fields) > most+1 && slices.ContainsFunc(fields[most+1:], func(f string) bool { return strings.TrimSpace(f) != "" }) {
		line, column := r.FieldPos(most + 1)
		wrong.add(line, column, "there is more than address, amount and label; a comma inside of a number or a label needs quotation marks")
	}
	var p Payee
	text, line, column := field(cols.address)
	script, err := wallet.ParseAddress(text, network)
	if err != nil {
		wrong.add(line, column, "address %.100q: %v", text, err)
	} else if p.Address, err = wallet.AddressOf(script, network); err != nil {
		wrong.add(line, column, "address %.100q: %v", text, err)
	}
	text, line, column = field(cols.amount)
	said := text
	if cols.unit != "" && strings.Trim(text, "0123456789.") == "" && text != "" {
		text += cols.unit
	}
	if p.Amount, err = amount(text); err != nil {
		wrong.add(line, column, "amount %.40q: %v", said, err)
	}
	if p.Label, line, column = field(cols.label); len(p.Label) > maxPayeeLabel || display.Check(p.Label) != nil || strings.ContainsAny(p.Label, "\r\n") {
		wrong.add(line, column, "label %.40q is over %d bytes, of more than one line, or cannot be shown", p.Label, maxPayeeLabel)
	}
	return p, wrong.Count == before
}
