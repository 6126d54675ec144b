#!/usr/bin/env python3
"""Write the synthetic example examples/first-hunt: tools/make_example.py [FOLDER]

Everything is invented, and the same at every run (one seeded generator, no clock, no network). Outside addresses and names come from the ranges
set aside for documentation (RFC 5737, RFC 3849, RFC 2606), so nothing in it can be taken for somebody's machine. The story is told in the
README of the example.
"""
import calendar
import hashlib
import json
import os
import random
import sys
import time
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RNG = random.Random("demarche first hunt")
DAYS = ("2026-03-09", "2026-03-10", "2026-03-11")
RESOLVER, MAIL, FILES = "10.20.30.2", "10.20.30.5", "10.20.30.10"
DESKS = [f"10.20.30.{n}" for n in range(21, 33)]
FIRST_VICTIM, SECOND_VICTIM = "10.20.30.27", "10.20.30.31"
FIRST_VICTIM6, SECOND_VICTIM6 = "2001:db8:20:30::27", "2001:db8:20:30::31"
C2, C2_V6, C2_NAME = "203.0.113.66", "2001:db8:c2::66", "update.example.net"
DROPPER, DROPPER_NAME = "203.0.113.40", "docs.invoices.example.net"
PHISHER, DROP_SITE, DROP_NAME = "198.51.100.25", "192.0.2.200", "files-7.example.org"
SHARED_HOST = "198.51.100.77"
UPDATER_AGENT = "Mozilla/5.0 (compatible; upd/1.4)"
BROWSERS = ("Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:123.0) Gecko/20100101 Firefox/123.0")
# Name, address, weight: what the desks do all day. shop.example.org shares its address with a phishing site of last year.
SITES = (("www.example.com", "198.51.100.10", 9), ("cdn.example.org", "198.51.100.20", 8), ("news.example.org", "198.51.100.21", 5),
         ("mail.example.com", "198.51.100.11", 4), ("weather.example.net", "192.0.2.30", 3), ("shop.example.org", SHARED_HOST, 1),
         ("intranet.example.com", "10.20.30.8", 4), ("time.example.org", "192.0.2.123", 2))
