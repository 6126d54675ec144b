#!/usr/bin/env python3
"""Writes src/hunt/nfc_data.h from the Unicode data of the running Python: run by hand when the Unicode version is to move."""
import sys
import unicodedata as u

HANGUL = range(0xAC00, 0xD7A4)


def canonical(cp):
    d = u.decomposition(chr(cp))
    return [int(x, 16) for x in d.split()] if d and not d.startswith("<") else []


def rows(items, per_line):
    for i in range(0, len(items), per_line):
        yield "\t" + " ".join(x + "," for x in items[i:i + per_line])


def main():
    table, classes = [], []
    for cp in range(0x110000):
        if 0xD800 <= cp < 0xE000 or cp in HANGUL:
            continue
        d = canonical(cp)
        if d:
            composes = len(d) == 2 and u.normalize("NFC", chr(d[0]) + chr(d[1])) == chr(cp)
            table.append((cp, d[0], d[1] if len(d) == 2 else 0, composes))
        c = u.combining(chr(cp))
        if c:
            if classes and classes[-1][1] == cp - 1 and classes[-1][2] == c:
                classes[-1][1] = cp
            else:
                classes.append([cp, cp, c])
    order = sorted((i for i, r in enumerate(table) if r[3]), key=lambda i: table[i][1:3])
    out = sys.stdout
    out.write("/* nfc_data.h: written by tools/gen_nfc.py from Unicode %s. Do not edit. */\n#ifndef DM_HUNT_NFC_DATA_H\n"
              "#define DM_HUNT_NFC_DATA_H\n\n#include <stdint.h>\n\n/* clang-format off */\n" % u.unidata_version)
    out.write("static const uint32_t decomposition[][3] = { /* code point, first, second or 0; ascending */\n")
    out.write("\n".join(rows(["{0x%x,0x%x,0x%x}" % r[:3] for r in table], 5)))
    out.write("\n};\nstatic const uint16_t composition[] = { /* entries above that compose, by (first, second) */\n")
    out.write("\n".join(rows([str(i) for i in order], 18)))
    out.write("\n};\nstatic const uint32_t combining[][3] = { /* first, last, canonical combining class; ascending */\n")
    out.write("\n".join(rows(["{0x%x,0x%x,%d}" % tuple(r) for r in classes], 5)))
    out.write("\n};\n/* clang-format on */\n\n#endif\n")


main()
