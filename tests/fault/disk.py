#!/usr/bin/env python3
"""A disk that is full or breaks at any write, sync, rename or truncation: an error, the node as it was, and the same import works afterwards."""
import os
import shutil
import subprocess

from faulty import LONG, RANDOM, case, conn, expect, files_of, holds, home, rounds, sound, tell, truth

FIRST, SECOND = 400, 900
FULL, BROKEN = 28, 5


def fresh(t):
    keep = t.path("kept")
    if not os.path.exists(keep):
        t.write("first.log", conn(FIRST))
        t.write("second.log", conn(SECOND, first=FIRST, step=300))
        t.write("list.txt", "198.51.100.7\nexample.com\n")
        t.run("import", "first.log").expect_exit(0)
        shutil.copytree(home(t), keep)
    shutil.rmtree(home(t))
    shutil.copytree(keep, home(t))


def shim(t, at, number, stays, *args):
    env = {"LD_PRELOAD": os.environ["DM_SHIM"], "DM_SHIM_UNDER": os.path.realpath(home(t)), "DM_SHIM_AT": str(at), "DM_SHIM_ERRNO": str(number),
           "DM_SHIM_COUNT": t.path("calls")}
    if stays:
        env["DM_SHIM_STAYS"] = "1"
    return t.run(*args, env=env)


def every_call(t, done, *args):
    """Fail each call in turn, or some of them where time is short."""
    if os.environ.get("DEMARCHE_SANITIZED"):
        t.skip("sanitizers want to be loaded first")
    fresh(t)
    shim(t, 0, FULL, False, *args).expect_exit(0)
    calls = int(t.read("calls"))
    expect(calls > 5, f"only {calls} calls seen")
    places = [(n, e, s) for n in range(1, calls + 1) for e in (FULL, BROKEN) for s in (False, True)]
    if not LONG:
        places = RANDOM.sample(places, min(len(places), rounds(40, 40)))
    for at, number, stays in places:
        fresh(t)
        what = f"call {at} of {calls}, error {number}{', for good' if stays else ''}: {' '.join(args)}"
        r = shim(t, at, number, stays, *args)
        expect(r.code in (0, 73, 74) and (r.code == 0 or r.err), f"{what}: exit {r.code}: {r.err}")
        sound(t, what, early=True)
        done(what, r)


@case("an import on a disk that fails")
def _(t):
    def done(what, r):
        if r.code == 0:
            holds(t, truth("first.log", FIRST) + truth("second.log", SECOND, FIRST), what + ": it said that all is well")
        t.run("import", "second.log", "list.txt").expect_exit(0)
        sound(t, what)
        holds(t, truth("first.log", FIRST) + truth("second.log", SECOND, FIRST), what)
        expect(not [f for f in files_of(t) if ".tmp" in f], f"{what}: left behind {files_of(t)}")
    every_call(t, done, "import", "second.log", "list.txt")


@case("a compaction on a disk that fails")
def _(t):
    fresh(t)
    for i in range(3):
        t.write(f"more.{i}.log", conn(50, first=5000 + 50 * i))
        t.run("import", f"more.{i}.log").expect_exit(0)
    shutil.rmtree(t.path("kept"))
    shutil.copytree(home(t), t.path("kept"))
    wanted = truth("first.log", FIRST) + [r for i in range(3) for r in truth(f"more.{i}.log", 50, 5000 + 50 * i)]

    def done(what, _r):
        holds(t, wanted, what)
        t.run("compact").expect_exit(0)
        sound(t, what)
        holds(t, wanted, what)
    every_call(t, done, "compact")


@case("a real disk of 2 MB")
def _(t):
    os.makedirs(t.path("small"), exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", t.path("small")], stderr=subprocess.DEVNULL, check=False).returncode:
        t.skip("a disk can't be mounted")
    try:
        node = os.path.join(t.path("small"), "node")
        t.write("much.log", conn(60000, step=1.0, pad=20))
        t.run("--home", node, "import", "first.log").expect_exit(0)
        r = t.run("--home", node, "import", "much.log")
        expect(r.code == 74 and r.err, f"exit {r.code}: {r.err}")
        r = t.run("--home", node, "status", "--json").expect_exit(0)
        expect(r.json()["rows"] == FIRST, f"{r.json()['rows']} rows")
        t.run("--home", node, "import", "second.log").expect_exit(0)
        expect(t.run("--home", node, "status", "--json").json()["rows"] == FIRST + SECOND, "the next import is not whole")
    finally:
        subprocess.run(["umount", t.path("small")], check=False)


tell()
