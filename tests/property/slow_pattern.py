"""A slow evaluator of STIX patterns, written from the specification alone, to hold the fast one to.

It works on trees, not on text, and tries every binding. Nothing here is shared with src/hunt.

Observation trees: ("bracket", comparison), ("and"|"or"|"fby", [kids]), ("within", kid, seconds), ("repeats", kid, n), ("startstop", kid, t0, t1).
Comparison trees: ("and"|"or", [kids]), ("test", object type, path, operator, negated, constant). A path is a list of str (key), int (index) or
"*" (any index, as the one-element tuple ("*",)). Constants: ("num", Decimal text), ("str", s), ("bool", b), ("bin", bytes), ("time", datetime),
("set", [constants]).
"""
import base64
import binascii
import datetime
import fractions
import ipaddress
import itertools
import re
import unicodedata

MISSING = object()


def parse_time(s):
    m = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?Z", s)
    if not m:
        return None
    try:
        t = datetime.datetime(*[int(x) for x in m.groups()[:6]])
    except ValueError:
        return None
    return t + datetime.timedelta(microseconds=int(((m.group(7) or "") + "000000")[:6]))


class Octets:
    def __init__(self, b):
        self.b = b


def native(key, value):
    """Properties named _hex and _bin are octets (s.9.6.4); what does not decode compares with nothing."""
    if not isinstance(key, str) or not isinstance(value, str):
        return value
    try:
        if key.endswith("_hex"):
            return Octets(binascii.unhexlify(value.encode("utf-8")))
        if key.endswith("_bin"):
            return Octets(base64.b64decode(value.encode("utf-8"), validate=True))
    except (ValueError, binascii.Error):
        return None
    return value


def values(obj, path, objects, exists):
    """Every value at the end of the path."""
    def go(node, i):
        if i == len(path):
            yield native(path[i - 1], node)
            return
        step = path[i]
        if isinstance(step, str):
            if not isinstance(node, dict):
                return
            if step in node:
                child = node[step]
            else:
                fold = lambda k: k.upper().replace("-", "").replace("_", "")
                loose = [k for k in node if i and path[i - 1] == "hashes" and fold(k) == fold(step)]
                if not loose:
                    return
                child = node[loose[0]]
            if step.endswith("_ref") and not (exists and i + 1 == len(path)):
                if isinstance(child, str) and child in objects:
                    yield from go(objects[child], i + 1)
                return
            yield from go(child, i + 1)
            return
        if not isinstance(node, list):
            return
        chosen = node if step == ("*",) else node[step:step + 1]
        for child in chosen:
            if isinstance(path[i - 1], str) and path[i - 1].endswith("_refs"):
                if not isinstance(child, str) or child not in objects:
                    continue
                child = objects[child]
            yield from go(child, i + 1)
    yield from go(obj, 0)


def number(v):
    return isinstance(v, (int, float, fractions.Fraction)) and not isinstance(v, bool)


def ordered(value, constant):
    """A pair to compare, or None where the types do not fit."""
    kind, c = constant
    if kind == "num":
        return (fractions.Fraction(str(value)), fractions.Fraction(c)) if number(value) else None
    if kind == "bool":
        return (value, c) if isinstance(value, bool) else None
    if kind == "time":
        t = parse_time(value) if isinstance(value, str) else None
        return (t, c) if t else None
    if kind == "str":
        if isinstance(value, str):
            return [ord(x) for x in value], [ord(x) for x in c]
        if isinstance(value, Octets) and all(ord(x) < 256 for x in c):
            return value.b, c.encode("latin-1")
        return None
    if kind == "bin":
        if isinstance(value, Octets):
            return value.b, c
        if isinstance(value, str) and all(ord(x) < 256 for x in value):
            return value.encode("latin-1"), c
    return None


