// Package qr carries bytes through QR codes: it splits a payload into frames
// that fit one code each (BBQr, or UR of BCR-2020-005 and -006), joins scanned
// frames again, whatever was lost or repeated, and draws frames for a terminal,
// for paper, as PNG, SVG and an animation. It is pure: no network, disk, clock
// or entropy.
//
//	frames, err := qr.Split(qr.BBQrPSBT, psbt, qr.TerminalFrame)
//	text, err := qr.Terminal(frames[0])
//
//	var j qr.Joiner
//	done, progress, err := j.Add(scanned)
//	payload, kind, err := j.Payload()
package qr
