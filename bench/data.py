"""The data of the bench: real connection logs enlarged, and sets of indicators that no run has seen before.

All of it is made once in the bench folder from the folder of real test data; the enlargement is synthetic and said to be so beside the figures.
"""
import ipaddress
import os
import random
import subprocess

COLUMNS = ("us", "uid", "src", "sport", "dst", "dport", "proto", "service", "duration_us", "orig_bytes", "resp_bytes", "state", "local_orig",
           "local_resp", "missed", "history", "orig_pkts", "orig_ip_bytes", "resp_pkts", "resp_ip_bytes")
# The log as the peers' loaders want it: numbers for times and IPv4 addresses, 0 or nothing for what is unset. Not counted in their time.
TO_NUMBERS = r"""
BEGIN { FS = OFS = "\t" }
/^#fields/ { for (i = 2; i <= NF; i++) at[$i] = i - 1; next }
/^#/ { next }
function ip(s, p) { return split(s, p, ".") == 4 ? sprintf("%.0f", ((p[1] * 256 + p[2]) * 256 + p[3]) * 256 + p[4]) : 0 }
function num(s) { return s == "-" ? 0 : s }
function text(s) { return s == "-" ? "" : s }
function us(s, p) { if (s == "-") return 0; split(s, p, "."); return p[1] sprintf("%06d", substr(p[2] "000000", 1, 6)) }
{
	print us($at["ts"]), $at["uid"], ip($at["id.orig_h"]), $at["id.orig_p"], ip($at["id.resp_h"]), $at["id.resp_p"], $at["proto"],
		text($at["service"]), us($at["duration"]) + 0, num($at["orig_bytes"]), num($at["resp_bytes"]), $at["conn_state"],
		$at["local_orig"] == "T" ? 1 : 0, $at["local_resp"] == "T" ? 1 : 0, num($at["missed_bytes"]), text($at["history"]),
		num($at["orig_pkts"]), num($at["orig_ip_bytes"]), num($at["resp_pkts"]), num($at["resp_ip_bytes"])
}
"""


def shell(command, **names):
    subprocess.run(["bash", "-c", "set -o pipefail; " + command], check=True, env=dict(os.environ, LC_ALL="C", **names))


class Data:
    """Files of the bench in `folder`, made when first asked for."""

    def __init__(self, folder, shared, copies):
        self.folder, self.shared, self.copies = folder, shared, copies
        os.makedirs(folder, exist_ok=True)
        self._base = self._ipsum = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def made(self, name, command, **names):
        """The file `name`, made by a shell command that writes to stdout unless it is there already."""
        path = self.path(name)
        if not os.path.exists(path):
            shell(f"({command}) >\"$OUT\"", OUT=path + ".part", **names)
            os.rename(path + ".part", path)
        return path

    def source(self):
        return os.path.join(self.shared, "data", "zeek", "rita-3days", "conn.log.zst")

    def conn(self):
        """conn.log with `copies` copies of the base: the data of the issue at 95."""
        grow = self.path("grow_conn")
        if not os.path.exists(grow):
            shell('cc -O2 -o "$OUT" "$SOURCE" -lm', OUT=grow, SOURCE=os.path.join(self.shared, "tools", "grow_conn.c"))
        return self.made(f"conn-{self.copies}.log", 'zstd -dc "$IN" | "$GROW" "$N"', IN=self.source(), GROW=grow, N=str(self.copies))

    def conn_without_uid(self):
        return self.made(f"conn-{self.copies}-nouid.log", r"""awk 'BEGIN { FS = OFS = "\t" }
            /^#fields/ || /^#types/ { if ($1 == "#fields") for (i = 2; i <= NF; i++) if ($i == "uid") c = i; cut($0, c); next }
            /^#/ { print; next } { cut($0, c - 1) }
            function cut(line, at, i, s) { s = ""; for (i = 1; i <= NF; i++) if (i != at) s = s (s == "" ? "" : OFS) $i; print s }' "$IN" """,
                         IN=self.conn())

    def conn_of_strangers(self):
        """As many rows again, days later, with other remote addresses: no set of the bench hits them."""
        return self.made(f"conn-{self.copies}-strangers.log", r"""awk 'BEGIN { FS = OFS = "\t" }
            /^#fields/ { for (i = 2; i <= NF; i++) at[$i] = i - 1 } /^#/ { print; next }
            { $at["ts"] = sprintf("%d%s", $at["ts"] + 86400 * 4000, substr($at["ts"], index($at["ts"], ".")));
              $at["uid"] = "D" substr($at["uid"], 2); $at["id.orig_h"] = strange($at["id.orig_h"]); $at["id.resp_h"] = strange($at["id.resp_h"]); print }
            function strange(a, p) { return split(a, p, ".") == 4 ? "10." p[2] "." p[3] "." (p[1] + p[4]) % 256 : a }' "$IN" """, IN=self.conn())

    def numbers(self):
        with open(self.path("to_numbers.awk"), "w", encoding="ascii") as f:
            f.write(TO_NUMBERS)
        return self.made(f"conn-{self.copies}.tsv", 'awk -f "$PROGRAM" "$IN"', PROGRAM=self.path("to_numbers.awk"), IN=self.conn())

    def rows(self):
        return int(subprocess.run(["bash", "-c", 'grep -vc "^#" "$IN"'], env=dict(os.environ, IN=self.conn()), stdout=subprocess.PIPE,
                                  check=True).stdout)

    def base_addresses(self):
        """IPv4 addresses of the base with at most three rows there."""
        if self._base is None:
            text = subprocess.run(["bash", "-c", 'zstd -dc "$IN" | grep -v "^#" | awk -F"\\t" \'{ print $4; print $6 }\' | sort | uniq -c'],
                                  env=dict(os.environ, IN=self.source(), LC_ALL="C"), stdout=subprocess.PIPE, check=True, text=True).stdout
            pairs = [line.split() for line in text.splitlines()]
            self._base = [a for n, a in pairs if int(n) <= 3 and a.count(".") == 3 and ipaddress.ip_address(a).is_global]
        return self._base

    def ipsum(self):
        if self._ipsum is None:
            path = os.path.join(self.shared, "data", "indicators", "ipsum.txt.zst")
            text = subprocess.run(["zstd", "-dcq", path], stdout=subprocess.PIPE, check=True, text=True).stdout
            self._ipsum = [line.split()[0] for line in text.splitlines() if line and not line.startswith("#")]
        return self._ipsum

    def addresses(self, size, run):
        """A file with `size` addresses, one a line; another set for each `run`."""
        path = self.path(f"set-{size}-{run}.txt")
        if not os.path.exists(path):
            rng = random.Random(f"set {size} {run}")
            if size <= 10:
                chosen = set(rng.sample(self.base_addresses(), size // 2) + rng.sample(self.ipsum(), size - size // 2))
            elif size <= 100000:
                chosen = set(rng.sample(self.ipsum(), size))
            else:
                chosen = set(self.ipsum())
            while len(chosen) < size:
                a = ipaddress.IPv4Address(rng.getrandbits(32))
                if a.is_global:
                    chosen.add(str(a))
            with open(path, "w", encoding="ascii") as f:
                f.write("\n".join(sorted(chosen)) + "\n")
        return path

    def patterns(self, size, run):
        """The same set as fixed strings for grep: TAB address TAB."""
        return self.made(f"set-{size}-{run}.grep", r"""sed 's/.*/\t&\t/' "$IN" """, IN=self.addresses(size, run))
