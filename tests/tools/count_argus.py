#!/usr/bin/env python3
"""Count rows of Argus tables (comma or tab), with nothing of the program under test.

    count_argus.py FILE...

For each file: rows, rows whose source is an IP address, sum of the bytes of the source, rows of UDP. The
numbers in tests/unit/test_csv_evidence.c were taken from here.
"""
import csv
import ipaddress
import sys


def is_address(text):
    try:
        ipaddress.ip_address(text)
        return True
    except ValueError:
        return False


for path in sys.argv[1:]:
    with open(path, newline="") as f:
        head = f.readline()
        f.seek(0)
        rows = list(csv.DictReader(f, delimiter="\t" if "\t" in head else ","))
    sources = sum(is_address(row["SrcAddr"]) for row in rows)
    total = sum(int(row["SrcBytes"] or 0) for row in rows)
    udp = sum(row["Proto"] == "udp" for row in rows)
    print(f"{path}: {len(rows)} rows, {sources} sources, {total} bytes of sources, {udp} udp")
