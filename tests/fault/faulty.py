"""What the fault stories share: logs whose every row is known, and the question whether a node holds exactly these.

DM_FAULT_ROUNDS sets how often random faults are tried (make test: few; make test-long: many); DM_FAULT_SEED repeats a run.
"""
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "scenario"))
from scenario import Failed, case, expect, expect_equal, tell  # noqa: E402  pylint: disable=wrong-import-position

__all__ = ["Failed", "case", "expect", "expect_equal", "tell", "LONG", "RANDOM", "rounds", "conn", "conn_rows", "rows_in", "files_of", "holds",
           "sound", "start", "environment", "HEAD", "HEAD_LINES", "truth", "home", "acknowledged", "EPOCH"]

LONG = bool(os.environ.get("DM_LONG"))
SEED = int(os.environ.get("DM_FAULT_SEED") or random.randrange(1 << 30))
RANDOM = random.Random(SEED)
print(f"# DM_FAULT_SEED={SEED}")
HEAD = ("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
        "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\n"
        "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\n")
HEAD_LINES = HEAD.count("\n")
EPOCH = 1772323200  # 2026-03-01


def rounds(short, long):
    return int(os.environ.get("DM_FAULT_ROUNDS") or 0) or (long if LONG else short)


def conn_rows(n, first=0, step=7.0, start=EPOCH, pad=0):
    """n lines of a conn.log. Every one comes from 10.0.0.0/8 and has a number of its own in the source address."""
    out = []
    for i in range(first, first + n):
        out.append(f"{start + i * step:.6f}\tC{i:x}{'z' * pad}\t10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}\t{1024 + i % 60000}\t198.51.{i % 7}.{i % 251}\t443\t"
                   f"tcp\tssl\t{i % 100 / 10}\t{i * 3}\t{i * 5}\n")
    return "".join(out)


def conn(n, first=0, step=7.0, start=EPOCH, pad=0):
    return HEAD + conn_rows(n, first, step, start, pad)


def rows_in(t, listed="10.0.0.0/8", *more):
    """[(file, line, source address)] of every row that the list hits, as the node tells them."""
    t.write("everything.txt", listed + "\n")
    r = t.run("hunt", "--json", "-i", "everything.txt", *more)
    expect(r.code in (0, 1), f"hunt: exit {r.code}: {r.err}")
    expect(r.code == 0 or not r.out, "a hunt that found nothing says so")
    return sorted((os.path.basename(row["import"]), row["line"], row["source.ip"]) for row in r.json_lines() if "line" in row)


def truth(name, n, first=0):
    return [(name, HEAD_LINES + 1 + i, f"10.{k >> 16 & 255}.{k >> 8 & 255}.{k & 255}") for i, k in enumerate(range(first, first + n))]


def holds(t, wanted, what):
    """The node holds exactly the rows wanted: none lost, none twice, none invented."""
    found = rows_in(t)
    wanted = sorted(wanted)
    if found != wanted:
        twice = [r for i, r in enumerate(found) if i and found[i - 1] == r]
        raise Failed(f"{what}: {len(found)} rows instead of {len(wanted)}; lost {sorted(set(wanted) - set(found))[:3]}, "
                     f"without cause {sorted(set(found) - set(wanted))[:3]}, twice {twice[:3]}")


def sound(t, what, early=False):
    """status --check finds nothing wrong; with `early`, an import that was cut off may be told."""
    r = t.run("status", "--check", "--json")
    faults = [row for row in r.json_lines() if "fault" in row]
    faults = [f for f in faults if not (early and "ended early" in f["fault"]) and "MB are free" not in f["fault"]]
    expect(not faults and r.code in (0, 1), f"{what}: exit {r.code}, {faults}, {r.err}")
    return r.json_lines()[0]


def home(t):
    return t.path(".local", "state", "demarche")


def files_of(t):
    """Names of all data files of the node."""
    found = []
    for folder in ("evidence", "intel"):
        path = os.path.join(home(t), folder)
        if os.path.isdir(path):
            found += [os.path.join(path, name) for name in sorted(os.listdir(path))]
    return found


def environment(t, **more):
    return t.environment({k: str(v) for k, v in more.items()})


def start(t, *args, **more):
    """The program started and not waited for, in a process group of its own."""
    return subprocess.Popen([t.program] + list(args), cwd=t.folder, env=environment(t, **more), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def acknowledged(text):
    """Names of the files that the program has said to be in: whole lines only."""
    whole = text[:text.rfind("\n") + 1]
    return re.findall(r"^(\S+): Zeek log .*? rows ", whole, re.M)
