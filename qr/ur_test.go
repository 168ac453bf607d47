package qr

import (
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
)

// The test vectors of the reference implementation of BCR-2020-005.
const (
	urSingleMessage = "5832916ec65cf77cadf55cd7f9cda1a1030026ddd42e905b77adc36e4f2d3ccba44f7f04f2de44f42d84c374a0e149136f25b018"
	urSingle        = "ur:bytes/hdeymejtswhhylkepmykhhtsytsnoyoyaxaedsuttydmmhhpktpmsrjtgwdpfnsboxgwlbaawzuefywkdplrsrjynbvygabwjldapfcsdwkbrkch"
	urMessage       = "590100916ec65cf77cadf55cd7f9cda1a1030026ddd42e905b77adc36e4f2d3ccba44f7f04f2de44f42d84c374a0e149136f25b01852545961d55f7f7a8cde6d0e2ec43f3b2dcb644a2209e8c9e34af5c4747984a5e873c9cf5f965e25ee29039fdf8ca74f1c769fc07eb7ebaec46e0695aea6cbd60b3ec4bbff1b9ffe8a9e7240129377b9d3711ed38d412fbb4442256f1e6f595e0fc57fed451fb0a0101fb76b1fb1e1b88cfdfdaa946294a47de8fff173f021c0e6f65b05c0a494e50791270a0050a73ae69b6725505a2ec8a5791457c9876dd34aadd192a53aa0dc66b556c0c215c7ceb8248b717c22951e65305b56a3706e3e86eb01c803bbf915d80edcd64d4d"
)

