#!/usr/bin/env python3
"""Write docs/limits.md from src/base/limits.h: tools/limits_doc.py > docs/limits.md (tools/check/limits.sh says when that is due)."""
import os
import re

HEADER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "src", "base", "limits.h")
LIMIT = re.compile(r"#define\s+(DM_\w+)\s+(\([^)]*\)|\S+)\s*(?:/\*\s*(.*?)\s*\*/)?\s*$")


def value(text, seen):
    """The C constant as a number: 1u << 20, 4000000u, or another limit's name."""
    expression = re.sub(r"\b(0x[0-9a-fA-F]+|\d+)[uUlL]+\b", r"\1", text)
    expression = re.sub(r"\bDM_\w+", lambda m: str(seen[m.group()]), expression)
    if not re.fullmatch(r"[0-9a-fA-Fx()<>*+/ -]+", expression):
        raise SystemExit(f"limits.h: cannot read {text!r}")
    return int(eval(expression.replace("/", "//"), {"__builtins__": {}}))


def people(n):
    for shift, unit in ((40, "Ti"), (30, "Gi"), (20, "Mi"), (10, "Ki")):
        if n >= 1 << shift and n % (1 << shift) == 0:
            return f"{n >> shift} {unit}"
    return f"{n:,}"


def logical_lines(text):
    """Lines, with those that a backslash or an open comment continues joined to the one that began."""
    joined = ""
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        joined = joined + " " + re.sub(r"^\*(?!/)\s*", "", line.strip()) if joined else line
        if joined.count("/*") > joined.count("*/"):
            continue
        yield joined
        joined = ""


def main():
    with open(HEADER, encoding="utf-8") as f:
        text = f.read()
    print("# Limits\n")
    print("Every bound on what a stranger can make demarche do. Made from `src/base/limits.h` by `tools/limits_doc.py`: change it there.")
    print("What goes over a limit is refused or cut with a message that names file, place and limit; nothing is dropped silently.")
    seen, open_table = {}, False
    for line in logical_lines(text):
        heading = re.fullmatch(r"/\* ([A-Z][^:]*?) \*/", line.strip())
        limit = LIMIT.match(line.strip())
        if heading:
            print(f"\n## {heading.group(1)}\n\n| limit | value | why |\n|---|---|---|")
            open_table = True
        elif limit and open_table:
            seen[limit.group(1)] = value(limit.group(2), seen)
            why = re.sub(r"\s+", " ", limit.group(3) or "")
            print(f"| `{limit.group(1)}` | {people(seen[limit.group(1)])} | {why} |")


if __name__ == "__main__":
    main()