ID = [("id.orig_h", "addr"), ("id.orig_p", "port"), ("id.resp_h", "addr"), ("id.resp_p", "port")]
START = [("ts", "time"), ("uid", "string")] + ID
FIELDS = {
    "conn": START + [("proto", "enum"), ("service", "string"), ("duration", "interval"), ("orig_bytes", "count"), ("resp_bytes", "count"),
                     ("conn_state", "string"), ("local_orig", "bool"), ("local_resp", "bool"), ("missed_bytes", "count"), ("history", "string"),
                     ("orig_pkts", "count"), ("orig_ip_bytes", "count"), ("resp_pkts", "count"), ("resp_ip_bytes", "count"),
                     ("tunnel_parents", "set[string]")],
    "dns": START + [("proto", "enum"), ("trans_id", "count"), ("rtt", "interval"), ("query", "string"), ("qclass", "count"),
                    ("qclass_name", "string"), ("qtype", "count"), ("qtype_name", "string"), ("rcode", "count"), ("rcode_name", "string"),
                    ("AA", "bool"), ("TC", "bool"), ("RD", "bool"), ("RA", "bool"), ("Z", "count"), ("answers", "vector[string]"),
                    ("TTLs", "vector[interval]"), ("rejected", "bool")],
    "http": START + [("trans_depth", "count"), ("method", "string"), ("host", "string"), ("uri", "string"), ("referrer", "string"),
                     ("version", "string"), ("user_agent", "string"), ("origin", "string"), ("request_body_len", "count"),
                     ("response_body_len", "count"), ("status_code", "count"), ("status_msg", "string"), ("info_code", "count"),
                     ("info_msg", "string"), ("tags", "set[enum]"), ("username", "string"), ("password", "string"), ("proxied", "set[string]"),
                     ("orig_fuids", "vector[string]"), ("orig_filenames", "vector[string]"), ("orig_mime_types", "vector[string]"),
                     ("resp_fuids", "vector[string]"), ("resp_filenames", "vector[string]"), ("resp_mime_types", "vector[string]")],
    "ssl": START + [("version", "string"), ("cipher", "string"), ("curve", "string"), ("server_name", "string"), ("resumed", "bool"),
                    ("last_alert", "string"), ("next_protocol", "string"), ("established", "bool"), ("ssl_history", "string"),
                    ("cert_chain_fps", "vector[string]"), ("client_cert_chain_fps", "vector[string]"), ("sni_matches_cert", "bool"),
                    ("ja3", "string"), ("ja3s", "string")],
    "files": [("ts", "time"), ("fuid", "string"), ("uid", "string")] + ID + [
        ("source", "string"), ("depth", "count"), ("analyzers", "set[string]"), ("mime_type", "string"), ("filename", "string"),
        ("duration", "interval"), ("local_orig", "bool"), ("is_orig", "bool"), ("seen_bytes", "count"), ("total_bytes", "count"),
        ("missing_bytes", "count"), ("overflow_bytes", "count"), ("timedout", "bool"), ("parent_fuid", "string"), ("md5", "string"),
        ("sha1", "string"), ("sha256", "string"), ("extracted", "string"), ("extracted_cutoff", "bool"), ("extracted_size", "count")],
    "smtp": START + [("trans_depth", "count"), ("helo", "string"), ("mailfrom", "string"), ("rcptto", "set[string]"), ("date", "string"),
                     ("from", "string"), ("to", "set[string]"), ("cc", "set[string]"), ("reply_to", "string"), ("msg_id", "string"),
                     ("in_reply_to", "string"), ("subject", "string"), ("x_originating_ip", "addr"), ("first_received", "string"),
                     ("second_received", "string"), ("last_reply", "string"), ("path", "vector[addr]"), ("user_agent", "string"),
                     ("tls", "bool"), ("fuids", "vector[string]")],
}
ROWS = {kind: [] for kind in FIELDS}


def at(day, clock):
    """Seconds since 1970 of a time (UTC) on day 0, 1 or 2 of the story."""
    return float(calendar.timegm(time.strptime(f"{DAYS[day]} {clock}", "%Y-%m-%d %H:%M:%S")))


def token(prefix):
    return prefix + "".join(RNG.choice("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") for _ in range(17))


def hashes(text):
    data = ("demarche example: " + text).encode()
    return {name: hashlib.new(name, data).hexdigest() for name in ("md5", "sha1", "sha256")}


def cert(name):
    return hashlib.sha256(("certificate of " + name).encode()).hexdigest()


def ja3(client):
    return hashlib.md5(("hello of " + client).encode()).hexdigest()


LURE, LOADER = hashes("invoice_0311.zip"), hashes("loader.bin")


def row(kind, when, source, sport, target, port, /, **fields):
    base = {"ts": f"{when:.6f}", "id.orig_h": source, "id.orig_p": sport, "id.resp_h": target, "id.resp_p": port}
    base.update(fields)
    ROWS[kind].append((when, base))


