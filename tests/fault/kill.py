#!/usr/bin/env python3
"""The program is killed at any moment: what it has acknowledged is there, what it has not can be imported again, nothing comes twice."""
import os
import shutil
import signal
import subprocess
import time

from faulty import (Failed, HEAD_LINES, RANDOM, acknowledged, case, conn, expect, files_of, holds, home, rounds, rows_in, sound, start, tell, truth)

FILES, ROWS, BIG = 12, 300, 9000  # the last has 8 MB: two places to go on from within it


def setting(t):
    """Twelve small files and a large one; [(name, rows, first)]."""
    known = []
    for i in range(FILES):
        name = f"conn.{i:02}.log"
        if not os.path.exists(t.path(name)):
            t.write(name, conn(ROWS, first=i * ROWS, step=60.0))
        known.append((name, ROWS, i * ROWS))
    if not os.path.exists(t.path("big.log")):
        t.write("big.log", conn(BIG, first=100000, pad=900))
    known.append(("big.log", BIG, 100000))
    return known


def kill_after(t, seconds, *args):
    """Starts, kills the whole group after a while; what it had said by then, and whether it was still at work."""
    p = start(t, *args, DM_FAULT_COMMIT_ROWS="4000")
    try:
        out, err = p.communicate(timeout=seconds)
        expect(p.returncode == 0, f"{args}: exit {p.returncode}: {err.decode()}")
        return out.decode(), False
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        out, _ = p.communicate()
        return out.decode(), True


def opens_at_once(t):
    begun = time.monotonic()
    t.run("status").expect_exit(0)
    took = time.monotonic() - begun
    expect(took < 1 or os.environ.get("DEMARCHE_SANITIZED"), f"opening took {took:.2f} s")


def duration(t, *args):
    begun = time.monotonic()
    t.run(*args, env={"DM_FAULT_COMMIT_ROWS": "4000"}).expect_exit(0)
    return time.monotonic() - begun


def check_kept(t, known, out, what):
    """Every acknowledged file whole; of the others any beginning, each row once."""
    found = rows_in(t)
    expect(len(set(found)) == len(found), f"{what}: rows twice")
    by_name = {}
    for row in found:
        by_name.setdefault(row[0], []).append(row)
    for name, n, first in known:
        wanted, have = sorted(truth(name, n, first)), sorted(by_name.get(name, []))
        if name in acknowledged(out):
            expect(have == wanted, f"{what}: {name} was acknowledged, and {len(have)} of {n} rows are there")
        lines = [r[1] for r in have]
        expect(lines == list(range(HEAD_LINES + 1, HEAD_LINES + 1 + len(lines))), f"{what}: {name}: a hole in what was kept")


@case("an import killed at any moment")
def _(t):
    known = setting(t)
    names = [k[0] for k in known]
    whole = duration(t, "import", *names)
    killed = 0
    for i in range(rounds(10, 100)):
        shutil.rmtree(home(t), ignore_errors=True)  # an early kill leaves none
        what = f"round {i}"
        out = ""
        for _again in range(RANDOM.choice((1, 1, 2))):  # killed again while it goes on
            said, alive = kill_after(t, RANDOM.uniform(0, whole * 1.1), "import", *names)
            out += said
            killed += alive
        if not os.path.exists(os.path.join(home(t), "catalog.sqlite")):
            continue
        if "there is no node here" in t.run("status").err:
            continue  # killed while it was made
        opens_at_once(t)
        if i % 3 == 0:
            sound(t, what, early=True)
            check_kept(t, known, out, what)
        t.run("import", *names, env={"DM_FAULT_COMMIT_ROWS": "4000"}).expect_exit(0)
        sound(t, what)
        holds(t, [r for k in known for r in truth(*k)], what)
    expect(killed > 2, f"only {killed} of the rounds were killed while at work")


@case("a compaction killed at any moment")
def _(t):
    known = setting(t)
    shutil.rmtree(home(t), ignore_errors=True)  # an early kill leaves none
    for name, _n, _first in known:
        t.run("import", name).expect_exit(0)
    keep = t.path("kept")
    shutil.copytree(home(t), keep)
    whole = duration(t, "compact")
    for i in range(rounds(8, 80)):
        shutil.rmtree(home(t), ignore_errors=True)  # an early kill leaves none
        shutil.copytree(keep, home(t))
        kill_after(t, RANDOM.uniform(0, whole * 1.1), "compact")
        opens_at_once(t)
        sound(t, f"round {i}")
        holds(t, [r for k in known for r in truth(*k)], f"round {i}")
    t.run("compact").expect_exit(0)
    named = t.run("status", "--json").json()
    left = [f for f in files_of(t) if os.path.basename(f).startswith(".tmp")]
    expect(not left, f"left behind: {left}")
    expect(named["segments"] < 30, f"{named['segments']} segments after compaction")


@case("stopped with Control-C at any moment")
def _(t):
    known = setting(t)
    names = [k[0] for k in known]
    shutil.rmtree(home(t), ignore_errors=True)  # an early kill leaves none
    whole = duration(t, "import", *names)
    for i in range(rounds(3, 40)):
        shutil.rmtree(home(t), ignore_errors=True)  # an early kill leaves none
        for _again in range(2):
            p = start(t, "import", *names, DM_FAULT_COMMIT_ROWS="4000")
            time.sleep(RANDOM.uniform(0.02, whole))
            p.send_signal(RANDOM.choice((signal.SIGINT, signal.SIGTERM)))
            try:
                out, err = p.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, signal.SIGKILL)
                raise Failed(f"round {i}: it did not stop within 30 s") from None
            if os.path.exists(os.path.join(home(t), "catalog.sqlite")):
                check_kept(t, known, "", f"round {i}: {out.decode()} {err.decode()}")
        t.run("import", *names).expect_exit(0)
        sound(t, f"round {i}")
        holds(t, [r for k in known for r in truth(*k)], f"round {i}")


tell()
