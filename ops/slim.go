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

// CheckWalletFile reads the file of another wallet, as the node will that it is
// given to, before it leaves the command line: what holds a private key goes no
// further. Errors are *api.Error.
func CheckWalletFile(content []byte, network string) error {
	_, err := service.ReadWalletFile(content, network)
	return err
}