def conn(when, source, target, port, proto="tcp", service=None, sent=0, received=0, seconds=0.1, state="SF", history="ShADadFf"):
    """One connection; its (uid, source port) for the rows that belong to it."""
    uid, sport = token("C"), RNG.randrange(49152, 65536)
    up, down = max(1, sent // 1400 + 3), received // 1400 + 3
    if state == "S0":
        received, down, history = 0, 0, "S"
    if proto == "udp":
        up, down, history = 1, 1, "Dd"
    head = 28 if proto == "udp" else 40
    local = source.startswith("10.") or source.startswith("2001:db8:20:")
    row("conn", when, source, sport, target, port, uid=uid, proto=proto, service=service, duration=f"{seconds:.6f}", orig_bytes=sent,
        resp_bytes=received, conn_state=state, local_orig="T" if local else "F",
        local_resp="T" if target.startswith(("10.", "2001:db8:20:")) else "F", missed_bytes=0, history=history, orig_pkts=up,
        orig_ip_bytes=sent + head * up, resp_pkts=down, resp_ip_bytes=received + head * down)
    return uid, sport


def lookup(when, who, name, answers, kind="A", ttl=300):
    number = {"A": 1, "AAAA": 28}[kind]
    uid, sport = conn(when, who, RESOLVER, 53, "udp", "dns", 30 + len(name), 46 + len(name) if answers else 30 + len(name), 0.02)
    row("dns", when, who, sport, RESOLVER, 53, uid=uid, proto="udp", trans_id=RNG.randrange(65536), rtt=f"{RNG.uniform(0.001, 0.04):.6f}",
        query=name, qclass=1, qclass_name="C_INTERNET", qtype=number, qtype_name=kind, rcode=0 if answers else 3,
        rcode_name="NOERROR" if answers else "NXDOMAIN", AA="F", TC="F", RD="T", RA="T", Z=0, answers=",".join(answers) or None,
        TTLs=",".join([f"{ttl}.000000"] * len(answers)) or None, rejected="F")


def tls(when, who, where, name, sent, received, seconds, client="firefox", port=443):
    uid, sport = conn(when, who, where, port, "tcp", "ssl", sent, received, seconds)
    row("ssl", when + 0.03, who, sport, where, port, uid=uid, version="TLSv12", cipher="TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", curve="x25519",
        server_name=name, resumed="F", next_protocol="h2" if client == "firefox" else None, established="T", ssl_history="CsxknGIi",
        cert_chain_fps=cert(name), sni_matches_cert="T" if client == "firefox" else "F", ja3=ja3(client), ja3s=ja3("server of " + name))


def transfer(when, uid, source, sport, target, port, protocol, mime, name, size, digests, sent_by_source=False):
    fuid = token("F")
    row("files", when, source, sport, target, port, fuid=fuid, uid=uid, source=protocol, depth=0, analyzers="MD5,SHA1,SHA256", mime_type=mime,
        filename=name, duration="0.020000", local_orig="F", is_orig="T" if sent_by_source else "F", seen_bytes=size, total_bytes=size,
        missing_bytes=0, overflow_bytes=0, timedout="F", **digests)
    return fuid


def fetch(when, who, where, host, uri, agent, size, mime, name=None, digests=None):
    uid, sport = conn(when, who, where, 80, "tcp", "http", 200 + len(uri), size + 250, 0.3)
    fuid = transfer(when + 0.1, uid, who, sport, where, 80, "HTTP", mime, name, size, digests or hashes(f"{host}{uri}"))
    row("http", when + 0.05, who, sport, where, 80, uid=uid, trans_depth=1, method="GET", host=host, uri=uri, version="1.1", user_agent=agent,
        request_body_len=0, response_body_len=size, status_code=200, status_msg="OK", resp_fuids=fuid, resp_filenames=name, resp_mime_types=mime)


def mail(when, relay, helo, sender, to, subject, attachment=None):
    uid, sport = conn(when, relay, MAIL, 25, "tcp", "smtp", 4200, 480, 1.4)
    fuids = [transfer(when + 0.6, uid, relay, sport, MAIL, 25, "SMTP", "text/plain", None, 640, hashes(subject), True)]
    if attachment:
        fuids.append(transfer(when + 0.7, uid, relay, sport, MAIL, 25, "SMTP", "application/zip", attachment[0], 18211, attachment[1], True))
    row("smtp", when, relay, sport, MAIL, 25, uid=uid, trans_depth=1, helo=helo, mailfrom=sender, rcptto=to,
        date=time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(when)), **{"from": sender, "to": to},
        msg_id=f"<{token('m')}@{helo}>", subject=subject, last_reply="250 2.0.0 Ok: queued", path=f"{MAIL},{relay}", tls="F",
        fuids=",".join(fuids))