def like(value, pattern):
    if isinstance(value, Octets):
        try:
            value = value.b.decode("utf-8")
        except UnicodeDecodeError:
            value = value.b.decode("latin-1")
    if not isinstance(value, str):
        return False
    text = unicodedata.normalize("NFC", value)
    pat = unicodedata.normalize("NFC", pattern)
    rx = "".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pat)
    return re.fullmatch(rx, text, re.S) is not None


def matches(value, pattern):
    if isinstance(value, Octets):
        if any(ord(c) > 255 for c in pattern):
            return False
        return re.search(pattern.encode("latin-1"), value.b, re.S) is not None
    if not isinstance(value, str):
        return False
    return re.search(unicodedata.normalize("NFC", pattern), unicodedata.normalize("NFC", value), re.S) is not None


def network(s):
    try:
        return ipaddress.ip_network(s, strict=False)
    except ValueError:
        return None


def subnet(value, constant, superset):
    a, b = network(value) if isinstance(value, str) else None, network(constant)
    if a is None or a.version != b.version:
        return False
    return b.subnet_of(a) if superset else a.subnet_of(b)


def holds(value, op, negated, constant):
    if op in ("<", "<=", ">", ">="):
        pair = ordered(value, constant)
        if pair is None:
            return False
        a, b = pair
        result = {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op]
    elif op in ("=", "!="):
        pair = ordered(value, constant)
        result = (pair is not None and pair[0] == pair[1]) == (op == "=")
    elif op == "IN":
        pairs = [ordered(value, c) for c in constant[1]]
        result = any(p is not None and p[0] == p[1] for p in pairs)
    elif op == "LIKE":
        result = like(value, constant[1])
    elif op == "MATCHES":
        result = matches(value, constant[1])
    else:
        result = subnet(value, constant[1], op == "ISSUPERSET")
    return result != negated


def comparison(c, obj, objects):
    if c[0] == "and":
        return all(comparison(k, obj, objects) for k in c[1])
    if c[0] == "or":
        return any(comparison(k, obj, objects) for k in c[1])
    _, kind, path, op, negated, constant = c
    if obj.get("type") != kind:
        return False
    if op == "EXISTS":
        return any(True for _ in values(obj, path, objects, True)) != negated
    return any(holds(v, op, negated, constant) for v in values(obj, path, objects, False))


class Observation:
    def __init__(self, sdo):
        self.id = sdo["id"]
        self.objects = sdo["objects"]
        self.first = parse_time(sdo["first_observed"])
        self.last = parse_time(sdo["last_observed"])
        self.number = sdo["number_observed"]


MICRO = datetime.timedelta(microseconds=1)


def possible(taken, rules, obs):
    """Is there a time for every instance, inside its observation's interval, so that all rules hold? Difference constraints, Bellman-Ford.

    A rule (x, y, span) says: time of x <= time of y + span. None stands for the zero of the clock.
    """
    zero = datetime.datetime(1970, 1, 1)
    edges = [(x, y, w) for x, y, w in rules]
    for n in taken:
        edges.append((n, None, obs[n[0]].last - zero))
        edges.append((None, n, zero - obs[n[0]].first))
    dist = {n: datetime.timedelta(0) for n in list(taken) + [None]}
    for _ in range(len(dist) + 1):
        changed = False
        for x, y, w in edges:
            if dist[y] + w < dist[x]:
                dist[x] = dist[y] + w
                changed = True
        if not changed:
            return True
    return False


