package service

import (
	"strings"
	"testing"

	"github.com/quorate/quorate/wallet"
	"github.com/quorate/quorate/wallet/psbt"
)

const casaLike = "wsh(sortedmulti(2,[3f635a63/48h/1h/0h/2h]tpubDFPtPArj4GzBEFHohegg1Xatrc1Fi9oSox5LzuSRX91miwQxuUrEpBxpvDRsmZYJKYFhgdK3UStsjC8JKXfUbMinjFqiEM4uNwzVaCaHpys/<0;1>/*,[b8688df1]tpubDEfobrrtptRTbKf4gysDhoabneABDTAcdj3Vbn4XwPsLE2pmqpizSPRG6zHsbAMuiSgWmWPsYCLHTKTPpyrGJ5rAoTpKoQNZcxodiPf2tSJ/<0;1>/*))"

// A wallet file is handed on as text; what cannot be read says by its code what is missing.
func TestOpenWalletFile(t *testing.T) {
	wide := []byte{0xff, 0xfe}
	for _, c := range []byte(casaLike) {
		wide = append(wide, c, 0)
	}
	if text, err := OpenWalletFile(wide, "regtest", ""); err != nil || text != casaLike {
		t.Errorf("UTF-16: %q, %v", text, err)
	}
	if text, err := OpenWalletFile([]byte(casaLike), "regtest", "a54044308ceac9b7"); err != nil || text != casaLike {
		t.Errorf("with a token that it does not need: %q, %v", text, err)
	}
	closed := []byte(strings.Repeat("ab", 150))
	for _, c := range []struct {
		content []byte
		token   string
		code    string
	}{
		{closed, "", "token_needed"}, {closed, "no token", "bad_token"}, {closed, "a54044308ceac9b7", "bad_wallet_file"},
		{[]byte("hello"), "", "bad_wallet_file"}, {[]byte(casaLike + "\n" + strings.Repeat("abandon ", 11) + "about"), "", "bad_wallet_file"},
	} {
		if _, err := OpenWalletFile(c.content, "regtest", c.token); codeOf(t, err) != c.code {
			t.Errorf("token %q: %v, want %s", c.token, err, c.code)
		}
	}
	if _, err := OpenWalletFile([]byte(casaLike), "mainnet", ""); codeOf(t, err) != "wrong_network" {
		t.Errorf("another network: %v", err)
	}
}

// What a file was taken in spite of reaches who founds a wallet with it.
func TestFoundingWarns(t *testing.T) {
	w, err := ReadWalletFile([]byte(casaLike), "regtest")
	if err != nil || len(w.Warnings) != 1 || w.Warnings[0].Code != "key_origin" || !strings.Contains(w.Warnings[0].Text, "key 2 (b8688df1)") {
		t.Errorf("%v, %v", w.Warnings, err)
	}
}

// Any version of SLIP-132 says of which network an account key is, on each network.
func TestNetworkOfPSBT(t *testing.T) {
	of := func(version ...byte) *psbt.Packet {
		var x psbt.XPub
		copy(x.Key[:], version)
		return &psbt.Packet{XPubs: []psbt.XPub{x}}
	}
	main := [][]byte{{0x04, 0x88, 0xb2, 0x1e}, {0x02, 0xaa, 0x7e, 0xd3}, {0x02, 0x95, 0xb4, 0x3f}, {0x04, 0xb2, 0x47, 0x46}, {0x04, 0x9d, 0x7c, 0xb2}}
	test := [][]byte{{0x04, 0x35, 0x87, 0xcf}, {0x02, 0x57, 0x54, 0x83}, {0x02, 0x42, 0x89, 0xef}, {0x04, 0x5f, 0x1c, 0xf6}, {0x04, 0x4a, 0x52, 0x62}}
	for _, net := range []wallet.Network{wallet.Mainnet, wallet.Testnet4, wallet.Signet, wallet.Regtest} {
		n := &Node{parts: Parts{Network: net}}
		own, other := test, main
		if net == wallet.Mainnet {
			own, other = main, test
		}
		for _, v := range own {
			if err := n.checkNetwork(of(v...)); err != nil {
				t.Errorf("%s, %x: %v", net, v, err)
			}
		}
		for _, v := range other {
			if err := n.checkNetwork(of(v...)); err == nil || codeOf(t, err) != "wrong_network" {
				t.Errorf("%s, %x: %v", net, v, err)
			}
		}
		if err := n.checkNetwork(of(1, 2, 3, 4)); err != nil {
			t.Errorf("%s, a version of none: %v", net, err)
		}
	}
}