def an_ordinary_day(day):
    """Browsing, mail, time and printers: what the handler has to see through."""
    for desk in DESKS:
        clock = at(day, "07:40:00") + RNG.uniform(0, 3600)
        while clock < at(day, "17:10:00"):
            name, where, _ = RNG.choices(SITES, [w for _, _, w in SITES])[0]
            if name == "time.example.org":
                conn(clock, desk, where, 123, "udp", "ntp", 48, 48, 0.03)
            else:
                lookup(clock, desk, name, [where])
                if RNG.random() < 0.3:
                    fetch(clock + 0.1, desk, where, name, f"/page/{RNG.randrange(400)}", RNG.choice(BROWSERS), RNG.randrange(800, 90000),
                          "text/html")
                else:
                    tls(clock + 0.1, desk, where, name, RNG.randrange(600, 9000), RNG.randrange(2000, 400000), RNG.uniform(0.3, 40))
            clock += RNG.expovariate(1 / 2900)
    for hour in range(8, 17, 3):
        lookup(at(day, f"{hour:02}:17:09"), RNG.choice(DESKS), f"wpad{hour}.example.com", [])
        mail(at(day, f"{hour:02}:05:31"), "198.51.100.11", "mail.example.com", f"office{hour}@example.com", "desk@example.org", f"Minutes {hour}")
    # Somebody on the Internet tries the mail server, as every day.
    for n in range(6):
        conn(at(day, "03:00:00") + n * 611, f"192.0.2.{90 + n}", MAIL, 22, sent=0, seconds=0, state="S0")


def beacon(day, begin, end, who, where, name):
    """A call home every 300 s, a few seconds early or late, and a lookup when the name's time to live is over."""
    clock, beats = at(day, begin), 0
    while clock < at(day, end):
        if beats % 12 == 0:
            lookup(clock - 0.2, who if ":" not in who else SECOND_VICTIM, name, [where], "AAAA" if ":" in where else "A", 3600)
        tls(clock + RNG.uniform(-6, 6), who, where, name, RNG.randrange(480, 540), RNG.randrange(300, 340), RNG.uniform(0.4, 0.6), "upd 1.4")
        clock += 300
        beats += 1


def the_intrusion():
    mail(at(0, "08:41:12"), PHISHER, "relay.invoices.example.net", "billing@invoices.example.net", "desk@example.org",
         "Invoice 2026-0311 overdue", ("invoice_0311.zip", LURE))
    lookup(at(0, "08:52:30"), FIRST_VICTIM, DROPPER_NAME, [DROPPER])
    fetch(at(0, "08:52:31"), FIRST_VICTIM, DROPPER, DROPPER_NAME, "/d/invoice_0311.zip", BROWSERS[1], 18211, "application/zip",
          "invoice_0311.zip", LURE)
    fetch(at(0, "08:53:05"), FIRST_VICTIM, DROPPER, DROPPER_NAME, "/d/loader.bin", UPDATER_AGENT, 72192, "application/x-dosexec", "loader.bin",
          LOADER)
    beacon(0, "08:54:10", "18:40:00", FIRST_VICTIM, C2, C2_NAME)
    beacon(1, "07:46:02", "18:40:00", FIRST_VICTIM, C2, C2_NAME)
    beacon(2, "07:44:31", "11:20:00", FIRST_VICTIM, C2, C2_NAME)
    # Sideways: the loader goes to the second desk over SMB, which calls home by IPv6; then both read the file server.
    uid, sport = conn(at(1, "10:15:44"), FIRST_VICTIM, SECOND_VICTIM, 445, "tcp", "smb", 76800, 2100, 3.1)
    transfer(at(1, "10:15:45"), uid, FIRST_VICTIM, sport, SECOND_VICTIM, 445, "SMB", "application/x-dosexec", "upd.exe", 72192, LOADER, True)
    beacon(1, "10:21:00", "13:00:00", SECOND_VICTIM6, C2_V6, C2_NAME)
    for n in range(14):
        conn(at(1, "14:02:00") + 97 * n, SECOND_VICTIM, FILES, 445, "tcp", "smb", 9000, 150000000 + 1000003 * n, 60)
    # Out at night: 12 uploads of some 160 MB from the second desk.
    lookup(at(1, "22:40:03"), SECOND_VICTIM, DROP_NAME, [DROP_SITE])
    for n in range(12):
        tls(at(1, "22:40:05") + 151 * n, SECOND_VICTIM, DROP_SITE, DROP_NAME, 160000000 + 999983 * n, 41000, 140, "upd 1.4")


