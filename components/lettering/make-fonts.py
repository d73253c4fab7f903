"""Makes fonts.ts beside it of two bitmap fonts of X.Org's font-misc-misc 1.1, as BDF files.

    python3 components/lettering/make-fonts.py 6x13.bdf 5x8.bdf

They are in https://xorg.freedesktop.org/releases/individual/font/, and in Debian's xfonts-base: `pcf2bdf` makes BDF of its
files. Left out is what would be drawn as nothing or as another character: controls, formats, private ones, blanks but spaces.
"""
import base64
import pathlib
import sys
import unicodedata
import zlib


def read(path):
    """Code point -> rows from the top, whose highest bit is the left dot."""
    glyphs, notice, rows = {}, "", None
    for words in (line.split() for line in open(path, encoding="latin-1")):
        if not words:
            continue
        if words[0] == "FONTBOUNDINGBOX":
            width, height, _, below = map(int, words[1:])
        elif words[0] == "COPYRIGHT":
            notice = " ".join(words[1:]).strip('"')
        elif words[0] == "ENCODING":
            code = int(words[1])
        elif words[0] == "BBX":
            own_width, own_height, left, bottom = map(int, words[1:])
        elif words[0] == "BITMAP":
            rows = []
        elif words[0] == "ENDCHAR":
            top = height + below - (bottom + own_height)
            dots = [0] * height
            for y, row in enumerate(rows):
                bits = int(row, 16) >> (len(row) * 4 - own_width)
                dots[top + y] = bits << (width - left - own_width)
            glyphs[code], rows = dots, None
        elif rows is not None:
            rows.append(words[0])
    return width, height, glyphs, notice


def is_shown(code, dots):
    kind = unicodedata.category(chr(code))
    return kind == "Zs" if not any(dots) else kind not in ("Cc", "Cf", "Co", "Cs", "Cn")


def packed(path):
    width, height, glyphs, notice = read(path)
    codes = sorted(code for code, dots in glyphs.items() if is_shown(code, dots))
    ranges = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    text = " ".join(f"{a:x}" if a == b else f"{a:x}-{b:x}" for a, b in ranges)
    dots = base64.b64encode(zlib.compress(bytes(row for code in codes for row in glyphs[code]), 9)).decode()
    name = pathlib.Path(path).stem
    return f"""
/** Misc-Fixed {name}, {len(codes):,} characters. Its notice: "{notice}" */
export const fixed{name}: PackedFont = {{
  width: {width},
  height: {height},
  codes:
    '{text}',
  dots:
    '{dots}',
}};
"""


head = """/** Made by make-fonts.py beside it, of bitmap fonts of X.Org's font-misc-misc. */

export interface PackedFont {
  /** Of a character, in dots. */
  readonly width: number;
  readonly height: number;
  /** Characters by their numbers, hexadecimal, and ranges of them; in rising order. */
  readonly codes: string;
  /** Rows of these characters from the top, a byte each, whose lowest bit is the right dot; deflated, in base64. */
  readonly dots: string;
}
"""
pathlib.Path(__file__).with_name("fonts.ts").write_text(head + "".join(packed(path) for path in sys.argv[1:]))
