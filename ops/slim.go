package ops

import (
	"github.com/quorate/quorate/service"
	"github.com/quorate/quorate/wallet/psbt"
)

// SlimPSBT reads what a signer gave back, a PSBT or the finished transaction in
// any form that files have, and returns in base64, as a PSBT, what an import
// needs of it: all but the whole previous transactions, which are by far
// the most and are looked at while it is read.
func SlimPSBT(content []byte) (string, error) {
	packet, err := psbt.ParseSigned(content)
	if err != nil {
		return "", service.BadPSBT(err)
	}
	for i := range packet.Inputs {
		in := &packet.Inputs[i]
		if in.NonWitnessUTXO != nil {
			in.WitnessUTXO, in.NonWitnessUTXO = in.Spent(), nil
		}
	}
	text, err := packet.Base64()
	if err != nil {
		return "", service.BadPSBT(err)
	}
	return text, nil
}

// OpenWalletFile reads the file of another wallet, as the node will that it is
// given to, before it leaves the command line: what holds a private key goes no
// further. token opens an encrypted record of BSMS, or is "". It returns the
// file as text. Errors are *api.Error, "token_needed" where a token is.
func OpenWalletFile(content []byte, network, token string) (string, error) {
	return service.OpenWalletFile(content, network, token)
}