def write_logs(folder):
    for kind, fields in FIELDS.items():
        ROWS[kind].sort(key=lambda item: item[0])
        names = [name for name, _ in fields]
        with open(os.path.join(folder, "logs", kind + ".log"), "w", encoding="ascii") as f:
            f.write(f"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t{kind}\n#open\t{DAYS[0]}-00-00-00\n")
            f.write("#fields\t" + "\t".join(names) + "\n#types\t" + "\t".join(t for _, t in fields) + "\n")
            for _, values in ROWS[kind]:
                f.write("\t".join("(empty)" if n == "tunnel_parents" else "-" if values.get(n) is None else str(values[n]) for n in names) + "\n")
            f.write("#close\t2026-03-12-00-00-00\n")


def stix_id(kind, name):
    return f"{kind}--{uuid.uuid5(uuid.UUID('00abedb4-aa42-466c-9c01-fed23315a9b7'), 'demarche example ' + name)}"


AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"  # TLP:AMBER as STIX 2.1 with TLP 2.0 predefines it
# Name, pattern, valid until (None: open), what else.
STIX = (
    ("Command server of the upd family", f"[ipv4-addr:value = '{C2}']", None, {}),
    ("Command server of the upd family, IPv6", f"[ipv6-addr:value = '{C2_V6}']", None, {}),
    ("Name of the command server", f"[domain-name:value = '{C2_NAME}']", None, {}),
    ("Loader", f"[file:hashes.'SHA-256' = '{LOADER['sha256']}']", None, {}),
    ("Lure, then a call home within an hour", f"([domain-name:value = '{DROPPER_NAME}'] FOLLOWEDBY [ipv4-addr:value = '{C2}']) WITHIN 3600 SECONDS",
     None, {}),
    ("Phishing site of last year", f"[ipv4-addr:value = '{SHARED_HOST}']", "2025-12-31T00:00:00.000Z", {}),
    ("Mutex of the loader", r"[mutex:name = 'Global\\upd-4f1e']", None, {}),
    ("Start of the loader", r"[windows-registry-key:key = 'HKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\upd']", None, {}),
    ("Withdrawn: a weather site", "[domain-name:value = 'weather.example.net']", None, {"revoked": True}),
)


def write_stix(folder):
    made = "2026-03-10T16:00:00.000Z"
    common = {"spec_version": "2.1", "created": made, "modified": made}
    author = stix_id("identity", "csirt")
    objects = [
        {"type": "identity", "id": author, **common, "name": "Example CSIRT", "identity_class": "organization"},
        {"type": "marking-definition", "spec_version": "2.1", "id": AMBER, "created": "2022-10-01T00:00:00.000Z", "name": "TLP:AMBER",
         "extensions": {"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": {"extension_type": "property-extension", "tlp_2_0": "amber"}}},
        {"type": "malware", "id": stix_id("malware", "upd"), **common, "created_by_ref": author, "name": "upd (invented)", "is_family": True},
    ]
    for name, pattern, until, more in STIX:
        indicator = {"type": "indicator", "id": stix_id("indicator", name), **common, "created_by_ref": author, "name": name,
                     "indicator_types": ["malicious-activity"], "pattern": pattern, "pattern_type": "stix",
                     "valid_from": "2025-06-01T00:00:00.000Z" if until else "2026-03-01T00:00:00.000Z", "object_marking_refs": [AMBER], **more}
        if until:
            indicator["valid_until"] = until
        objects.append(indicator)
    dump(folder, "sector-csirt.stix.json", {"type": "bundle", "id": stix_id("bundle", "csirt"), "objects": objects})


