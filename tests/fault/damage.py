#!/usr/bin/env python3
"""Files of the node cut, changed or taken away: the check names them, a hunt says so or is right, and never invents or hides a row."""
import os
import shutil

from faulty import (RANDOM, case, conn, expect, files_of, holds, home, rounds, rows_in, sound, tell, truth)

ROWS = 3000


def fresh(t):
    keep = t.path("kept")
    if not os.path.exists(keep):
        t.write("conn.log", conn(ROWS))
        t.write("bad.txt", "".join(f"198.51.{i % 7}.{i % 251}\n" for i in range(0, 1500, 11)))
        t.run("import", "conn.log", "bad.txt").expect_exit(0)
        shutil.copytree(home(t), keep)
        t.known = sorted(truth("conn.log", ROWS))
        t.listed = counts(t)
    shutil.rmtree(home(t))
    shutil.copytree(keep, home(t))


def counts(t):
    r = t.run("hunt", "--count", "--json")
    return sorted(r.lines) if r.code in (0, 1) else r


def said(t, name, what):
    """The check names the file and a remedy; nothing that a hunt tells is wrong."""
    check = t.run("status", "--check", "--json")
    faults = [row for row in check.json_lines() if "fault" in row]
    expect(check.code != 0 and any(name in f["fault"] and f["remedy"] for f in faults), f"{what}: status --check: exit {check.code}, {faults} {check.err}")
    t.write("everything.txt", "10.0.0.0/8\n")
    hunt = t.run("hunt", "--json", "-i", "everything.txt")
    if hunt.code in (0, 1):
        found = sorted((os.path.basename(r["import"]), r["line"], r["source.ip"]) for r in hunt.json_lines() if "line" in r)
        expect(found == t.known, f"{what}: the hunt ends well with {len(found)} of {len(t.known)} rows")
    else:
        expect(name in hunt.err, f"{what}: the hunt's error does not name the file: {hunt.err}")
    count = counts(t)
    expect(count == t.listed or not isinstance(count, list), f"{what}: wrong counts and no error")


@case("a bit changed anywhere in a segment, a run or a list")
def _(t):
    fresh(t)
    for i in range(rounds(40, 600)):
        fresh(t)
        path = RANDOM.choice(files_of(t))
        with open(path, "r+b") as f:
            size = os.path.getsize(path)
            at = RANDOM.choice((RANDOM.randrange(size), RANDOM.randrange(min(size, 400)), size - 1 - RANDOM.randrange(min(size, 3000))))
            f.seek(at)
            byte = f.read(1)[0]
            f.seek(at)
            f.write(bytes([byte ^ 1 << RANDOM.randrange(8)]))
        name = os.path.basename(path)
        check = t.run("status", "--check", "--json")
        faults = [row for row in check.json_lines() if "fault" in row and name in row["fault"]]
        if not faults and not padding(t, path, at):
            expect(False, f"round {i}: byte {at} of {size} of {name} was changed and the check is content")
        if faults:
            said(t, name, f"round {i}: byte {at} of {size} of {name}")


def padding(t, path, at):
    """Bytes between two sections hold nothing: they may be what they like."""
    with open(t.path("kept", os.path.basename(os.path.dirname(path)), os.path.basename(path)), "rb") as f:
        f.seek(at)
        return f.read(1) == b"\0"


@case("a file cut short, emptied or taken away")
def _(t):
    for i in range(rounds(12, 120)):
        fresh(t)
        path = RANDOM.choice(files_of(t))
        size = os.path.getsize(path)
        how = RANDOM.choice(("cut", "empty", "gone", "longer"))
        if how == "gone":
            os.unlink(path)
        else:
            os.truncate(path, {"cut": RANDOM.randrange(size), "empty": 0, "longer": size + 4096}[how])
        said(t, os.path.basename(path), f"round {i}: {os.path.basename(path)} {how}")


@case("the store-wide dictionary can be made anew from the segments")
def _(t):
    fresh(t)
    for path in files_of(t):
        if path.endswith(".run"):
            os.truncate(path, 100)
    t.run("compact", "--rebuild").expect_exit(0)
    sound(t, "after the rebuild")
    holds(t, t.known, "after the rebuild")
    expect(counts(t) == t.listed, "the counts of a rebuilt dictionary differ")


@case("a catalog that is gone is not made anew over its evidence")
def _(t):
    fresh(t)
    before = files_of(t)
    for name in os.listdir(home(t)):
        if name.startswith("catalog"):
            os.unlink(os.path.join(home(t), name))
    r = t.run("import", "conn.log")
    expect(r.code not in (0, 1) and "catalog" in r.err, f"exit {r.code}: {r.err}")
    expect(files_of(t) == before, "evidence files are gone")


@case("a catalog full of noise is an error that says so")
def _(t):
    fresh(t)
    path = os.path.join(home(t), "catalog.sqlite")
    with open(path, "r+b") as f:
        f.write(b"noise" * 20)
    for verb in (["status"], ["hunt"], ["import", "conn.log"]):
        r = t.run(*verb)
        expect(r.code not in (0, 1) and "catalog.sqlite" in r.err, f"{verb}: exit {r.code}: {r.err}")
    expect(len(files_of(t)) > 2, "evidence files are gone")


@case("a segment cut while it is read")
def _(t):
    import subprocess
    from faulty import start
    for i in range(rounds(6, 100)):
        fresh(t)
        path = RANDOM.choice([p for p in files_of(t) if p.endswith((".seg", ".run"))])
        p = start(t, "hunt", "--json", "-i", "everything.txt")
        try:
            p.wait(timeout=RANDOM.uniform(0, 0.04))
        except subprocess.TimeoutExpired:
            pass
        os.truncate(path, 0)
        out, err = p.communicate(timeout=60)
        expect(p.returncode >= 0, f"round {i}: crashed ({p.returncode})")
        if p.returncode == 0:
            lines = out.decode().count(',"line":')
            expect(lines == ROWS, f"round {i}: {lines} of {ROWS} rows and no error")
        else:
            expect(err, "an error says nothing")


@case("a run cut between the match and the rows")
def _(t):
    from faulty import conn, home, start
    import shutil
    import time
    shutil.rmtree(home(t), ignore_errors=True)
    days, each = 40, 200
    t.write("days.log", conn(days * each, step=86400 / each))
    t.run("import", "days.log").expect_exit(0)
    t.write("everything.txt", "10.0.0.0/8\n")
    p = start(t, "hunt", "--json", "-i", "everything.txt")
    begun = os.read(p.stdout.fileno(), 1)  # past the buffer, which communicate would not see; the match is done; nobody takes the rest, so the later days are still to come
    time.sleep(0.3)
    for path in files_of(t):
        if path.endswith(".run"):
            os.truncate(path, 0)
    out, err = p.communicate(timeout=60)
    lines = (begun + out).decode().count(',"line":')
    expect(p.returncode >= 0, f"crashed ({p.returncode})")
    expect(lines == days * each or (p.returncode != 0 and err), f"{lines} of {days * each} rows, exit {p.returncode} and no error")


tell()
