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
l 1|ıιіӏɩΙІӀǀⲒⲓ∣│ꓲᎥᏞꓡᏐןا
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

// like returns the Latin letter that a character looks like, in lower case, or
// the character itself. The capital I is a bar, and small i its other form.
func like(r rune) string {
	if r == 'I' || r == 'i' {
		return "l"
	}
	if r < 0x80 && r != '0' && r != '1' && r != '|' {
		return string(r)
	}
	at := strings.IndexRune(confusables, r)
	if at < 0 {
		return string(r)
	}
	return confusables[strings.LastIndexByte(confusables[:at], '\n')+1:][:1]
}
