#!/usr/bin/env python3
"""Every form of intelligence against every sort of log: values sampled from real logs are written as CSV, plain list, STIX, MISP and OpenIOC, and
the hits of each are those that tests/tools/independent_hits.py finds by brute force. Addresses, networks, names, suffixes, URLs, hashes,
mail addresses and JA3."""
import json
import os
import random
import sys
from xml.sax.saxutils import escape

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import independent_hits as independent  # noqa: E402
from scenario import case, expect, tell  # noqa: E402

TYPES = ("ip", "domain-name", "url", "email-addr", "md5", "sha1", "sha256", "ja3")
CSV = {"ip": "ip", "network": "ip", "domain-name": "domain", "suffix": "domain", "email-addr": "email"}
STIX = {"domain-name": "domain-name:value", "url": "url:value", "email-addr": "email-addr:value", "md5": "file:hashes.MD5",
        "sha1": "file:hashes.'SHA-1'", "sha256": "file:hashes.'SHA-256'"}
MISP = {"ip": "ip-dst", "network": "ip-src", "domain-name": "hostname", "suffix": "domain", "url": "url", "email-addr": "email-src",
        "md5": "md5", "sha1": "sha1", "sha256": "sha256", "ja3": "ja3-fingerprint-md5"}
OPENIOC = {"ip": "PortItem/remoteIP", "domain-name": "DnsEntryItem/Host", "url": "UrlHistoryItem/URL", "email-addr": "Email/From",
           "md5": "FileItem/Md5sum", "sha1": "FileItem/Sha1sum", "sha256": "FileItem/Sha256sum"}


def plain(value):
    """Fit for every form of list: what each form does to odd characters is for the tests of that form."""
    return value.isascii() and value.isprintable() and not set(value) & set(" ,;|'\"<>()[]{}\\*`") and value[-1] not in "?:.!" and len(value) < 400


def sample(rows, most=120):
    """Some values of each type, with a few networks and suffixes; the same ones every time."""
    held = {}
    for _, row in rows:
        for kind, values in row.has.items():
            held.setdefault(kind, set()).update(str(v) for v in values)
    chance, found = random.Random(7), []
    for kind in TYPES:
        values = [v for v in sorted(held.get(kind, ())) if plain(v)]
        if kind == "domain-name":
            values = [v for v in values if independent.name(v) and v.count(".") and v.split(".")[-1].isalpha()]
        values = chance.sample(values, min(most, len(values)))
        found += [(kind, v) for v in values]
        if kind == "domain-name":
            found += [("suffix", v.split(".", 1)[1]) for v in values[:20] if v.count(".") > 1]
        if kind == "ip":
            found += [("network", v.rsplit(".", 1)[0] + ".0/24") for v in values[:12] if "." in v]
    return sorted(set(found))


def text_of(kind, value):
    return "*." + value if kind == "suffix" else value


def stix(found):
    objects = []
    for i, (kind, value) in enumerate(f for f in found if f[0] in STIX or f[0] == "ip"):
        path = STIX.get(kind) or ("ipv6-addr:value" if ":" in value else "ipv4-addr:value")
        # every third indicator is an alternative of two values
        test = "%s = '%s'" % (path, value)
        objects.append({"type": "indicator", "spec_version": "2.1", "id": "indicator--00000000-0000-4000-8000-%012d" % i,
                        "pattern_type": "stix", "pattern": "[%s]" % (test if i % 3 else test + " OR mutex:name = 'nobody has this'")})
    return json.dumps({"type": "bundle", "id": "bundle--1", "objects": objects}, indent=1)


def misp(found):
    attributes = [{"type": MISP[kind], "category": "Network activity", "value": text_of(kind, value), "to_ids": True} for kind, value in found]
    half = len(attributes) // 2
    return json.dumps({"response": [{"Event": {"uuid": "e", "info": "sampled", "Attribute": attributes[:half],
                                               "Object": [{"name": "o", "Attribute": attributes[half:]}]}}]}, indent=1)


def openioc(found):
    items = "".join("<IndicatorItem id='%d' condition='is'><Context search='%s'/><Content>%s</Content></IndicatorItem>\n"
                    % (i, OPENIOC[kind], escape(value)) for i, (kind, value) in enumerate(found) if kind in OPENIOC)
    return "<ioc xmlns='http://schemas.mandiant.com/2010/ioc' id='i'><definition><Indicator operator='OR'>\n%s</Indicator></definition></ioc>" % items


FORMS = {
    "list.csv": (lambda found: "type,value\n" + "".join("%s,%s\n" % (CSV.get(k, k), text_of(k, v)) for k, v in found), set(MISP)),
    "list.txt": (lambda found: "".join(text_of(k, v) + "\n" for k, v in found if k != "ja3"), set(MISP) - {"ja3"}),
    "bundle.json": (stix, set(STIX) | {"ip"}),
    "event.json": (misp, set(MISP)),
    "sample.ioc": (openioc, set(OPENIOC)),
}
KINDS = {"ipv4-addr", "ipv6-addr", "domain-name", "url", "email-addr", "md5", "sha1", "sha256", "ja3"}


def compare(t, paths, least):
    rows = [((os.path.basename(p), number), row) for p in paths for number, dataset, row in independent.rows(p)]
    found = sample(rows)
    expect(len(found) >= least, f"only {len(found)} values to look for")
    for name, (write, kinds) in FORMS.items():
        t.write(name, write(found))
        known = independent.Set([f for f in found if f[0] in kinds])
        there = {(kind, value, place) for place, row in rows for kind, value in known.of(row)}
        r = t.run("hunt", "--json", "-i", name, *paths, timeout=300)
        r.expect_exit(0)
        here = {(h["indicator.type"], h["indicator.value"], (os.path.basename(h["import"]), h["line"])) for h in r.json_lines()
                if h["indicator.type"] in KINDS and h.get("event.dataset", "").split(".")[-1] in DATASETS}
        expect(here == there, f"{name}: {len(here)} hits, {len(there)} expected; missed {sorted(there - here)[:5]}, "
                              f"without cause {sorted(here - there)[:5]}")


DATASETS = independent.ZEEK_LOGS | {"alert", "flow", "fileinfo", "tls", "netflow", "anomaly", "drop"}


def logs(t, *folder):
    top = t.shared(*folder)
    paths = sorted(os.path.join(top, f) for f in os.listdir(top))
    return [p for p in paths if independent.log_name(p) in independent.ZEEK_LOGS or "eve.json" in p]


@case("three days of a small network: flows, names, requests")
def _(t):
    compare(t, logs(t, "zeek", "rita-3days"), 300)


@case("malware beside a user: files, mail, certificates, JSON")
def _(t):
    compare(t, logs(t, "zeek", "slips-test9-mixed-zeek-dir"), 400)


@case("Zeek in both forms, packed and plain")
def _(t):
    compare(t, [p for p in logs(t, "zeek", "zat") if not p.endswith(("_issue.log", "_empty.log"))], 300)


@case("Suricata's events")
def _(t):
    compare(t, [p for p in logs(t, "suricata") if "eve.json" in p], 100)


tell()