def write_misp(folder):
    def attribute(kind, category, value, ids=True, comment=""):
        return {"uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"demarche example {kind} {value}")), "type": kind, "category": category, "value": value,
                "to_ids": ids, "comment": comment, "timestamp": "1773158400", "distribution": "5", "deleted": False}
    attributes = [
        attribute("ip-dst", "Network activity", C2, comment="C2"),
        attribute("domain|ip", "Network activity", f"{DROPPER_NAME}|{DROPPER}", comment="dropper"),
        attribute("sha256", "Payload delivery", LURE["sha256"], comment="invoice_0311.zip"),
        attribute("filename|md5", "Payload delivery", f"upd.exe|{LOADER['md5']}", comment="loader as it is copied to other desks"),
        attribute("email-src", "Payload delivery", "billing@invoices.example.net"),
        attribute("ja3-fingerprint-md5", "Network activity", ja3("upd 1.4"), comment="TLS hello of the loader"),
        attribute("user-agent", "Network activity", UPDATER_AGENT),
        attribute("mutex", "Artifacts dropped", "Global\\upd-4f1e"),
        attribute("sha256", "Payload delivery", hashes("stage 3, never seen here")["sha256"], comment="third stage"),
        attribute("ip-dst", "Network activity", MAIL, comment="copied from a victim's log by mistake: a private address names nobody"),
        attribute("domain", "Network activity", "www.example.com", ids=False, comment="the loader tests its connection here"),
    ]
    dump(folder, "partner.misp.json", {"Event": {
        "uuid": "5f0c1b6e-9d5a-4a4e-8f53-6f7f9b0c2d10", "info": "upd loader", "date": "2026-03-10",
        "threat_level_id": "2", "analysis": "2", "published": True, "timestamp": "1773158400", "distribution": "3",
        "Orgc": {"name": "Example Supplier", "uuid": "0a6f0f6e-52a5-4d0a-9f3c-3a0d1a3f8a77"},
        "Tag": [{"name": "tlp:green"}], "Attribute": attributes}})


def write_report(folder):
    with open(os.path.join(folder, "indicators", "report.txt"), "w", encoding="ascii") as f:
        f.write(f"""The upd loader (a synthetic report; nothing in it exists)
=========================================================

A mail with the subject "Invoice ... overdue" carries a link to

    hxxp://{DROPPER_NAME.replace(".", "[.]")}/d/loader.bin

The loader then calls {C2_NAME.replace(".", "[.]")} ({C2.replace(".", "[.]")}) every five minutes. Some victims
were emptied at night towards {DROP_SITE.replace(".", "[.]")} and {DROP_NAME.replace(".", "(dot)")}.

Other infrastructure of the same actor, not seen in every case:

    203[.]0[.]113[.]141
    panel.upd[.]example[.]net
    support[at]upd-desk[.]example[.]org

SHA-256 of the loader: {LOADER['sha256']}
SHA-1 of the lure:     {LURE['sha1']}
""")


def dump(folder, name, value):
    with open(os.path.join(folder, "indicators", name), "w", encoding="ascii") as f:
        json.dump(value, f, indent=1)
        f.write("\n")


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "examples", "first-hunt")
    for part in ("logs", "indicators"):
        os.makedirs(os.path.join(folder, part), exist_ok=True)
    for day in range(len(DAYS)):
        an_ordinary_day(day)
    the_intrusion()
    write_logs(folder)
    write_stix(folder)
    write_misp(folder)
    write_report(folder)


if __name__ == "__main__":
    main()
