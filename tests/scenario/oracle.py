"""A second opinion on hits: reads Zeek logs (TSV and JSON, plain or zstd) cell by cell, knowing nothing of the program, and says which lines hold
a value. Slow and simple on purpose; what the two disagree on is a bug in one of them."""
import ipaddress
import json
import os
import re
import subprocess

# Columns of Zeek that hold observables. A cell that is an address counts as one wherever names stand too (answers, host, server_name).
ADDRESS = {"id.orig_h", "id.resp_h", "answers", "host", "server_name", "path", "x_originating_ip", "tx_hosts", "rx_hosts", "src", "dst", "san.ip",
           "p2p", "proxied"}
DOMAIN = {"query", "answers", "host", "server_name", "san.dns", "helo"}
HASH = {"md5", "sha1", "sha256", "sha512"}
KINDS = {"conn", "dns", "http", "ssl", "files", "x509", "smtp", "ssh", "rdp", "notice"}


def read_bytes(path):
    if path.endswith(".zst"):
        return subprocess.run(["zstd", "-dcq", path], stdout=subprocess.PIPE, check=True).stdout
    with open(path, "rb") as f:
        return f.read()


def kind_of(path):
    """The log's kind by its name: "conn" of conn.log, conn.json.zst, conn.00:00:00-01:00:00.log.gz."""
    return re.split(r"[._]", os.path.basename(path))[0]


def tsv_rows(lines):
    columns, types, unset, empty, split = [], [], b"-", b"(empty)", b","
    for number, line in lines:
        parts = line.split(b"\t")
        if line.startswith(b"#"):
            if parts[0] == b"#fields":
                columns = [p.decode() for p in parts[1:]]
            elif parts[0] == b"#types":
                types = [p.decode() for p in parts[1:]]
            elif parts[0] == b"#unset_field":
                unset = parts[1]
            elif parts[0] == b"#empty_field":
                empty = parts[1]
            elif parts[0] == b"#set_separator":
                split = parts[1]
            continue
        if len(parts) != len(columns):
            continue
        row = {}
        for name, kind, cell in zip(columns, types, parts):
            if cell not in (unset, empty, b""):
                many = kind.startswith(("set[", "vector["))
                row[name] = [c for c in (cell.split(split) if many else [cell]) if c not in (unset, empty)]
        yield number, {k: [unescape(c) for c in v] for k, v in row.items()}


def unescape(cell):
    return re.sub(rb"\\x([0-9a-fA-F]{2})", lambda m: bytes([int(m.group(1), 16)]), cell).decode("utf-8", "surrogateescape")


def json_rows(lines):
    for number, line in lines:
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield number, {k: [str(c) for c in (v if isinstance(v, list) else [v])] for k, v in value.items() if v is not None}


def rows(path):
    """(line number, {column: [cells]}) of a log."""
    lines = [(n, line) for n, line in enumerate(read_bytes(path).split(b"\n"), 1) if line.strip()]
    if lines and lines[0][1].lstrip().startswith(b"{"):
        return json_rows(lines)
    return tsv_rows(lines)


def address(cell):
    try:
        ip = ipaddress.ip_address(cell.split("%")[0])
    except ValueError:
        return None
    mapped = getattr(ip, "ipv4_mapped", None)
    return str(mapped or ip)


def plain(column, cell):
    """The cell without what Zeek or HTTP put around the value: a port behind a Host, a header's name before a forwarded address."""
    if column == "proxied":
        return cell.split(" -> ")[-1]
    if column == "host":
        return re.sub(r"^\[(.*)\]$", r"\1", re.sub(r"(?<=[^:]):\d+$", "", cell) if cell.count(":") < 2 or "]" in cell else cell)
    return cell


def observables(row):
    """The set of (type, value) of a row."""
    found = set()
    for column, cells in row.items():
        for cell in (plain(column, c) for c in cells):
            ip = address(cell) if column in ADDRESS else None
            if ip:
                found.add(("address", ip))
            elif column in DOMAIN and cell.strip("."):
                found.add(("domain", cell.rstrip(".").lower()))
            elif column in HASH:
                found.add(("hash", cell.lower()))
    return found


def index(paths):
    """{(type, value): {(file name, line)}} over logs of the kinds that the program reads."""
    where = {}
    for path in paths:
        if kind_of(path) in KINDS:
            for number, row in rows(path):
                for key in observables(row):
                    where.setdefault(key, set()).add((os.path.basename(path), number))
    return where
