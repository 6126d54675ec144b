#!/usr/bin/env python3
"""What the sources must not hold: banned functions, calls outside the one folder that may make them, // comments, files and functions that have
grown too long. TAP, one case a rule; each finding names file and line. Comments and strings are not code: they are blanked first."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MAX_FILE, MAX_FUNCTION = 900, 80

TOKEN = re.compile(r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""", re.S | re.X)


def call(*names):
    return re.compile(r"(?<![\w.>])(?:" + "|".join(names) + r")\s*\(")


# What, in what it is looked for ("code", or "sql": the strings too), folders of src/ that may, the rule in words.
RULES = [
    (call("strcpy", "stpcpy", "strcat", "strncpy", "strncat", "v?sprintf", "gets", "strtok(?:_r)?", "ato[ifl]l?", "v?[sf]?scanf", "alloca", "system",
          "popen", "tmpnam", "mktemp", "signal"), "code", (),
     "no function that cannot bound its output, check its input or avoid the shell"),
    (call("strto[ldfu]\\w*",), "code", ("base",), "numbers are read by base/sv.h"),
    (call("malloc", "calloc", "realloc(?:array)?", "free", "v?asprintf", "strdup", "strndup", "getline", "getdelim"), "code", ("base",),
     "the heap is reached through base/alloc.h"),
    (re.compile(r"(?<![\w.>])(?:v?printf|puts|putchar|perror|v?warnx?|v?errx?)\s*\(|\b(?:stdout|stderr)\b"), "code", ("cli",), "only cli/ prints"),
    (call("open", "openat", "creat", "fopen", "freopen"), "code", ("base", "store", "evidence", "node", "cli"), "files are opened through base/file.h"),
    (call("exit", "_exit", "abort"), "code", ("base", "cli", "node", "import"), "a library function returns its failure"),
    (re.compile(r"\bsqlite3\w*\b|\bSQLITE_\w+"), "code", ("store",), "SQLite is used by store/ alone"),
    (re.compile(r'"\s*(?:SELECT|INSERT|UPDATE|DELETE\s+FROM|CREATE\s+(?:TABLE|INDEX)|PRAGMA)\s'), "sql", ("store",), "SQL is written in store/ alone"),
    (re.compile(r"\btypedef\s+(?:struct|union|enum)\b"), "code", (), "structs keep their keyword"),
    (re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b"), "all", (), "nothing is left for later inside the code"),
    (re.compile(r"/(?:home|root|work|Users)/"), "all", (), "no path of somebody's machine"),
]


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def without_strings(match):
    text = match.group()
    return text[0] + re.sub(r"[^\n]", " ", text[1:-1]) + text[-1] if text[0] in "\"'" else blank(match)


class Source:
    def __init__(self, path):
        self.path = os.path.relpath(path, ROOT)
        parts = self.path.split(os.sep)
        self.folder = parts[1] if parts[0] == "src" and len(parts) > 2 else ""
        with open(path, encoding="utf-8") as f:
            self.all = f.read()
        self.code = TOKEN.sub(without_strings, self.all)
        self.sql = TOKEN.sub(lambda m: m.group() if m.group()[0] == '"' else blank(m), self.all)

    def place(self, offset):
        return f"{self.path}:{self.all.count(chr(10), 0, offset) + 1}"


def sources(*tops, endings=(".c", ".h", ".cc", ".def")):
    for top in tops:
        for folder, _, names in sorted(os.walk(os.path.join(ROOT, top))):
            for name in sorted(names):
                if name.endswith(endings):
                    yield Source(os.path.join(folder, name))


def line_comments(files):
    for s in files:
        for m in TOKEN.finditer(s.all):
            if m.group().startswith("//"):
                yield f"{s.place(m.start())}: {m.group()[:60]}"


def long_files(files):
    for s in files:
        n = s.all.count("\n")
        if n > MAX_FILE:
            yield f"{s.path}: {n} lines, at most {MAX_FILE}: is there a natural wall?"


def long_functions(files):
    """A function starts at a `{` in the first column and ends at a `}` there (the layout is checked by clang-format)."""
    for s in files:
        if not s.path.endswith(".c"):
            continue
        lines, start = s.code.split("\n"), None
        for number, line in enumerate(lines, 1):
            if line.startswith("{"):
                start = number
            elif line.startswith("}") and start:
                if number - start > MAX_FUNCTION:
                    yield f"{s.path}:{start}: a function of {number - start} lines, at most {MAX_FUNCTION}"
                start = None


def main():
    src, others = list(sources("src")), list(sources("tests", "fuzz", "bench"))
    results = []
    for pattern, what, allowed, rule in RULES:
        found = []
        for s in src + (others if what == "all" else []):
            if s.folder not in allowed:
                found += [f"{s.place(m.start())}: {m.group().strip()}" for m in pattern.finditer(getattr(s, what))]
        results.append((rule + (f" (but {', '.join(allowed)})" if allowed else ""), found))
    results.append(("comments are /* ... */", list(line_comments(src + others))))
    results.append((f"no file over {MAX_FILE} lines", list(long_files(src + others))))
    results.append((f"no function over {MAX_FUNCTION} lines", list(long_functions(src))))
    print(f"1..{len(results)}")
    for number, (rule, found) in enumerate(results, 1):
        for line in found:
            print("#   " + line)
        print(f"{'not ok' if found else 'ok'} {number} - {rule}")
    sys.exit(any(found for _, found in results))


if __name__ == "__main__":
    main()
