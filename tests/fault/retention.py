#!/usr/bin/env python3
"""Days that are let go leave no trace of their values in any file of the node, and hunts say that they are not kept."""
import os

from faulty import EPOCH, HEAD, case, conn_rows, expect, files_of, home, rows_in, sound, tell

DAY = 86400
CANARY = ("203.0.113.201", b"\xcb\x00\x71\xc9")


def row(when, source, name):
    return f"{when:.6f}\tC{name}\t{source}\t1\t198.51.100.1\t443\ttcp\t{name}\t1.0\t1\t1\n"


def all_bytes(t):
    found = {}
    for folder, _dirs, names in os.walk(home(t)):
        for name in names:
            with open(os.path.join(folder, name), "rb") as f:
                found[name] = f.read()
    return found


@case("no byte of a dropped value is left")
def _(t):
    text = HEAD + "".join(row(EPOCH + d * DAY, "10.9.9.9", "canaryname" if d < 3 else "kept") for d in range(6))
    text += f"{EPOCH:.6f}\tCbroken\tcanaryskip\t1\t198.51.100.1\t443\ttcp\tx\t1.0\t1\t1\n"
    t.write("a.log", text)
    t.run("import", "a.log").expect_exit(0)
    for i in range(10):
        t.write(f"b{i}.log", HEAD + row(EPOCH + DAY + i, "203.0.113.201", "canaryname") + row(EPOCH + 5 * DAY + i, "10.1.1.1", "kept"))
        t.run("import", f"b{i}.log").expect_exit(0)
    t.run("compact").expect_exit(0)
    before = b"".join(all_bytes(t).values())
    expect(b"canaryname" in before and CANARY[1][1:] in before or b"canaryskip" in before, "the canary must be findable, or this test finds nothing")
    t.run("forget", "--before", "2026-03-04").expect_exit(0)
    for name, data in all_bytes(t).items():
        for canary in (b"canaryname", b"canaryskip", b"203.0.113.201", CANARY[1]):
            expect(canary not in data, f"{canary} is left in {name}")
    sound(t, "after forgetting")
    expect(len(rows_in(t, "10.0.0.0/8")) == 13, f"{len(rows_in(t, '10.0.0.0/8'))} rows are kept")
    r = t.run("hunt", "-i", t.write("c.txt", "203.0.113.201\n"))
    expect(r.code == 1 and "Not kept: 14 rows" in r.out + r.err, r.out + r.err)


@case("one row on each of 20,000 days makes few segments, and half of them can go")
def _(t):
    first = EPOCH - (70000 + 20000) * DAY
    t.write("days.log", HEAD + conn_rows(20000, first=70000, step=DAY, start=first))
    before = t.run("status", "--json").json()
    t.run("import", "days.log").expect_exit(0)
    after = t.run("status", "--json").json()
    expect(after["segments"] - before["segments"] < 80, f"{after['segments']} segments")
    rows = len(rows_in(t))
    expect(rows == 13 + 20000, f"{rows} rows")
    r = t.run("forget", "--json", "--before", "2006-01-01").expect_exit(0)
    gone = r.json()["rows_dropped"]
    expect(10000 < gone < 20000, f"{gone} rows dropped")
    expect(len(rows_in(t)) == rows - gone, "what is left")
    t.run("hunt", "--verify", "-i", "everything.txt").expect_exit(0)
    sound(t, "after forgetting half of them")


@case("rows without a time are kept, whatever day is forgotten")
def _(t):
    t.write("timeless.log", HEAD + conn_rows(3, first=90000) + row(0, "10.77.0.1", "x").replace("0.000000", "-", 1))
    t.run("import", "timeless.log").expect_exit(0)
    before = len(rows_in(t, "10.77.0.0/16"))
    t.run("forget", "--before", "2030-01-01").expect_exit(0)
    expect(len(rows_in(t, "10.77.0.0/16")) == before, "the row without a time is gone")
    sound(t, "after all days are gone")
    expect(len([f for f in files_of(t) if f.endswith(".seg")]) <= before, f"{files_of(t)}")


tell()
