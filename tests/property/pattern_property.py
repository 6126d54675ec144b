#!/usr/bin/env python3
"""Random STIX patterns over random observed-data: the evaluator of src/hunt against the slow one of slow_pattern.py.

usage: pattern_property.py MATCH_PATTERN [CASES [SEED]]

Output is TAP, one case a batch. A case that differs is printed as the input line of match_pattern, to be run again alone.
"""
import datetime
import json
import random
import subprocess
import sys

import slow_pattern as slow

T0 = datetime.datetime(2014, 12, 19, 10, 0, 0)
STRINGS = ["", "a", "b", "ab", "a%b", "a_b", "A", "caf\u00e9", "cafe\u0301", "\u1e69", "s\u0323\u0307", "s\u0307\u0323", "\u00ff", "\u0100",
           "\ud55c", "\u1112\u1161\u11ab", "x\ny", "it's", "back\\slash", "1", "2014-12-19T10:00:01Z", "\U0001f600", "10.0.0.1", "10.0.0.0/8",
           "2001:db8::1", "this is a test"]
LIKES = ["%", "_", "a%", "%b", "a_b", "%a%b%", "caf_", "caf\u00e9", "cafe\u0301", "__", "", "x%y", "%\u0307%", "a\\%", "\ud55c", "%t_s%"]
REGEXES = ["a", "^a", "b$", "^caf.$", "^.$", "x.y", "^\\w+$", "e\u0301", "\\d+", "(a|b)+", "[^a]", "^$", "\u1e69", "\\x00"]
NETS = ["10.0.0.0/8", "10.0.0.1", "10.0.0.1/32", "0.0.0.0/0", "192.168.0.0/16", "2001:db8::/32", "2001:db8::1/128", "::/0"]
NUMBERS = ["0", "1", "-1", "1.0", "1.5", "10", "100", "0.1", "-0.0", "12345678901234567890", "12345678901234567891", "+1", ".5"]
HEX = ["", "00", "ffd8", "61", "6162", "7468697320697320612074657374", "abc", "zz"]
BIN = ["", "YQ==", "YWI=", "/9g=", "dGhpcyBpcyBhIHRlc3Q=", "!!", "YQ="]
KEYS = ["p", "q", "dash-ed", "l", "d", "other_ref", "other_refs", "x_hex", "x_bin", "hashes"]


def stamp(t):
    return t.isoformat() + "Z"


def scalar(r):
    pick = r.randrange(12)
    if pick < 5:
        return r.choice(STRINGS)
    if pick < 8:
        return r.choice([0, 1, -1, 10, 1.5, 0.1, 100, 1.0, -0.0, 12345678901234567890])
    if pick == 8:
        return r.random() < .5
    if pick == 9:
        return None
    if pick == 10:
        return stamp(T0 + datetime.timedelta(milliseconds=r.choice([0, 1000, 1500])))
    return r.choice(["10.0.0.1", "10.1.0.0/16", "192.168.1.1", "2001:db8::1", "2001:db8:1::/48"])


def value(r, key, names, depth=0):
    if key == "other_ref":
        return r.choice(names + ["nowhere", 5])
    if key == "other_refs":
        return [r.choice(names + ["nowhere"]) for _ in range(r.randrange(3))]
    if key == "x_hex":
        return r.choice(HEX)
    if key == "x_bin":
        return r.choice(BIN)
    if key == "hashes":
        return {r.choice(["MD5", "md5", "SHA-256", "SHA256", "foo"]): r.choice(STRINGS) for _ in range(2)}
    if key == "l" or (depth < 2 and r.random() < .1):
        return [value(r, "p", names, depth + 1) for _ in range(r.randrange(4))]
    if key == "d" or (depth < 2 and r.random() < .1):
        return {k: value(r, k, names, depth + 1) for k in r.sample(KEYS[:5], r.randrange(4))}
    return scalar(r)


def observed(r, i, simple):
    names = [str(k) for k in range(r.randrange(1, 4))]
    first = T0 + datetime.timedelta(seconds=r.randrange(8))
    last = first + datetime.timedelta(seconds=r.choice([0, 0, 0, 1, 3]))
    objects = {}
    for n in names:
        o = {"type": r.choice("ab")}
        if simple:
            o["p"] = r.choice("xyz")
        else:
            for k in r.sample(KEYS, r.randrange(1, 5)):
                o[k] = value(r, k, names)
        objects[n] = o
    return {"type": "observed-data", "id": "observed-data--%d" % i, "first_observed": stamp(first), "last_observed": stamp(last),
            "number_observed": r.choice([1, 1, 1, 2, 3]), "objects": objects}


