package qr

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
)

// bytewords are the 256 words of BCR-2020-012, four letters each, by value. In
// the minimal form a byte is the first and the last letter of its word.
const bytewords = "ableacidalsoapexaquaarchatomauntawayaxisbackbaldbarnbeltbetabias" +
	"bluebodybragbrewbulbbuzzcalmcashcatschefcityclawcodecolacookcost" +
	"cruxcurlcuspcyandarkdatadaysdelidicedietdoordowndrawdropdrumdull" +
	"dutyeacheasyechoedgeepicevenexamexiteyesfactfairfernfigsfilmfish" +
	"fizzflapflewfluxfoxyfreefrogfuelfundgalagamegeargemsgiftgirlglow" +
	"goodgraygrimgurugushgyrohalfhanghardhawkheathelphighhillholyhope" +
	"hornhutsicedideaidleinchinkyintoirisironitemjadejazzjoinjoltjowl" +
	"judojugsjumpjunkjurykeepkenokeptkeyskickkilnkingkitekiwiknoblamb" +
	"lavalazyleaflegsliarlimplionlistlogoloudloveluaulucklungmainmany" +
	"mathmazememomenumeowmildmintmissmonknailnavyneednewsnextnoonnote" +
	"numbobeyoboeomitonyxopenovalowlspaidpartpeckplaypluspoempoolpose" +
	"puffpumapurrquadquizraceramprealredorichroadrockroofrubyruinruns" +
	"rustsafesagascarsetssilkskewslotsoapsolosongstubsurfswantacotask" +
	"taxitenttiedtimetinytoiltombtoystriptunatwinuglyundouniturgeuser" +
	"vastveryvetovialvibeviewvisavoidvowswallwandwarmwaspwavewaxywebs" +
	"whatwhenwhizwolfworkyankyawnyellyogayurtzapszerozestzinczonezoom"

// encodeWords writes bytes and their CRC-32 in the minimal form, in capitals.
func encodeWords(raw []byte) string {
	var b strings.Builder
	for _, c := range binary.BigEndian.AppendUint32(raw[:len(raw):len(raw)], crc32.ChecksumIEEE(raw)) {
		word := bytewords[4*int(c) : 4*int(c)+4]
		b.WriteByte(word[0])
		b.WriteByte(word[3])
	}
	return strings.ToUpper(b.String())
}

// decodeWords reads the minimal form, in capitals, and checks the CRC-32.
func decodeWords(text string) ([]byte, error) {
	if len(text)%2 != 0 || len(text) < 8 {
		return nil, fmt.Errorf("%w: bytewords are cut short", ErrFrame)
	}
	byPair := make(map[[2]byte]byte, 256)
	for i := range 256 {
		byPair[[2]byte{bytewords[4*i] - 'a' + 'A', bytewords[4*i+3] - 'a' + 'A'}] = byte(i)
	}
	raw := make([]byte, len(text)/2)
	for i := range raw {
		b, ok := byPair[[2]byte{text[2*i], text[2*i+1]}]
		if !ok {
			return nil, fmt.Errorf("%w: %q is no byteword", ErrFrame, text[2*i:2*i+2])
		}
		raw[i] = b
	}
	raw, sum := raw[:len(raw)-4], raw[len(raw)-4:]
	if binary.BigEndian.Uint32(sum) != crc32.ChecksumIEEE(raw) {
		return nil, fmt.Errorf("%w: the checksum does not match", ErrFrame)
	}
	return raw, nil
}
