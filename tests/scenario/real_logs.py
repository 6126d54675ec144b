#!/usr/bin/env python3
"""Real logs against a second opinion: every line that holds one of many sampled values is reported, and no other."""
import glob
import os

import oracle
from scenario import case, expect, tell

ALGORITHM = {32: "md5", 40: "sha1", 64: "sha256"}


def sample(seen, kind, most):
    """Values spread over how often they occur: each (n/most)-th by count."""
    values = sorted((len(places), value) for (k, value), places in seen.items() if k == kind and printable(value))
    step = max(1, len(values) // most)
    return [value for count, value in values[::step] if count <= 20000]


def printable(value):
    return value.isascii() and value.isprintable() and not set(value) & set(" ,;'\"|<>()[]{}\\*_#") and (":" in value or "." in value or len(value) >= 32)


def compare(t, paths, least):
    seen = oracle.index(paths)
    addresses, names, hashes = sample(seen, "address", 150), sample(seen, "domain", 150), sample(seen, "hash", 60)
    names = [n for n in names if n.count(".") and not n.endswith((".arpa", ".local")) and n.split(".")[-1].isalpha()]
    lines = [f"ip,{v}" for v in addresses] + [f"domain,{v}" for v in names] + [f"{ALGORITHM[len(v)]},{v}" for v in hashes]
    t.write("list.csv", "type,value\n" + "\n".join(lines) + "\n")
    wanted = addresses + names + hashes
    expect(len(wanted) >= least, f"only {len(wanted)} values to look for")
    r = t.run("hunt", "--json", "-i", "list.csv", *[p for p in paths if oracle.kind_of(p) in oracle.KINDS], timeout=300)
    r.expect_exit(0)
    found = {}
    for row in r.json_lines():
        found.setdefault(row["indicator.value"], set()).add((os.path.basename(row["import"]), row["line"]))
    faults = []
    for kind, values in (("address", addresses), ("domain", names), ("hash", hashes)):
        for value in values:
            here, there = found.pop(value, set()), seen[(kind, value)]
            if here != there:
                faults.append(f"{kind} {value}: missed {sorted(there - here)[:3]}, reported without cause {sorted(here - there)[:3]}"
                              f" ({len(here)} of {len(there)})")
    expect(not faults, f"{len(faults)} of {len(wanted)} values differ:\n" + "\n".join(faults[:30]))
    expect(not found, f"values reported that were not asked for: {sorted(found)[:10]}")


@case("three days of a small network, TSV packed with zstd")
def _(t):
    compare(t, sorted(glob.glob(t.shared("zeek", "rita-3days") + "/*")), 200)


@case("a competition network, TSV")
def _(t):
    compare(t, sorted(glob.glob(t.shared("zeek", "wrccdc-tsv") + "/*")), 250)


@case("the same, JSON")
def _(t):
    compare(t, sorted(glob.glob(t.shared("zeek", "wrccdc-json") + "/*")), 250)


@case("a labelled malware network")
def _(t):
    compare(t, sorted(glob.glob(t.shared("zeek", "ctu-sme-11-labeled") + "/*")), 10)


tell()