func urParts() []string {
	return []string{
		"ur:bytes/1-9/lpadascfadaxcywenbpljkhdcahkadaemejtswhhylkepmykhhtsytsnoyoyaxaedsuttydmmhhpktpmsrjtdkgslpgh",
		"ur:bytes/2-9/lpaoascfadaxcywenbpljkhdcagwdpfnsboxgwlbaawzuefywkdplrsrjynbvygabwjldapfcsgmghhkhstlrdcxaefz",
		"ur:bytes/3-9/lpaxascfadaxcywenbpljkhdcahelbknlkuejnbadmssfhfrdpsbiegecpasvssovlgeykssjykklronvsjksopdzmol",
		"ur:bytes/4-9/lpaaascfadaxcywenbpljkhdcasotkhemthydawydtaxneurlkosgwcekonertkbrlwmplssjtammdplolsbrdzcrtas",
		"ur:bytes/5-9/lpahascfadaxcywenbpljkhdcatbbdfmssrkzmcwnezelennjpfzbgmuktrhtejscktelgfpdlrkfyfwdajldejokbwf",
		"ur:bytes/6-9/lpamascfadaxcywenbpljkhdcackjlhkhybssklbwefectpfnbbectrljectpavyrolkzczcpkmwidmwoxkilghdsowp",
		"ur:bytes/7-9/lpatascfadaxcywenbpljkhdcavszmwnjkwtclrtvaynhpahrtoxmwvwatmedibkaegdosftvandiodagdhthtrlnnhy",
		"ur:bytes/8-9/lpayascfadaxcywenbpljkhdcadmsponkkbbhgsoltjntegepmttmoonftnbuoiyrehfrtsabzsttorodklubbuyaetk",
		"ur:bytes/9-9/lpasascfadaxcywenbpljkhdcajskecpmdckihdyhphfotjojtfmlnwmadspaxrkytbztpbauotbgtgtaeaevtgavtny",
		"ur:bytes/10-9/lpbkascfadaxcywenbpljkhdcahkadaemejtswhhylkepmykhhtsytsnoyoyaxaedsuttydmmhhpktpmsrjtwdkiplzs",
		"ur:bytes/11-9/lpbdascfadaxcywenbpljkhdcahelbknlkuejnbadmssfhfrdpsbiegecpasvssovlgeykssjykklronvsjkvetiiapk",
		"ur:bytes/12-9/lpbnascfadaxcywenbpljkhdcarllaluzmdmgstospeyiefmwejlwtpedamktksrvlcygmzemovovllarodtmtbnptrs",
		"ur:bytes/13-9/lpbtascfadaxcywenbpljkhdcamtkgtpknghchchyketwsvwgwfdhpgmgtylctotzopdrpayoschcmhplffziachrfgd",
		"ur:bytes/14-9/lpbaascfadaxcywenbpljkhdcapazewnvonnvdnsbyleynwtnsjkjndeoldydkbkdslgjkbbkortbelomueekgvstegt",
		"ur:bytes/15-9/lpbsascfadaxcywenbpljkhdcaynmhpddpzmversbdqdfyrehnqzlugmjzmnmtwmrouohtstgsbsahpawkditkckynwt",
		"ur:bytes/16-9/lpbeascfadaxcywenbpljkhdcawygekobamwtlihsnpalnsghenskkiynthdzotsimtojetprsttmukirlrsbtamjtpd",
		"ur:bytes/17-9/lpbyascfadaxcywenbpljkhdcamklgftaxykpewyrtqzhydntpnytyisincxmhtbceaykolduortotiaiaiafhiaoyce",
		"ur:bytes/18-9/lpbgascfadaxcywenbpljkhdcahkadaemejtswhhylkepmykhhtsytsnoyoyaxaedsuttydmmhhpktpmsrjtntwkbkwy",
		"ur:bytes/19-9/lpbwascfadaxcywenbpljkhdcadekicpaajootjzpsdrbalpeywllbdsnbinaerkurspbncxgslgftvtsrjtksplcpeo",
		"ur:bytes/20-9/lpbbascfadaxcywenbpljkhdcayapmrleeleaxpasfrtrdkncffwjyjzgyetdmlewtkpktgllepfrltataztksmhkbot",
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestBytewordsVectors(t *testing.T) {
	for text, want := range map[string]string{
		"aeadaolazmjendeoti": "00010280ff",
		"taaddwoeadgdstaslplabghydrpfmkbggufgludprfgmaotpiecffltntddwgmrp": "d9012ca20150c7098580125e2ab0981253468b2dbc5202d8641947da",
	} {
		got, err := decodeWords(strings.ToUpper(text))
		if err != nil || hex.EncodeToString(got) != want {
			t.Errorf("%s: %x %v", text, got, err)
		}
		if again := encodeWords(unhex(t, want)); again != strings.ToUpper(text) {
			t.Errorf("%s: %s", want, again)
		}
		damaged := strings.ToUpper(text[:len(text)-2] + "ae")
		if _, err := decodeWords(damaged); !errors.Is(err, ErrFrame) {
			t.Errorf("a wrong checksum: %v", err)
		}
	}
}

func TestURVectors(t *testing.T) {
	_, _, whole, err := parseUR(strings.ToUpper(urSingle))
	if err != nil || hex.EncodeToString(whole) != urSingleMessage {
		t.Errorf("single part: %x %v", whole, err)
	}
	payload := unhex(t, urSingleMessage)[2:]
	frames, err := Split(URBytes, payload, MaxFrame)
	if err != nil || len(frames) != 1 || frames[0] != strings.ToUpper(urSingle) {
		t.Errorf("single part: %q %v", frames, err)
	}

	// Every part, those that are mixed included.
	e := newUREncoder("bytes", unhex(t, urMessage), 30)
	for i, want := range urParts() {
		if got := e.part(uint32(i + 1)); got != strings.ToUpper(want) {
			t.Errorf("part %d: %s\nwant %s", i+1, got, want)
		}
	}
	if e.count != 9 {
		t.Errorf("%d fragments", e.count)
	}
}

// The parts of the vectors, with the first ones lost, backwards and twice.
func TestURFromLaterParts(t *testing.T) {
	var j Joiner
	parts := urParts()[4:]
	slices.Reverse(parts)
	for i, p := range parts {
		for range 2 {
			done, progress, err := j.Add(p)
			if err != nil {
				t.Fatal(err)
			}
			if done != (progress.Have == 9) || progress.Need != 9 {
				t.Fatalf("part %d: %t %+v", i, done, progress)
			}
		}
	}
	got, kind, err := j.Payload()
	if err != nil || kind != URBytes || hex.EncodeToString(got) != urMessage[6:] {
		t.Errorf("%s %x %v", kind, got, err)
	}
}
