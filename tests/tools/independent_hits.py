#!/usr/bin/env python3
"""The expected hits of a hunt, by brute force and without any code of ours: the reference that `demarche hunt` is compared with.

    independent_hits.py -i INDICATORS... [--types T,T] LOG_OR_FOLDER...

Prints one line a hit, sorted: indicator type, indicator value, dataset, file, line, tab-separated. Every row of every log is looked at;
every address, name, URL, hash, mail address and JA3 in it is looked up. Values are compared in canonical form: addresses by number,
names and digests without case, URLs with scheme and host in lower case. Networks and "*.domain" suffixes match what lies in them.

Logs: Zeek (TSV by #fields, or JSON), Suricata eve.json; plain, gzip or zstd. Indicators: one value a line (or defanged values in text),
CSV, STIX bundles (indicators whose pattern is one bracket of equalities joined by OR), MISP events. With --indicators the list of
indicators is printed instead.
"""
import argparse
import csv
import gzip
import hashlib
import ipaddress
import json
import os
import re
import subprocess
import sys

HASHES = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}


# ---------------------------------------------------------------- values

def ip(s):
    try:
        a = ipaddress.ip_address(str(s).strip().strip("[]").split("%")[0])
    except ValueError:
        return None
    if a.version == 6 and a.ipv4_mapped:
        a = a.ipv4_mapped
    return a


