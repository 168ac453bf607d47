package wallet

import (
	"errors"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/address/v2/base58"
	"github.com/btcsuite/btcd/address/v2/bech32"
	"github.com/btcsuite/btcd/txscript/v2"
)

var (
	// ErrAddress is returned for a text that is no Bitcoin address.
	ErrAddress = errors.New("malformed address")
	// ErrNoAddress is returned for an output script that has no address.
	ErrNoAddress = errors.New("script has no address")
)

// maxAddressLen is the length of the longest segwit address: the prefix bcrt,
// the separator, the version, 64 symbols for 40 bytes, and 6 of checksum.
const maxAddressLen = 4 + 1 + 1 + 64 + 6

// ParseAddress returns the output script of an address: P2PKH, P2SH, or any
// segwit version (BIP173, BIP350). Errors: ErrAddress, ErrWrongNetwork,
// ErrUnknownNetwork. Testnet4 and signet share one address format and cannot
// be told apart; base58 addresses are shared by all test networks.
func ParseAddress(s string, net Network) (pkScript []byte, err error) {
	if err := checkNetwork(net); err != nil {
		return nil, err
	}
	switch _, scheme, link := strings.Cut(strings.ToLower(s), ":"); {
	case s == "":
		return nil, fmt.Errorf("%w: it is empty", ErrAddress)
	case link && scheme != "":
		return nil, fmt.Errorf("%w: this is a link, and the address alone is wanted", ErrAddress)
	case len(s) > maxAddressLen:
		return nil, fmt.Errorf("%w: %d characters are more than any address has", ErrAddress, len(s))
	}
	if i := strings.LastIndexByte(s, '1'); i > 0 {
		switch hrp := strings.ToLower(s[:i]); hrp {
		case Mainnet.Params().Bech32HRPSegwit, Testnet4.Params().Bech32HRPSegwit, Regtest.Params().Bech32HRPSegwit:
			return parseSegwit(s, hrp, net)
		}
	}
	return parseBase58(s, net)
}

func parseSegwit(s, hrp string, net Network) ([]byte, error) {
	_, data, encoding, err := bech32.DecodeGeneric(s)
	if err != nil {
		return nil, errTyped(err)
	}
	if len(data) < 1 || data[0] > 16 {
		return nil, fmt.Errorf("%w: there is no such witness version", ErrAddress)
	}
	program, err := bech32.ConvertBits(data[1:], 5, 8, false)
	if err != nil {
		return nil, fmt.Errorf("%w: its bits do not fill whole bytes", ErrAddress)
	}
	version := data[0]
	if (version == 0) != (encoding == bech32.Version0) {
		return nil, fmt.Errorf("%w: its checksum is of the kind of another witness version: it was changed, or its writer is faulty", ErrAddress)
	}
	if n := len(program); n < 2 || n > 40 || (version == 0 && n != 20 && n != 32) || (version == 1 && n != 32 && n != 2) {
		return nil, fmt.Errorf("%w: witness program of %d bytes", ErrAddress, n)
	}
	if want := net.Params().Bech32HRPSegwit; hrp != want {
		return nil, fmt.Errorf("%w: address begins with %s1, on %s it is %s1", ErrWrongNetwork, hrp, net, want)
	}
	opcode := byte(txscript.OP_0)
	if version > 0 {
		opcode = txscript.OP_1 - 1 + version
	}
	return append([]byte{opcode, byte(len(program))}, program...), nil
}

func parseBase58(s string, net Network) ([]byte, error) {
	hash, version, err := base58.CheckDecode(s)
	if err != nil {
		return nil, errTyped(err)
	}
	if len(hash) != 20 {
		return nil, fmt.Errorf("%w: %d bytes", ErrAddress, len(hash))
	}
	ours, main, test := net.Params(), Mainnet.Params(), Testnet4.Params()
	switch version {
	case ours.PubKeyHashAddrID:
		s := append([]byte{txscript.OP_DUP, txscript.OP_HASH160, 20}, hash...)
		return append(s, txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG), nil
	case ours.ScriptHashAddrID:
		s := append([]byte{txscript.OP_HASH160, 20}, hash...)
		return append(s, txscript.OP_EQUAL), nil
	case main.PubKeyHashAddrID, main.ScriptHashAddrID:
		return nil, fmt.Errorf("%w: address is for %s, not %s", ErrWrongNetwork, Mainnet, net)
	case test.PubKeyHashAddrID, test.ScriptHashAddrID:
		return nil, fmt.Errorf("%w: address is for a test network, not %s", ErrWrongNetwork, net)
	}
	return nil, fmt.Errorf("%w: unknown version %d", ErrAddress, version)
}

// errTyped is the error for a text that a decoder of addresses refused. The
// decoder's own words stay out of it: bech32's name the checksum that would make
// the mistyped text an address, and BIP173 says that no correction is offered.
func errTyped(err error) error {
	var (
		length bech32.ErrInvalidLength
		char   bech32.ErrInvalidCharacter
		symbol bech32.ErrNonCharsetChar
		sum    bech32.ErrInvalidChecksum
		mixed  bech32.ErrMixedCase
		sep    bech32.ErrInvalidSeparatorIndex
	)
	switch {
	case errors.As(err, &sum), errors.Is(err, base58.ErrChecksum):
		return fmt.Errorf("%w: a character is wrong or missing: copy it again from where it comes", ErrAddress)
	case errors.As(err, &mixed):
		return fmt.Errorf("%w: it mixes capital and small letters: copy it again from where it comes", ErrAddress)
	case errors.As(err, &char), errors.As(err, &symbol):
		return fmt.Errorf("%w: it has a character that no address has: copy it again from where it comes", ErrAddress)
	case errors.As(err, &length), errors.As(err, &sep):
		return fmt.Errorf("%w: it is too short", ErrAddress)
	}
	return fmt.Errorf("%w: this is no Bitcoin address", ErrAddress)
}

// AddressOf returns the address of an output script, or ErrNoAddress.
func AddressOf(pkScript []byte, net Network) (string, error) {
	if err := checkNetwork(net); err != nil {
		return "", err
	}
	params := net.Params()
	switch s := pkScript; {
	case len(s) == 25 && s[0] == txscript.OP_DUP && s[1] == txscript.OP_HASH160 && s[2] == 20 &&
		s[23] == txscript.OP_EQUALVERIFY && s[24] == txscript.OP_CHECKSIG:
		return base58.CheckEncode(s[3:23], params.PubKeyHashAddrID), nil
	case len(s) == 23 && s[0] == txscript.OP_HASH160 && s[1] == 20 && s[22] == txscript.OP_EQUAL:
		return base58.CheckEncode(s[2:22], params.ScriptHashAddrID), nil
	case txscript.IsWitnessProgram(s):
		return formatSegwit(s, params.Bech32HRPSegwit)
	}
	return "", ErrNoAddress
}

func formatSegwit(pkScript []byte, hrp string) (string, error) {
	version, program, err := txscript.ExtractWitnessProgramInfo(pkScript)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoAddress, err)
	}
	if n := len(program); (version == 0 && n != 20 && n != 32) || (version == 1 && n != 32 && n != 2) {
		return "", fmt.Errorf("%w: witness program of %d bytes", ErrNoAddress, n)
	}
	data, err := bech32.ConvertBits(program, 8, 5, true)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoAddress, err)
	}
	encode := bech32.EncodeM
	if version == 0 {
		encode = bech32.Encode
	}
	s, err := encode(hrp, append([]byte{byte(version)}, data...))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoAddress, err)
	}
	return s, nil
}
