package service

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/qr"
	"github.com/quorate/quorate/wallet"
	"github.com/quorate/quorate/wallet/formats"
)

const (
	// pageWidth is how wide the text of a page is, in characters.
	pageWidth = 88
	// pageQR is how long a descriptor may be whose code still prints well on the page.
	pageQR = 1300
)

// page is one page of text to print: what the wallet is, and how to get at the
// money with other software. It holds nothing that spends.
func page(w formats.Wallet) (string, error) {
	d := w.Descriptor
	in, out, err := formats.Branches(d)
	if err != nil {
		return "", fmt.Errorf("write page: %w", err)
	}
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("WALLET %q: %d of %d keys, %s, %s", line(w.Name), d.Threshold(), len(d.Keys()), d.ScriptType(), d.Network())
	say("This page and %d of the seeds get the money back without any quorate node. It spends nothing", d.Threshold())
	say("by itself, but shows every address: keep it with care, and apart from the seeds.\n")
	say("DESCRIPTOR, one line without spaces:\n")
	for part := range slices.Chunk([]byte(d.String()), pageWidth) {
		say("%s", part)
	}
	say("")
	if text := d.String(); len(text) <= pageQR {
		code, err := qr.Paper(text)
		if err != nil {
			return "", fmt.Errorf("write page: %w", err)
		}
		b.WriteString(code)
	} else {
		say("(It is too long for a code that prints well: keep the file of `wallet export` too.)\n")
	}
	say("KEYS, with the path from the seed to each:\n")
	for i, k := range d.Keys() {
		say("%2d  %s  %s", i+1, strings.TrimSuffix(k.String(), k.XPub), line(w.KeyNames[i]))
	}
	say("\nTO CHECK, the first addresses:\n")
	for _, a := range []struct {
		what          string
		branch, index uint32
	}{{"receive 0", wallet.BranchExternal, 0}, {"receive 1", wallet.BranchExternal, 1}, {"change 0 ", wallet.BranchChange, 0}} {
		address, err := d.Address(a.branch, a.index)
		if err != nil {
			return "", fmt.Errorf("write page: %w", err)
		}
		say("    %s  %s", a.what, address)
	}
	say(`
WITH SPARROW%s
 1. File > New Wallet. In Settings, at Descriptor: Scan (the code above) or Edit (type the line).
 2. Apply, and compare the addresses above. The balance appears when Sparrow is connected.
 3. For %d of the keys, whoever holds it: click the key in Settings and choose its hardware device,
    or New or Imported Software Wallet and enter the words (BIP39) with the path above. Each can do
    so on a computer of his own, and pass the transaction on as a file.
 4. Send, sign with %d keys, broadcast.

WITH BITCOIN CORE (28 or newer), to see the money and to make the transaction:
    bitcoin-cli -named createwallet wallet_name=restored disable_private_keys=true blank=true
    bitcoin-cli -rpcwallet=restored importdescriptors \
      '[{"desc":"DESCRIPTOR","active":true,"range":[0,999],"timestamp":0}]'
    bitcoin-cli -rpcwallet=restored -named walletcreatefundedpsbt …, sign the PSBT on %d devices or in
    Sparrow, then combinepsbt, finalizepsbt, sendrawtransaction.
 Before 28, import two: with 0 in place of <0;1> and #%s at the end,
 and with 1 in place of <0;1>, #%s and "internal":true.`,
		sparrowNetwork(d.Network()), d.Threshold(), d.Threshold(), d.Threshold(), checksum(in), checksum(out))
	return b.String(), nil
}

// sparrowNetwork says how Sparrow is started for a test network.
func sparrowNetwork(n wallet.Network) string {
	if n == wallet.Mainnet {
		return ":"
	}
	return fmt.Sprintf(", started with --network %s:", n)
}

func checksum(descriptor string) string {
	_, sum, _ := strings.Cut(descriptor, "#")
	return sum
}

// line makes what others named one line that prints.
func line(s string) string {
	return strings.TrimSpace(display.Line(s))
}