def name(s):
    """A host name in lower case, or None."""
    s = str(s).strip().rstrip(".").lower()
    if not s.isascii():
        try:
            s = s.encode("idna").decode()
        except UnicodeError:
            return None
    if not s or len(s) > 253 or ip(s):
        return None
    return s if all(re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", p) for p in s.split(".")) else None


def url(s):
    m = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(.*)$", str(s).strip(), re.S)
    if not m:
        return None
    scheme, authority, path, rest = m.group(1).lower(), m.group(2), m.group(3), m.group(4)
    user, at, host = authority.rpartition("@")
    port = ""
    m = re.fullmatch(r"(.*?):(\d*)", host) if not host.endswith("]") and host.count(":") == 1 else re.fullmatch(r"(\[.*\]):(\d*)", host)
    if m:
        host, port = m.group(1), m.group(2)
    a = ip(host)
    host = ("[%s]" % a if a.version == 6 else str(a)) if a else name(host)
    if not host:
        return None
    if port and int(port) != {"http": 80, "https": 443, "ftp": 21}.get(scheme):
        host += ":" + port.lstrip("0")

    def hexes(m):
        c = chr(int(m.group()[1:], 16))
        return c if c.isascii() and (c.isalnum() or c in "-._~") else m.group().upper()

    path = re.sub(r"%[0-9A-Fa-f]{2}", hexes, path)
    parts = []
    for i, p in enumerate(path.split("/")):
        last = i == path.count("/")
        if p == "..":
            del parts[1:][-1:]
            if len(parts) > 1:
                parts.pop()
            if last:
                parts.append("")
        elif p != ".":
            parts.append(p)
        elif last:
            parts.append("")
    path = "/".join(parts) or "/"
    return scheme + "://" + user + at + host + path + re.sub(r"%[0-9A-Fa-f]{2}", hexes, rest)


def mail(s):
    """All addresses in a mail header or in a bare address."""
    found = []
    for local, host in re.findall(r"([^\s<>,;:\"'()]+)@([^\s<>,;:\"'()]+)", str(s)):
        host = name(host)
        if host:
            found.append(local + "@" + host)
    return found


def digest(s):
    s = str(s).strip().lower()
    return (HASHES[len(s)], s) if len(s) in HASHES and re.fullmatch("[0-9a-f]+", s) else None


class Row:
    """What one row of a log holds, by type."""

    def __init__(self):
        self.has = {}

    def add(self, kind, value):
        if value:
            self.has.setdefault(kind, set()).add(value)

    def address(self, s):
        self.add("ip", ip(s))

    def host(self, s):
        """A name or an address, perhaps with a port."""
        s = str(s)
        bare = s if ip(s) else re.sub(r":\d+$", "", s)
        if ip(bare):
            self.address(bare)
        elif bare.startswith("*.") and name(bare[2:]):
            self.add("domain-name", "*." + name(bare[2:]))  # a certificate for all names below
        else:
            # logs hold names that no host may have ("Joe's Mac._tcp.local"); they were seen all the same
            self.add("domain-name", name(bare) or bare.strip().rstrip(".").lower())

    def subject(self, s):
        """The common name of a certificate, if it is a host's."""
        for cn in re.findall(r"(?:^|,)\s*CN=([^,\\]+)", str(s)):
            if "." in cn:
                self.host(cn)

    def mails(self, s):
        for m in mail(s):
            self.add("email-addr", m)

    def hash(self, s):
        d = digest(s)
        if d:
            self.add(*d)


# ---------------------------------------------------------------- logs

def lines_of(path):
    """(line number, text) of a file, unpacked."""
    if path.endswith(".gz"):
        stream = gzip.open(path, "rb")
    elif path.endswith(".zst"):
        stream = subprocess.Popen(["zstd", "-qdc", path], stdout=subprocess.PIPE).stdout
    else:
        stream = open(path, "rb")
    number = 0
    try:
        with stream:
            for number, line in enumerate(stream, 1):
                yield number, line.decode("utf-8", "surrogateescape").rstrip("\r\n")
    except (EOFError, OSError) as e:
        print("%s: breaks off behind line %d: %s" % (path, number, e), file=sys.stderr)


ZEEK_ADDRESS = {"id.orig_h", "id.resp_h", "tx_hosts", "rx_hosts", "src", "dst", "x_originating_ip", "path", "san.ip", "remote_ip"}
ZEEK_HOST = {"query", "answers", "server_name", "san.dns", "helo"}
ZEEK_MAIL = {"mailfrom", "rcptto", "from", "to", "cc", "reply_to", "san.email"}
ZEEK_HASH = {"md5", "sha1", "sha256"}
ZEEK_LOGS = {"conn", "dns", "http", "ssl", "files", "x509", "smtp", "ssh", "rdp", "notice"}


def zeek_row(log, fields):
    """fields: name -> list of values."""
    r = Row()
    for key, values in fields.items():
        for v in values:
            if key in ZEEK_ADDRESS:
                r.address(v)
            elif key in ZEEK_HOST:
                r.host(v)
            elif key in ZEEK_MAIL and log in ("smtp", "x509"):
                r.mails(v)
            elif key in ZEEK_HASH and log == "files":
                r.hash(v)
            elif key in ("ja3", "ja3s"):
                r.add(key, v.lower())
            elif (log, key) in (("ssl", "subject"), ("x509", "certificate.subject")):
                r.subject(v)
            elif key in ("referrer", "san.uri"):
                r.add("url", url(v))
            elif key == "proxied" and log == "http":
                for a in re.findall(r"[0-9a-fA-F:.]{3,}", v):
                    r.address(a)
    if log == "http":
        http(r, (fields.get("host") or [""])[0], (fields.get("uri") or [""])[0], (fields.get("method") or [""])[0],
             (fields.get("id.resp_p") or [""])[0], "http")
    return r


def http(r, host, uri, method, port, scheme):
    """The host and the URL of a request. A port of the connection that is not the usual one belongs to the URL."""
    if host:
        r.host(host)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", uri):
        r.add("url", url(uri))
        m = re.match(r"[^:]+://(?:[^/?#@]*@)?([^/?#]*)", uri)
        r.host(m.group(1))
    elif method == "CONNECT":
        r.host(uri)
    elif host and uri.startswith("/"):
        usual = "443" if scheme == "https" else "80"
        if str(port) not in ("", usual) and not re.search(r":\d+$", host):
            host = ("[%s]" % host if ":" in host else host) + ":" + str(port)
        r.add("url", url(scheme + "://" + host + uri))


def flatten(prefix, value, out):
    if isinstance(value, dict):
        for k, v in value.items():
            flatten(prefix + "." + k if prefix else k, v, out)
    elif isinstance(value, list):
        for v in value:
            flatten(prefix, v, out)
    elif value is not None:
        out.setdefault(prefix, []).append(str(value))


def log_name(path):
    """conn.log, conn.20240419.log.gz, my-conn.json: conn; but smb_files is not files."""
    base = re.split(r"[.]", os.path.basename(path).lower())[0]
    return next((log for log in ZEEK_LOGS if re.fullmatch(r"(.*[^_])?" + log, base)), base)


def unescape(s):
    return re.sub(r"\\x([0-9a-fA-F]{2})", lambda m: chr(int(m.group(1), 16)), s).replace("\\t", "\t")


def read_zeek_tsv(path, lines):
    log, fields, types, sep, set_sep, unset, empty = None, None, None, "\t", ",", "-", "(empty)"
    for number, line in lines:
        line_ = line.lstrip("\t") if line.lstrip("\t").startswith("#separator") else line
        if line_.startswith("#"):
            if line_.startswith("#separator"):
                sep = unescape(re.split(r"[ \t]", line_, maxsplit=1)[1])
                continue
            key, _, rest = line_[1:].partition(sep)
            if key == "path":
                log = rest
            elif key == "fields":
                fields = rest.split(sep)
            elif key == "types":
                types = rest.split(sep)
            elif key == "set_separator":
                set_sep = unescape(rest)
            elif key == "unset_field":
                unset = rest
            elif key == "empty_field":
                empty = rest
            continue
        cells = line.split(sep)
        if not fields or len(cells) != len(fields) or (log or log_name(path)) not in ZEEK_LOGS:
            continue
        row = {}
        for f, t, c in zip(fields, types or ["string"] * len(fields), cells):
            if c == unset or c == empty or c == "":
                continue
            many = t.startswith(("set[", "vector["))
            row[f] = [unescape(v) for v in (c.split(set_sep) if many else [c]) if v != unset]
        yield number, "zeek." + (log or log_name(path)), zeek_row(log or log_name(path), row)


EVE_HOST = re.compile(r"(^|\.)(rrname|rdata|sni|A|AAAA|CNAME|NS|PTR|MX|mname|helo)$")


def read_json(path, lines):
    for number, line in lines:
        try:
            d = json.loads(line)
        except ValueError:
            continue
        if not isinstance(d, dict):
            continue
        if "event_type" in d:
            yield number, "suricata." + d["event_type"], eve_row(d)
            continue
        log = d.get("_path") or d.get("@stream") or log_name(path)
        if log in ZEEK_LOGS:
            flat = {}
            flatten("", d, flat)
            # some shippers write _ for the dots in names
            flat = {re.sub(r"^(id|san|certificate)_", r"\1.", k): v for k, v in flat.items()}
            yield number, "zeek." + log, zeek_row(log, flat)


def eve_row(d):
    r = Row()
    flat = {}
    flatten("", d, flat)
    for key, values in flat.items():
        last = key.rsplit(".", 1)[-1]
        for v in values:
            if key in ("src_ip", "dest_ip", "flow.src_ip", "flow.dest_ip", "tunnel.src_ip", "tunnel.dest_ip"):
                r.address(v)
            elif key.startswith(("dns.", "tls.", "smtp.", "quic.")) and EVE_HOST.search(key):
                r.host(v)
            elif key.startswith("tls.subjectaltname"):
                r.host(v)
            elif key == "tls.subject":
                r.subject(v)
            elif last in ("md5", "sha1", "sha256") and (key.startswith(("fileinfo.", "files."))):
                r.hash(v)
            elif key.startswith(("smtp.mail_from", "smtp.rcpt_to", "email.from", "email.to", "email.cc")):
                r.mails(v)
            elif key.endswith(("ja3.hash", "ja3s.hash")):
                r.add(key.split(".")[-2], v.lower())
            elif key == "http.http_refer":
                r.add("url", url(v))
            elif key in ("http.xff", "xff"):
                for a in v.split(","):
                    r.address(a)
    if "http" in d and isinstance(d["http"], dict):
        h = d["http"]
        http(r, str(h.get("hostname", "")), str(h.get("url", "")), str(h.get("http_method", "")),
             str(h.get("http_port", server_port(d))), "http")
    return r


def server_port(d):
    """fileinfo events are written in the direction in which the file went."""
    ports = [d.get("src_port", 0), d.get("dest_port", 0)]
    return min(ports) if d.get("event_type") == "fileinfo" else ports[1]


def rows(path):
    lines = lines_of(path)
    first = None
    for first in lines:
        if first[1].strip():
            break
    if first is None:
        return

    def again():
        yield first
        yield from lines

    text = first[1].lstrip()
    yield from (read_json(path, again()) if text.startswith("{") else read_zeek_tsv(path, again()))


# ---------------------------------------------------------------- indicators

FILE_ENDINGS = {"exe", "dll", "doc", "docx", "docm", "xls", "xlsx", "xlsm", "pdf", "zip", "rar", "js", "php", "html", "htm", "txt", "py",
                "ps1", "bat", "vbs", "lnk", "jar", "apk", "bin", "dat", "jpg", "png", "gif", "tmp", "ini", "cmd", "msi", "sys", "log"}


def refang(s):
    s = re.sub(r"^h(xx|XX|\*\*)p", "http", s)
    s = re.sub(r"[\[({]\s*(\.|dot|DOT)\s*[\])}]", ".", s)
    s = re.sub(r"\[(at|AT|@)\]|\((at|AT|@)\)", "@", s)
    return re.sub(r"\[(://|:|/)\]", r"\1", s).replace("[://", "://").replace("://]", "://")


def classify(s, sure):
    """(type, value) of a token; `sure`: it stands alone, so that a plain name is one."""
    token = refang(s.strip().strip("\"'`<>,;"))
    fanged = token != s.strip().strip("\"'`<>,;")
    if not token:
        return None
    if digest(token):
        return digest(token)
    if ip(token):
        return ("ip", str(ip(token)))
    if re.fullmatch(r"[0-9a-fA-F:.]+/\d{1,3}", token):
        try:
            net = ipaddress.ip_network(token, strict=False)
            return ("ip", str(net.network_address)) if net.num_addresses == 1 else ("network", str(net))
        except ValueError:
            return None
    if "://" in token:
        u = url(token)
        return ("url", u) if u else None
    if re.fullmatch(r"[^@\s]+@[^@\s]+", token):
        m = mail(token)
        return ("email-addr", m[0]) if m else None
    if token.startswith(("*.", ".")) and name(token.lstrip("*.")) and "." in token.lstrip("*."):
        return ("suffix", name(token.lstrip("*.")))
    n = name(token)
    if n and "." in n and re.fullmatch(r"[a-z][a-z0-9-]*[a-z]", n.rsplit(".", 1)[1]) and (sure or fanged):
        return ("domain-name", n) if fanged or n.rsplit(".", 1)[1] not in FILE_ENDINGS else None
    return None


def from_text(text):
    for line in text.splitlines():
        if line.lstrip().startswith(("#", ";", "//")):
            continue
        tokens = [t for t in re.split(r"[\s,;|]+", line.strip()) if t]
        for i, t in enumerate(tokens):
            c = classify(t, len(tokens) == 1 or (i == 0 and "\t" in line))
            if c:
                yield c


TYPES = {"ja3": "ja3", "ja3s": "ja3s", "ja3-fingerprint-md5": "ja3"}
NAMES = {"domain", "hostname", "domain-name", "fqdn"}


def from_csv(text):
    table = list(csv.reader(text.lstrip("\ufeff").splitlines()))
    head = [h.strip().lower() for h in table[0]]
    column = [i for i, h in enumerate(head) if h in ("value", "indicator", "ioc")]
    kinds = [i for i, h in enumerate(head) if h in ("type", "entity_type", "indicator_type")]
    for cells in table[1:] if not any(classify(c, True) for c in table[0]) else table:
        kind = cells[kinds[0]].strip().lower() if kinds and kinds[0] < len(cells) else ""
        for i, cell in enumerate(cells):
            if column and i not in column:
                continue
            if kind in TYPES:
                yield (TYPES[kind], cell.strip().lower())
            elif kind in NAMES and re.search("[a-z]", (name(refang(cell)) or "").rsplit(".", 1)[-1]):
                yield ("domain-name", name(refang(cell)))
            else:
                for t in [cell] if "://" in cell else re.split(r"[\s,;]+", cell):
                    c = classify(t, len(cell.split()) == 1)
                    if c:
                        yield c


EQUALITY = re.compile(r"\s*([a-z0-9-]+):([A-Za-z0-9_.'\[\]*-]+?)\s*=\s*'((?:[^'\\]|\\.)*)'\s*")


def from_pattern(pattern):
    m = re.fullmatch(r"\s*\[(.*)\]\s*", pattern, re.S)
    if not m:
        return None
    found, at, text = [], 0, m.group(1)
    while True:
        m = EQUALITY.match(text, at)
        if not m:
            return None
        kind, path, value = m.group(1), m.group(2), re.sub(r"\\(.)", r"\1", m.group(3))
        if (kind, path) in (("ipv4-addr", "value"), ("ipv6-addr", "value"), ("domain-name", "value"), ("url", "value"), ("email-addr", "value")):
            c = classify(value, True)
            if kind == "domain-name" and name(value):
                c = ("domain-name", name(value))
            if c:
                found.append(c)
        elif kind == "file" and path.startswith("hashes"):
            if digest(value):
                found.append(digest(value))
        else:
            return None
        at = m.end()
        if at == len(text):
            return found
        m = re.compile(r"OR\b").match(text, at)
        if not m:
            return None
        at = m.end()


def objects_of(d):
    if isinstance(d, list):
        return [o for e in d for o in objects_of(e)]
    if isinstance(d, dict) and isinstance(d.get("objects"), list):
        return [o for e in d["objects"] for o in objects_of(e)]
    return [d] if isinstance(d, dict) else []


def from_stix(d):
    newest = {}
    for o in objects_of(d):
        if o.get("type") == "indicator" and o.get("pattern_type", "stix") == "stix":
            old = newest.get(o.get("id"))
            if not old or o.get("modified", "") > old.get("modified", ""):
                newest[o.get("id")] = o
    for o in newest.values():
        found = from_pattern(o["pattern"])
        if found is None:
            print("pattern left out: %s" % o["pattern"][:100], file=sys.stderr)
        yield from found or []


def from_misp(d):
    if isinstance(d, list):
        for e in d:
            yield from from_misp(e)
    elif isinstance(d, dict):
        if isinstance(d.get("type"), str) and isinstance(d.get("value"), str) and d.get("deleted") not in (True, 1, "1"):
            kind, value = d["type"], d["value"]
            parts = value.split("|")
            if kind in ("domain", "hostname", "hostname|port", "domain|ip"):
                c = classify(parts[0], True) if parts[0].startswith(("*.", ".")) else None
                n = name(parts[0])
                yield from [c] if c else [("domain-name", n)] if n else []
            if kind in ("ip-src", "ip-dst", "ip-src|port", "ip-dst|port") or kind == "domain|ip":
                c = classify(parts[-1] if kind == "domain|ip" else parts[0], False)
                yield from [c] if c and c[0] in ("ip", "network") else []
            if kind == "url":
                yield from [("url", url(value))] if url(value) else []
            if kind in ("email", "email-src", "email-dst", "email-reply-to") and mail(value):
                yield ("email-addr", mail(value)[0])
            if kind.split("|")[-1] in ("md5", "sha1", "sha256", "sha512") or kind == "malware-sample":
                yield from [digest(parts[-1])] if digest(parts[-1]) else []
            if kind == "ja3-fingerprint-md5":
                yield ("ja3", value.lower())
            return
        for key in ("response", "Event", "Attribute", "Object"):
            if key in d and not (key == "Object" and False):
                yield from from_misp(d[key])


def indicators(path):
    text = "\n".join(line for _, line in lines_of(path)).lstrip("\ufeff")
    if text.lstrip()[:1] in "{[" and not re.match(r"\s*\[\s*[.:]", text):
        d = json.loads(text)
        objects = objects_of(d)
        if objects and all("--" in str(o.get("id", "")) for o in objects):
            return list(from_stix(d))
        return list(from_misp(d))
    base = re.sub(r"\.(gz|zst)$", "", path)
    return list(from_csv(text) if base.endswith(".csv") else from_text(text))


# ---------------------------------------------------------------- hits

class Set:
    def __init__(self, found):
        self.exact, self.networks, self.suffixes = {}, [], set()
        for kind, value in found:
            if kind == "network":
                self.networks.append(ipaddress.ip_network(value))
            elif kind == "suffix":
                self.suffixes.add(value)
            else:
                self.exact.setdefault(kind, set()).add(value)
        self.networks = sorted(set(self.networks), key=str)

    def of(self, row):
        for kind, values in row.has.items():
            for v in values:
                if kind == "ip":
                    kind_ = "ipv4-addr" if v.version == 4 else "ipv6-addr"
                    if str(v) in self.exact.get("ip", ()):
                        yield kind_, str(v)
                    for n in self.networks:
                        if v.version == n.version and v in n:
                            yield kind_, str(n)
                    continue
                if v in self.exact.get(kind, ()):
                    yield kind, v
                if kind == "domain-name":
                    parts = v.split(".")
                    for i in range(len(parts)):
                        if ".".join(parts[i:]) in self.suffixes:
                            yield kind, "*." + ".".join(parts[i:])


def files_below(tops):
    for top in tops:
        if os.path.isfile(top):
            yield top
        for folder, folders, names in os.walk(top):
            folders.sort()
            for n in sorted(names):
                yield os.path.join(folder, n)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("-i", action="append", default=[], metavar="FILE", help="file of indicators")
    p.add_argument("--types", default="", help="only indicators of these types (ipv4-addr,domain-name,...)")
    p.add_argument("--indicators", action="store_true", help="print the indicators and end")
    p.add_argument("logs", nargs="*")
    a = p.parse_args()
    found = [f for path in a.i for f in indicators(path)]
    if a.indicators:
        for kind, value in sorted(set(found)):
            print("%s\t%s" % (kind, value))
        return
    wanted = set(filter(None, a.types.split(",")))
    known, hits = Set(found), set()
    seen = set()
    for path in files_below(a.logs):
        with open(path, "rb") as f:
            content = hashlib.sha256(f.read()).digest()
        if content in seen:  # the same log under two names is one log
            continue
        seen.add(content)
        for number, dataset, row in rows(path):
            for kind, value in known.of(row):
                if not wanted or kind in wanted:
                    hits.add((kind, value, dataset, path, number))
    for h in sorted(hits):
        print("%s\t%s\t%s\t%s\t%d" % h)


if __name__ == "__main__":
    main()
