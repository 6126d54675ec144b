#!/usr/bin/env python3
"""Count rows and values of Zeek logs, TSV or JSON lines, with nothing of the program under test.

    count_zeek.py FILE...     (plain, .gz or .zst; zstd(1) must be there for the latter)

For each file: rows that have all their columns, rows that have not, distinct addresses of id.orig_h and
id.resp_h (or tx_hosts, rx_hosts), distinct names of query, host and server_name
(addresses among them left out). The numbers in
tests/unit/test_zeek_tsv.c and test_zeek_json.c were taken from here.
"""
import gzip
import ipaddress
import json
import subprocess
import sys


def lines(path):
    if path.endswith(".zst"):
        data = subprocess.run(["zstd", "-dc", path], stdout=subprocess.PIPE, check=True).stdout
    elif path.endswith(".gz"):
        with gzip.open(path) as f:
            data = f.read()
    else:
        with open(path, "rb") as f:
            data = f.read()
    return data.split(b"\n")


ADDRESSES = ("id.orig_h", "id.resp_h", "id_orig_h", "id_resp_h", "tx_hosts", "rx_hosts")
NAMES = ("query", "host", "server_name")


def is_address(text):
    try:
        ipaddress.ip_address(text)
        return True
    except ValueError:
        return False


class Count:
    def __init__(self):
        self.rows = self.bad = 0
        self.addresses, self.names = set(), set()

    def take(self, row):
        self.rows += 1
        for key in ADDRESSES:
            for value in row.get(key, []):
                self.addresses.add(value)
        for key in NAMES:
            for value in row.get(key, []):
                if not is_address(value):
                    self.names.add(value.lower())


def count_tsv(text, count):
    fields = None
    for line in text:
        line = line.rstrip(b"\r")
        if line.lstrip().startswith(b"#"):
            head = line.lstrip().split(b"\t")
            if head[0] == b"#fields":
                fields = [f.decode() for f in head[1:]]
            continue
        if not line:
            continue
        values = line.split(b"\t")
        if fields is None or len(values) < len(fields):
            count.bad += 1
            continue
        row = {}
        for field, value in zip(fields, values):
            if value not in (b"-", b"(empty)"):
                row[field] = value.decode("utf-8", "replace").split(",")
        count.take(row)


def count_json(text, count):
    for line in text:
        if not line.strip():
            continue
        try:
            event = json.loads(line)
        except ValueError:
            count.bad += 1
            continue
        row = {}
        for key, value in event.items():
            values = value if isinstance(value, list) else [value]
            row[key] = [str(v) for v in values]
        count.take(row)


def main():
    for path in sys.argv[1:]:
        text = lines(path)
        count = Count()
        if text and text[0].startswith(b"{"):
            count_json(text, count)
        else:
            count_tsv(text, count)
        print(f"{path}: {count.rows} rows, {count.bad} bad, {len(count.addresses)} addresses, {len(count.names)} names")


main()
