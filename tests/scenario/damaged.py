#!/usr/bin/env python3
"""Broken and hostile files end in a clear error, or in a partial import that says what was passed over: never a crash, a hang or much memory."""
import glob
import gzip
import lzma
import os
import resource

from scenario import Failed, case, expect, tell

SECONDS = 60  # for one file
MEBIBYTES = 1200  # of any process so far; sanitizers keep shadow memory, so they are not held to it


def check(t, path):
    """`import --check` of one file; what is wrong with how it ended, or None."""
    r = t.run("import", "--check", path, timeout=SECONDS)
    said = (r.out + r.err).strip()
    if r.code not in (0, 65):
        return f"{path}: exit {r.code}: {said[:300]}"
    if r.code == 65 and os.path.basename(path) not in said:
        return f"{path}: refused without naming the file: {said[:300]}"
    if len(said) < len(os.path.basename(path)):
        return f"{path}: says nothing: {said[:300]}"
    return None


def check_all(t, paths, least):
    paths = sorted(p for p in paths if os.path.isfile(p))
    expect(len(paths) >= least, f"only {len(paths)} files found, expected {least}")
    faults = [f for f in (check(t, p) for p in paths) if f]
    if faults:
        raise Failed(f"{len(faults)} of {len(paths)} files:\n" + "\n".join(faults[:40]))


def stopped_at_a_limit(t, name):
    r = t.run("import", "--check", name, timeout=SECONDS)
    expect(r.code in (0, 65), f"{name}: exit {r.code}: {r.err[:500]}")
    said = r.out + r.err
    expect(any(word in said.lower() for word in ("limit", "too ", "over ", "more than", "longer", "deeper", "at most", "skipped", "passed over")),
           f"{name}: nothing is said of a limit:\n{said[:1500]}")


@case("276 captures that once broke tcpdump")
def _(t):
    check_all(t, glob.glob(t.shared("pcap", "tcpdump") + "/*"), 276)


@case("318 JSON texts that break JSON readers")
def _(t):
    check_all(t, glob.glob(t.shared("vectors", "json-test-suite") + "/*.json"), 318)


@case("truncated, headless and corrupt Zeek logs")
def _(t):
    check_all(t, glob.glob(t.shared("zeek", "zat") + "/*") + glob.glob(t.shared("zeek", "rita-truncated") + "/*"), 20)


@case("flow datagrams that are no flow file")
def _(t):
    check_all(t, glob.glob(t.shared("netflow", "datagrams") + "/*"), 90)


@case("the example, cut at 40 places")
def _(t):
    with open(t.example("first-hunt", "logs", "dns.log"), "rb") as f:
        whole = f.read()
    for n in range(40):
        t.write("cut.log", whole[:len(whole) * n // 40])
        fault = check(t, "cut.log")
        expect(fault is None, fault)


@case("the same, packed and cut: what came before the cut is read")
def _(t):
    with open(t.example("first-hunt", "logs", "conn.log"), "rb") as f:
        whole = f.read()
    for name, packed in (("conn.log.gz", gzip.compress(whole, mtime=0)), ("conn.log.xz", lzma.compress(whole))):
        t.write(name, packed[:len(packed) * 2 // 3])
        fault = check(t, name)
        expect(fault is None, fault)


@case("a file of zeros, an empty one, a folder of nothing, one that is not there")
def _(t):
    for name, content in (("zeros", b"\0" * 100000), ("empty.log", b"")):
        t.write(name, content)
        fault = check(t, name)
        expect(fault is None, fault)
    os.mkdir(t.path("nothing"))
    r = t.run("import", "--check", "nothing")
    expect(r.code != 2 and r.code >= 0, f"an empty folder: exit {r.code}: {r.err}")
    r = t.run("import", "--check", "no-such-file")
    expect(r.code in (65, 66, 74) and "no-such-file" in r.err, f"a missing file: exit {r.code}: {r.err}")


@case("JSON of a million levels")
def _(t):
    t.write("deep.json", b'{"type":"bundle","objects":[' + b"[" * 1000000 + b"]" * 1000000 + b"]}")
    stopped_at_a_limit(t, "deep.json")


HEAD = b"#separator \\x09\n#path\tdns\n#fields\tts\tuid\tid.orig_h\tquery\n#types\ttime\tstring\taddr\tstring\n"
ROW = b"1773042308.767639\tC1\t192.0.2.1\texample.com\n"


@case("one line of 64 MiB in a log: it is passed over, the rows around it are read")
def _(t):
    t.write("long.log.gz", gzip.compress(HEAD + ROW + b"1\tC2\t192.0.2.1\t" + b"a" * (64 << 20) + b"\n" + ROW, 9, mtime=0))
    stopped_at_a_limit(t, "long.log.gz")


@case("a thousand to one, in gzip and in xz")
def _(t):
    for name, pack in (("bomb.log.gz", lambda x: gzip.compress(x, 9, mtime=0)), ("bomb.log.xz", lambda x: lzma.compress(x, preset=1))):
        t.write(name, pack(HEAD + ROW + b"\n" * (256 << 20)))
        stopped_at_a_limit(t, name)


@case("ten thousand members of nothing in one gzip file")
def _(t):
    t.write("members.log.gz", gzip.compress(b"", mtime=0) * 10000)
    fault = check(t, "members.log.gz")
    expect(fault is None, fault)


@case("none of it took much memory")
def _(t):
    if os.environ.get("DEMARCHE_SANITIZED"):
        t.skip("sanitizers keep shadow memory")
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    expect(used <= MEBIBYTES, f"{used} MiB in one process, at most {MEBIBYTES}")


tell()
