package wallet

// PayeeReader returns what gives an address, or the descriptor of a Recipient, in its one form,
// or says why it is none of the network.
func PayeeReader(net Network) func(text string, descriptor bool) (canonical string, err error) {
	return func(text string, descriptor bool) (string, error) {
		if descriptor {
			r, err := ParseRecipient(text, net)
			if err != nil {
				return "", err
			}
			return r.String(), nil
		}
		script, err := ParseAddress(text, net)
		if err != nil {
			return "", err
		}
		return AddressOf(script, net)
	}
}
