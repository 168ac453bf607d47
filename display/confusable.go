package display

import "strings"

// confusables lists letters and digits that look like a Latin letter, after it:
// a choice of UTS 39, confusables.txt (Unicode Security Mechanisms), of the
// scripts whose letters do in common fonts: Greek, Cyrillic, Armenian, Cherokee,
// Coptic, Lisu, and Latin itself. What NFKD maps to a Latin letter (fullwidth,
// mathematical, superscript) is not repeated here. Capitals and small letters are
// listed apart, since it is their shapes that count.
const confusables = `
a аαɑⲁΑАᎪꓮ
b ьвβЬƄᏴΒВꓐᏏ
c сϲⲥᴄϹСᏟꓚ
d ԁɗᏧᎠꓓđĐ
e еҽєϵε℮ΕЕᎬꓰЄ
f ƒϜϝꓝғҒ
g ɡցԌԍᏀᏳꓖ
h һհнҺΗНᎻꓧ
j ϳјȷЈᎫꓙ
k κкᴋⲕΚКᏦꓗқҚ
i ıιіɩⲓᎥ
I ΙІӀⲒꓲ
L ᏞꓡŁ
l łӏ
1 |ǀ∣│ןا
m мᴍⲙΜМᎷꓟ
n пոռηꓠΝПՌՈⲚ
o 0οоօσჿⲟᴏΟОՕΣꓳס০੦૦ଠ௦౦೦൦๐໐၀
p рρⲣϱΡРᏢꓑ
q ԛզգԚ
r гᴦⲅГᏒᎡꓣ
s ѕꜱЅՏᏚꓢ
t тτᴛТΤᎢꓔ
u υսᴜцՍЦꓴ
v νѵᴠѴᏙꓦ
w ԝωѡшщԜᎳꓪШЩ
x хχⲭ×ΧХꓫ
y уγүʏΥУҮᎩꓬ
z ᴢΖζᏃꓜ
`

// like returns the Latin letter that a character looks like, or the character
// itself.
func like(r rune) string {
	if r < 0x80 && r != '0' && r != '|' {
		return string(r)
	}
	at := strings.IndexRune(confusables, r)
	if at < 0 {
		return string(r)
	}
	return confusables[strings.LastIndexByte(confusables[:at], '\n')+1:][:1]
}

// bars are the pairs of different folds that look alike or are one letter: the
// capital I looks like a small l and is a capital i, and i does not look like l.
const bars = "lL lI iI l1 I1 "

// same says whether two folded characters are taken for each other.
func same(a, b rune) bool {
	return a == b || strings.Contains(bars, string(a)+string(b)+" ") || strings.Contains(bars, string(b)+string(a)+" ")
}
