#!/usr/bin/env python3
"""Counts the indicators in plain lists and CSV files by rules of its own, to hold the importers to: one line a file, "name type=count ...".

Usage: count_indicators.py FILE...   (zstd files are read through `zstd -dc`)

Written without a look at the importers: the standard library's csv and ipaddress and a handful of regular expressions decide. It knows which columns
of each published file hold values, where a header can't say so.
"""
import collections
import csv
import io
import ipaddress
import re
import subprocess
import sys

HASHES = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
DOMAIN = re.compile(rf"^(?:{LABEL}\.)+(?:xn--[a-z0-9-]+|[a-z]{{2,63}})$")
EMAIL = re.compile(r"^[^@\s,]+@([^@\s]+)$")


def refang(s):
    s = re.sub(r"^h[x*_tz]{2}p(s?)(?=:|\[:)", r"http\1", s, flags=re.I)
    return s.replace("[.]", ".").replace("\\.", ".").replace("[:]", ":").replace("[@]", "@").replace("(.)", ".").replace("[://]", "://")


def kind(s):
    """Type of one bare value, None if it is none."""
    s = refang(s.strip().strip("\"'").rstrip("."))
    if re.fullmatch(r"[0-9a-fA-F]+", s) and len(s) in HASHES:
        return HASHES[len(s)]
    if re.match(r"^[a-z][a-z0-9+.-]*://[^/\s]", s, re.I) and " " not in s:
        return "url"
    try:
        net = ipaddress.ip_network(s, strict=False)
        return "ipv4-addr" if net.version == 4 else "ipv6-addr"
    except ValueError:
        pass
    if EMAIL.match(s) and DOMAIN.match(EMAIL.match(s).group(1).lower()):
        return "email-addr"
    m = re.match(r"^([^/:?\s]+)(?::\d+)?(/\S*|\?\S*)?$", s)
    if not m:
        return None
    host, path = m.group(1).lower(), m.group(2)
    try:
        ipaddress.IPv4Address(host)
        return "url" if path and path != "/" else "ipv4-addr"
    except ValueError:
        pass
    if DOMAIN.match(host.rstrip(".")):
        return "url" if path and path != "/" else "domain-name"
    return None


def read(path):
    if path.endswith(".zst"):
        data = subprocess.run(["zstd", "-dc", path], check=True, capture_output=True).stdout
    else:
        with open(path, "rb") as f:
            data = f.read()
    return data.decode("utf-8-sig", "replace")


def lists(text):
    """First column of each line of a list, then tokens of lines that are something else, if they are defanged or digests."""
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        first = re.split(r"\t", line)[0].strip()
        if kind(first):
            yield kind(first)
            continue
        for token in line.split():
            if kind(token) and ("[" in token or kind(token) in HASHES.values()):
                yield kind(token)


# Which column of a file holds the value and which its type, or the columns that hold values; the header as published.
COLUMNS = ({"value"}, {"indicator"}, {"sha256", "sha1", "md5", "certificate"}, {"domain_name", "ip_address"}, {"c2 server", ""})
NOT_HUNTED = ("port", "service", "payload", "behaviour", "commandline")
TYPE_COLUMNS = ("type", "entity_type")


def table(text):
    rows = csv.reader(io.StringIO(text))
    head = [h.strip().lower() for h in next(rows)]
    named = set().union(*COLUMNS)
    for row in rows:
        what = next((row[i].lower() for i, h in enumerate(head) if h in TYPE_COLUMNS and i < len(row)), "")
        for i, h in enumerate(head):
            if h not in named or i >= len(row) or row[i].strip().lower() in ("", "unknown"):
                continue
            cell = row[i].strip()
            k = kind(cell)
            if what == "filename":
                yield "file-name"
            elif what in NOT_HUNTED:
                yield "?"
            elif h == "certificate":
                yield "x509-" + k if k else "?"
            elif k:
                yield k
            elif what == "file" or re.search(r"[,\s]", cell):
                yield from (kind(p) or "?" for p in re.split(r"[,\s]+", cell) if p)
            else:
                yield "?"


for name in sys.argv[1:]:
    body = read(name)
    found = collections.Counter(table(body) if re.search(r"\.csv(\.zst)?$", name) else lists(body))
    print(name.rsplit("/", 1)[-1], " ".join(f"{k}={n}" for k, n in sorted(found.items())))