def path(r):
    p = [r.choice(KEYS)]
    if p[0] == "hashes":
        return p + [r.choice(["MD5", "SHA-256", "foo"])]
    while r.random() < .45 and len(p) < 4:
        p.append(r.choice([r.choice(KEYS), r.randrange(3), ("*",)]))
    if p[0] == "l" and len(p) == 1 and r.random() < .8:
        p.append(("*",))
    return p


def constant(r, orderable=False):
    pick = r.randrange(10)
    if pick < 5:
        return ("str", r.choice(STRINGS))
    if pick < 7:
        return ("num", r.choice(NUMBERS))
    if pick == 7:
        return ("bin", bytes.fromhex(r.choice(HEX[:6])))
    if pick == 8 and not orderable:
        return ("bool", r.random() < .5)
    return ("time", T0 + datetime.timedelta(milliseconds=r.choice([0, 1000, 1500])))


def test(r):
    where = path(r)
    known_hash = where[-1] in ("MD5", "SHA-256") and len(where) > 1 and where[-2] == "hashes"
    op = r.choice(["=", "=", "!=", "<", "<=", ">", ">=", "IN", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET", "EXISTS"])
    if known_hash and op in ("=", "!=", "IN"):
        op = "LIKE"  # a constant that is no hash would be refused
    if op == "IN":
        first = constant(r)
        same = [c for c in (constant(r) for _ in range(6)) if c[0] == first[0]]
        c = ("set", [first] + same if r.random() < .95 else [])
    elif op == "LIKE":
        c = ("str", r.choice(LIKES))
    elif op == "MATCHES":
        c = ("str", r.choice(REGEXES))
    elif op in ("ISSUBSET", "ISSUPERSET"):
        c = ("str", r.choice(NETS))
    elif op == "EXISTS":
        c = None
    else:
        c = constant(r, op not in ("=", "!="))
    return ("test", r.choice("ab"), where, op, r.random() < .25, c)


def comparison(r, depth=0):
    if depth < 3 and r.random() < .5:
        return (r.choice(["and", "or"]), [comparison(r, depth + 1) for _ in range(r.randrange(2, 4))])
    return test(r)


def simple_test(r):
    return ("test", r.choice("ab"), ["p"], "=", False, ("str", r.choice("xyz")))


def observation(r, simple, depth=0):
    pick = r.random()
    if depth < 3 and pick < .45:
        return (r.choice(["and", "or", "fby"]), [observation(r, simple, depth + 1) for _ in range(r.choice([2, 2, 3]))])
    if depth < 4 and pick < .7:
        kid = observation(r, simple, depth + 1)
        q = r.choice(["within", "repeats", "startstop"])
        if q == "within":
            return ("within", kid, r.choice(["1", "2", "0.5", "3"]))
        if q == "repeats":
            return ("repeats", kid, r.choice([1, 2, 2, 3]))
        a = T0 + datetime.timedelta(seconds=r.randrange(-1, 8))
        return ("startstop", kid, a, a + datetime.timedelta(seconds=r.choice([0, 1, 3, 6])))
    return ("bracket", simple_test(r) if simple else comparison(r))


def leaves(x):
    """How many observations a binding may take, and a guess of the work of trying all."""
    if x[0] == "bracket":
        return 1
    if x[0] == "or":
        return max(leaves(k) for k in x[1])
    if x[0] in ("and", "fby"):
        return sum(leaves(k) for k in x[1])
    return leaves(x[1]) * (x[2] if x[0] == "repeats" else 1)


def make(r):
    simple = r.random() < .6
    while True:
        x = observation(r, simple)
        if leaves(x) <= 4 or (leaves(x) <= 6 and r.random() < .1):
            break
    return x, [observed(r, i, simple) for i in range(r.randrange(1, 6))]


def main():
    program = sys.argv[1]
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else 4000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 20141219
    batch, failed, total = 500, 0, 0
    batches = max(1, cases // batch)
    print("1..%d" % batches)
    for b in range(batches):
        r = random.Random(seed * 1000003 + b)
        made = [make(r) for _ in range(batch)]
        lines = [json.dumps({"pattern": slow.text(x), "observed": sdos}) for x, sdos in made]
        out = subprocess.run([program], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True).stdout.split("\n")
        bad, hits = [], 0
        for (x, sdos), line, got in zip(made, lines, out):
            want = slow.match(x, sdos)
            hits += want
            ok = got.startswith("match" if want else "none")
            if ok and want:
                # What is said to match must match by itself.
                ids = got.split()[1:]
                ok = slow.match(x, [s for s in sdos if s["id"] in ids])
            if not ok:
                bad.append("%s -> %s, should %smatch" % (line, got, "" if want else "not "))
        for text in bad[:5]:
            print("# " + text)
        total += len(bad)
        print("%s %d - %d random patterns, %d of them match" % ("not ok" if bad else "ok", b + 1, batch, hits))
        failed += bool(bad)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
