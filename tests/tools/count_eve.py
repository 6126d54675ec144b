#!/usr/bin/env python3
"""Count the events of a Suricata eve.json by type, with nothing of the program under test.

    count_eve.py FILE...     (plain or .zst)

The numbers in tests/unit/test_eve.c were taken from here.
"""
import collections
import json
import subprocess
import sys

for path in sys.argv[1:]:
    if path.endswith(".zst"):
        text = subprocess.run(["zstd", "-dc", path], stdout=subprocess.PIPE, check=True).stdout
    else:
        with open(path, "rb") as f:
            text = f.read()
    types, sources, rules = collections.Counter(), 0, 0
    for line in text.splitlines():
        event = json.loads(line)
        types[event["event_type"]] += 1
        sources += "src_ip" in event
        rules += "signature_id" in event.get("alert", {})
    print(f"{path}: {sum(types.values())} events, {sources} with src_ip, {rules} with a rule: {dict(types)}")
