#!/usr/bin/env python3
"""Count what files of intelligence hold, without any code of ours: the expected numbers of tests/unit/test_intel_data.c.

    count_intel.py [-v] FILE_OR_FOLDER...     one line a file: path, observed-data, indicators, digest

An indicator is a line "TYPE|VALUE" in canonical form (a STIX indicator is "pattern|TEXT"). The digest is the sum modulo 2^64 of the
FNV-1a hashes of these lines, so that order plays no part. With -v the lines themselves are printed.
"""
import ipaddress
import json
import os
import re
import subprocess
import sys
from urllib.parse import urlsplit


def fnv(text):
    h = 0xcbf29ce484222325
    for b in text.encode("utf-8", "surrogatepass"):
        h = (h ^ b) * 0x100000001b3 & 0xffffffffffffffff
    return h


def load(path):
    data = open(path, "rb").read()
    if path.endswith(".zst"):
        data = subprocess.run(["zstd", "-qdc", path], capture_output=True, check=True).stdout
    return json.loads(data)


# ---- canonical forms

def address(s):
    try:
        if "/" in s:
            net = ipaddress.ip_network(s, strict=False)
            if net.num_addresses > 1:
                return ("ipv4-addr" if net.version == 4 else "ipv6-addr", str(net))
            s = str(net.network_address)
        ip = ipaddress.ip_address(s)
    except ValueError:
        return None
    if ip.version == 6 and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return ("ipv4-addr" if ip.version == 4 else "ipv6-addr", str(ip))


