#!/usr/bin/env python3
"""The shipped example, from nothing to the hit list, compared with what reading every cell of every log gives."""
import glob
import os
import re

import oracle
from scenario import ROOT, case, expect, expect_equal, tell

LOGS = sorted(glob.glob(os.path.join(ROOT, "examples", "first-hunt", "logs", "*.log")))
LISTS = os.path.join(ROOT, "examples", "first-hunt", "indicators")
C2, C2_NAME = "203.0.113.66", "update.example.net"
SEEN = oracle.index(LOGS)


def rows_of(result):
    """{indicator value: {(log, line)}} of `hunt --json`, which has a line for each (row, indicator, field)."""
    found = {}
    for row in result.json_lines():
        found.setdefault(row["indicator.value"], set()).add((os.path.basename(row["import"]), row["line"]))
    return found


@case("two files are enough: a list, a log, and no node")
def _(t):
    t.write("list.txt", f"{C2}\n")
    conn = next(log for log in LOGS if log.endswith("/conn.log"))
    r = t.run("hunt", "--json", "-i", "list.txt", conn).expect_exit(0)
    wanted = {place for place in SEEN[("address", C2)] if place[0] == "conn.log"}
    expect_equal(rows_of(r), {C2: wanted}, "rows with the address")
    expect(not os.path.exists(t.path(".local")), "a hunt in files alone must not make a node")


@case("init makes a node, and leaves one that is there alone")
def _(t):
    t.run("init", "--org", "Example Office", "--own", "10.20.30.0/24").expect_exit(0)
    t.run("init").expect_exit(0)


@case("the logs go in, and a second time changes nothing")
def _(t):
    first = t.run("import", os.path.dirname(LOGS[0])).expect_exit(0)
    before = t.run("hunt", "--json", "-i", t.write("list.txt", f"{C2}\n")).expect_exit(0)
    t.run("import", os.path.dirname(LOGS[0])).expect_exit(0)
    after = t.run("hunt", "--json", "-i", "list.txt").expect_exit(0)
    expect_equal(rows_of(after), rows_of(before), "rows after the second import")
    expect(first.out or first.err, "an import says what it did")


@case("the lists go in: STIX, MISP and a defanged report")
def _(t):
    t.run("import", LISTS).expect_exit(0)


@case("every hit is a row that holds the value, and no such row is missed")
def _(t):
    found = rows_of(t.run("hunt", "--json").expect_exit(0))
    checked = 0
    for value, places in found.items():
        kind = "address" if oracle.address(value) else "hash" if re.fullmatch(r"[0-9a-f]{32,128}", value) else "domain"
        if (kind, value) in SEEN:
            expect_equal(places, SEEN[(kind, value)], f"rows with {value}")
            checked += 1
    for value in (C2, C2_NAME, "2001:db8:c2::66", "docs.invoices.example.net", "192.0.2.200", "files-7.example.org", "198.51.100.77",
                  "weather.example.net", "10.20.30.5", "www.example.com"):
        expect(value in found, f"{value} was seen and is not reported")
    expect(checked >= 12, f"only {checked} values compared")


@case("what was never here is not reported as seen")
def _(t):
    found = rows_of(t.run("hunt", "--json").expect_exit(0))
    for value in ("203.0.113.141", "panel.upd.example.net"):
        expect(value not in found, f"{value} is reported")


@case("each hit names every list that it comes from")
def _(t):
    counts = {row["indicator.value"]: row for row in t.run("hunt", "--count", "--json").expect_exit(0).json_lines()}
    expect(len(counts[C2]["sources"]) >= 3, f"{C2} stands in three lists: {counts[C2]['sources']}")
    expect_equal(counts[C2]["count"], len(SEEN[("address", C2)]), f"count of {C2}")
    expect(counts[C2]["first_seen"].startswith("2026-03-09T08:5"), counts[C2]["first_seen"])
    expect(counts[C2]["last_seen"].startswith("2026-03-11T11:1"), counts[C2]["last_seen"])


@case("the end of a hunt says what could not be tested")
def _(t):
    r = t.run("hunt").expect_exit(0)
    text = r.out + r.err
    expect(re.search(r"[Tt]ested \d+ of \d+ indicators", text), f"no 'tested N of M indicators' in:\n{text[-2000:]}")
    expect(re.search(r"3 need host records", text), f"mutexes and registry keys need records that are not here, and nothing says so:\n{text[-2000:]}")


@case("index and brute scan agree")
def _(t):
    t.run("hunt", "--verify").expect_exit(0)


@case("nothing reserved, expired, withdrawn or our own gets into a block list")
def _(t):
    for form, comment in (("nft", "#"), ("rpz", ";"), ("suricata", "#"), ("zeek", "#")):
        r = t.run("hunt", "--format", form)
        active = "\n".join(line for line in r.lines if not line.lstrip().startswith(comment))
        for value in (C2, "198.51.100.77", "10.20.30.5", "weather.example.net", "www.example.com"):
            expect(value not in active, f"{form} blocks {value}:\n{active[:1500]}")


tell()