def bindings(x, obs):
    """All (instances, rules) that satisfy x. An observed-data object stands for number_observed instances, each at a time of its own."""
    kind = x[0]
    if kind == "bracket":
        return {(frozenset([(i, k)]), frozenset()) for i, o in enumerate(obs)
                if any(comparison(x[1], obj, o.objects) for obj in o.objects.values()) for k in range(o.number)}
    if kind == "or":
        return set().union(*[bindings(k, obs) for k in x[1]])
    zero = datetime.datetime(1970, 1, 1)
    found = set()
    if kind in ("and", "fby"):
        result = bindings(x[1][0], obs)
        for kid in x[1][1:]:
            right = bindings(kid, obs)
            found = set()
            for (a, ra), (b, rb) in itertools.product(result, right):
                if a & b:
                    continue
                rules = ra | rb
                if kind == "fby":
                    rules |= {(m, n, datetime.timedelta(0)) for m in a for n in b}
                if possible(a | b, rules, obs):
                    found.add((a | b, rules))
            result = found
        return result
    below = bindings(x[1], obs)
    if kind == "within":
        span = datetime.timedelta(microseconds=int(fractions.Fraction(x[2]) * 1000000))
        candidates = ((a, r | {(m, n, span) for m in a for n in a if m != n}) for a, r in below)
    elif kind == "startstop":
        candidates = ((a, r | {(None, n, zero - x[2]) for n in a} | {(n, None, x[3] - MICRO - zero) for n in a}) for a, r in below)
    else:
        candidates = ((frozenset().union(*[a for a, _ in combo]), frozenset().union(*[r for _, r in combo]))
                      for combo in itertools.combinations(below, x[2])
                      if len(frozenset().union(*[a for a, _ in combo])) == sum(len(a) for a, _ in combo))
    for a, r in candidates:
        if possible(a, r, obs):
            found.add((a, r))
    return found


def match(x, sdos):
    return bool(bindings(x, [Observation(s) for s in sdos]))


# --- trees to text ---------------------------------------------------------------------------------------

def quote(s):
    return "'" + s.replace("\\", "\\\\").replace("'", "\\'") + "'"


def constant_text(c):
    kind, v = c
    if kind == "num":
        return v
    if kind == "str":
        return quote(v)
    if kind == "bool":
        return "true" if v else "false"
    if kind == "bin":
        return "h'" + v.hex() + "'" if not v or len(v) % 2 else "b'" + base64.b64encode(v).decode() + "'"
    if kind == "time":
        return "t'" + v.isoformat() + "Z'"
    return "(" + ", ".join(constant_text(x) for x in v) + ")"


def path_text(path):
    out = ""
    for i, s in enumerate(path):
        if isinstance(s, str):
            out += ("." if i else "") + (s if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", s) else quote(s))
        else:
            out += "[*]" if s == ("*",) else "[%d]" % s
    return out


def comparison_text(c, inside_and=False):
    if c[0] in ("and", "or"):
        text = (" %s " % c[0].upper()).join(comparison_text(k, c[0] == "and") for k in c[1])
        return "(" + text + ")" if inside_and and c[0] == "or" else text
    _, kind, path, op, negated, constant = c
    where = kind + ":" + path_text(path)
    if op == "EXISTS":
        return ("NOT " if negated else "") + "EXISTS " + where
    return where + (" NOT " if negated else " ") + op + " " + constant_text(constant)


def text(x, level=0):
    """level: 0 FOLLOWEDBY may stand bare, 1 OR, 2 AND, 3 only one item."""
    kind = x[0]
    if kind == "bracket":
        return "[" + comparison_text(x[1]) + "]"
    if kind in ("and", "or", "fby"):
        own = {"fby": 0, "or": 1, "and": 2}[kind]
        word = {"fby": " FOLLOWEDBY ", "or": " OR ", "and": " AND "}[kind]
        body = word.join(text(k, own + 1) for k in x[1])
        return "(" + body + ")" if own < level else body
    inner = text(x[1], 3)
    if x[1][0] in ("within", "repeats", "startstop"):
        inner = "(" + inner + ")"
    if kind == "within":
        return inner + " WITHIN %s SECONDS" % x[2]
    if kind == "repeats":
        return inner + " REPEATS %d TIMES" % x[2]
    return inner + " START t'%sZ' STOP t'%sZ'" % (x[2].isoformat(), x[3].isoformat())