def domain_text(s):
    s = s.rstrip(".").lower()
    if not s.isascii():
        try:
            s = s.encode("idna").decode()
        except UnicodeError:
            return None
    labels = s.split(".")
    if not s or len(s) > 253 or not all(re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", x) for x in labels):
        return None
    return None if re.fullmatch(r"[0-9.]+", s) else s


def domain(s):
    if s.startswith("*.") or s.startswith("."):
        rest = domain_text(s.lstrip("*."))
        return ("domain-name", "*." + rest) if rest else None
    name = domain_text(s)
    return ("domain-name", name) if name else None


def unescape(m):
    c = chr(int(m.group()[1:], 16))
    return c if c.isascii() and (c.isalnum() or c in "-._~") else m.group().upper()


def dots(path):
    out = []
    parts = path.split("/")
    for i, part in enumerate(parts):
        last = i == len(parts) - 1
        if part == "..":
            if len(out) > 1:
                out.pop()
            if last:
                out.append("")
        elif part == ".":
            if last:
                out.append("")
        else:
            out.append(part)
    return "/".join(out)


def url(s):
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", s) or re.search(r"\s", s):
        return None
    try:
        u = urlsplit(s)
        port = u.port
    except ValueError:
        return None
    if not u.hostname:
        return None
    known = address(u.hostname)
    host = known[1] if known else domain_text(u.hostname)
    if not host:
        return None
    if ":" in host:
        host = "[" + host + "]"
    scheme = u.scheme.lower()
    if port is not None and port != {"http": 80, "https": 443, "ftp": 21}.get(scheme):
        host += ":%d" % port
    user = u.netloc.rpartition("@")[0]
    rest = s[s.index("://") + 3 + len(u.netloc):]
    path = re.match(r"[^?#]*", rest).group()
    tail = rest[len(path):]
    path = dots(re.sub(r"%[0-9A-Fa-f]{2}", unescape, path)) or "/"
    tail = re.sub(r"%[0-9A-Fa-f]{2}", unescape, tail)
    return ("url", scheme + "://" + (user + "@" if user else "") + host + path + tail)


def hexes(name, n):
    return lambda s: (name, s.lower()) if re.fullmatch("[0-9a-fA-F]{%d}" % n, s) else None


def email(s):
    local, at, host = s.rpartition("@")
    host = domain_text(host)
    return ("email-addr", local + "@" + host) if at and local and host and not re.search(r"\s", local) else None


def file_name(s):
    s = re.split(r"[\\/]", s)[-1]
    return ("file-name", s) if s else None


HIVES = {"HKLM": "HKEY_LOCAL_MACHINE", "HKCU": "HKEY_CURRENT_USER", "HKCR": "HKEY_CLASSES_ROOT", "HKU": "HKEY_USERS",
         "HKCC": "HKEY_CURRENT_CONFIG"}


def registry(s):
    hive, sep, rest = s.partition("\\")
    hive = HIVES.get(hive.upper(), hive.upper())
    return ("windows-registry-key", hive + sep + rest) if hive in HIVES.values() else None


def number(s):
    m = re.fullmatch(r"(?:[aA][sS])?([0-9]{1,10})", s)
    return ("autonomous-system", "AS" + m.group(1)) if m else None


def text(name):
    return lambda s: (name, s) if s else None


def fuzzy(s):
    return ("ssdeep", s) if re.fullmatch(r"[0-9]+:[^:]+:[^:]+", s) else None


MD5, SHA1, SHA256, SHA512 = hexes("md5", 32), hexes("sha1", 40), hexes("sha256", 64), hexes("sha512", 128)

MISP = {
    "md5": MD5, "sha1": SHA1, "sha256": SHA256, "sha512": SHA512, "ssdeep": fuzzy, "filename": file_name,
    "ip-src": address, "ip-dst": address, "domain": domain, "hostname": domain, "url": url, "email": email,
    "email-src": email, "email-dst": email, "email-reply-to": email, "email-attachment": file_name,
    "regkey": registry, "mutex": text("mutex"), "user-agent": text("user-agent"), "AS": number,
}
MISP_FIRST = {"ip-dst|port": address, "ip-src|port": address, "hostname|port": domain, "regkey|value": registry}
MISP_LAST = {"filename|md5": MD5, "filename|sha1": SHA1, "filename|sha256": SHA256, "malware-sample": MD5}


# ---- MISP

def yes(v):
    return v in (True, 1, "1", "true")


def misp_attribute(a):
    if yes(a.get("deleted")):
        return []
    kind, value = a.get("type"), str(a.get("value", "")).strip()
    if kind in MISP:
        found = [MISP[kind](value)]
    elif kind in MISP_FIRST:
        found = [MISP_FIRST[kind](value.split("|")[0].strip())]
    elif kind in MISP_LAST:
        found = [MISP_LAST[kind](value.split("|")[-1].strip())]
    elif kind == "domain|ip":
        found = [domain(value.split("|")[0].strip()), address(value.split("|")[-1].strip())]
    else:
        found = []
    return ["%s|%s" % f for f in found if f]


def misp(d):
    lines = []
    if isinstance(d, list):
        for e in d:
            lines += misp(e)
        return lines
    if not isinstance(d, dict):
        return lines
    if "response" in d:
        return misp(d["response"])
    if "Event" in d and "value" not in d:
        return misp(d["Event"])
    for a in d.get("Attribute", []):
        lines += misp_attribute(a)
    objects = d.get("Object", [])
    for o in [objects] if isinstance(objects, dict) else objects:
        if not yes(o.get("deleted")):
            for a in o.get("Attribute", []):
                lines += misp_attribute(a)
    return lines


# ---- STIX

def stix_objects(d):
    if isinstance(d, list):
        return [o for e in d for o in stix_objects(e)]
    if isinstance(d, dict) and isinstance(d.get("objects"), list):
        return [o for e in d["objects"] for o in stix_objects(e)]
    return [d] if isinstance(d, dict) else []


def stix(d):
    newest = {}
    for o in stix_objects(d):
        key = o.get("id")
        if key not in newest or o.get("modified", "") > newest[key].get("modified", ""):
            newest[key] = o
    observed = sum(1 for o in newest.values() if o.get("type") == "observed-data")
    return observed, ["pattern|" + o["pattern"].strip() for o in newest.values()
                      if o.get("type") == "indicator" and o.get("pattern_type", "stix") == "stix"]


def count(path):
    d = load(path)
    objects = stix_objects(d)
    if objects and all("--" in str(o.get("id", "")) for o in objects):
        return stix(d)
    return 0, misp(d)


def main():
    verbose = "-v" in sys.argv
    for top in [a for a in sys.argv[1:] if a != "-v"]:
        files = [top] if os.path.isfile(top) else sorted(
            os.path.join(folder, f) for folder, _, names in os.walk(top) for f in names if re.search(r"\.json(\.zst)?$", f))
        for path in files:
            observed, lines = count(path)
            print("%s %d %d 0x%016x" % (path, observed, len(lines), sum(map(fnv, lines)) & 0xffffffffffffffff))
            if verbose:
                print("\n".join(sorted(lines)))


if __name__ == "__main__":
    main()
