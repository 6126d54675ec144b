"""The subjects of the bench: demarche, and the others that can answer the same questions, each as well set up as we know how.

insert(), counts() and rows() return seconds of work; what a process of the same kind takes to answer nothing is `startup`, stated apart and taken
off for the peers (not for demarche). Sets come from a file or, with `inside`, are in the peer's own tables before the clock starts.
"""
import json
import os
import shutil
import subprocess
import time

import measure
from data import COLUMNS

TEXT = {"uid", "proto", "service", "state", "history"}
SMALL = {"src": 32, "dst": 32, "sport": 16, "dport": 16, "local_orig": 8, "local_resp": 8}
SEEN = "SELECT {own} AS ip, us FROM flow WHERE {own} <> 0"
COUNT = "SELECT ip, count(*) AS n, min(us) AS first, max(us) AS last FROM seen WHERE ip IN (SELECT ip FROM {s}) GROUP BY ip"
ROWS = "SELECT * FROM flow WHERE src IN (SELECT ip FROM {s}) OR dst IN (SELECT ip FROM {s})"


class Demarche:
    """The program under test; one node in its own folder."""

    name = "demarche"

    def __init__(self, program, folder):
        self.program, self.home = program, os.path.join(folder, "node")
        self.env = {"DEMARCHE_HOME": self.home}

    def run(self, *args, **more):
        return measure.run([self.program, *args], env=self.env, **more)

    def start(self):
        shutil.rmtree(self.home, ignore_errors=True)
        self.run("init")

    def insert(self, *paths):
        return self.run("import", *paths).seconds

    def load_set(self, name, path):
        self.run("import", "--as", "intelligence", "--source", name, path)

    def counts(self, path, inside=None, out="/dev/null", memory=False):
        which = ["--source", inside] if inside else ["-i", path]
        return self.run("hunt", "--count", "--json", *which, out=out, ok=(0, 1), memory=memory)

    def rows(self, path, inside=None, out="/dev/null", memory=False):
        which = ["--source", inside] if inside else ["-i", path]
        return self.run("hunt", "--json", *which, out=out, ok=(0, 1), memory=memory)

    def total(self, out):
        with open(out, encoding="utf-8") as f:
            return sum(json.loads(line)["count"] for line in f if '"count"' in line)

    def bytes_on_disk(self):
        return measure.disk_bytes(self.home)


class ClickHouse:
    """Debian's ClickHouse 18.16 over its own client: `flow` by time, `seen` by (address, time)."""

    name = "ClickHouse 18.16"
    port = 39000

    def __init__(self, folder):
        self.folder, self.server, self.startup = os.path.join(folder, "clickhouse"), None, 0.0

    def start(self):
        if not shutil.which("clickhouse-server"):
            raise measure.Failure("clickhouse-server is not installed")
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.write_settings()
        self.server = subprocess.Popen(["clickhouse-server", f"--config-file={self.folder}/config.xml"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, cwd=self.folder)
        for attempt in range(100):
            try:
                self.query("SELECT 1")
                break
            except measure.Failure:
                if attempt == 99:
                    raise
                time.sleep(0.2)
        columns = ", ".join(f"{c} {'String' if c in TEXT else f'UInt{SMALL.get(c, 64)}'}" for c in COLUMNS)
        self.query(f"CREATE TABLE flow ({columns}) ENGINE = MergeTree PARTITION BY intDiv(us, 2592000000000) ORDER BY us")
        self.query("CREATE TABLE seen (ip UInt32, us UInt64) ENGINE = MergeTree PARTITION BY intDiv(us, 2592000000000) ORDER BY (ip, us)")

    def write_settings(self):
        with open(os.path.join(self.folder, "users.xml"), "w", encoding="ascii") as f:
            f.write("<yandex><profiles><default><max_memory_usage>12000000000</max_memory_usage></default></profiles>"
                    "<users><default><password/><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default>"
                    "</users><quotas><default/></quotas></yandex>")
        with open(os.path.join(self.folder, "config.xml"), "w", encoding="ascii") as f:
            f.write(f"<yandex><logger><level>error</level><log>{self.folder}/log</log><errorlog>{self.folder}/errors</errorlog></logger>"
                    f"<tcp_port>{self.port}</tcp_port><listen_host>127.0.0.1</listen_host><path>{self.folder}/data/</path>"
                    f"<tmp_path>{self.folder}/tmp/</tmp_path><users_config>{self.folder}/users.xml</users_config>"
                    "<default_profile>default</default_profile><default_database>default</default_database>"
                    "<mark_cache_size>1000000000</mark_cache_size></yandex>")

    def stop(self):
        if self.server:
            self.server.terminate()
            self.server.wait()

    def query(self, sql, external=None, **more):
        command = ["clickhouse-client", "--host=127.0.0.1", f"--port={self.port}", "--time", f"--query={sql}"]
        if external:
            command += ["--external", f"--file={external}", "--name=s", "--structure=ip UInt32", "--format=TSV"]
        return measure.run(command, **more)

    def work(self, sql, **more):
        """Seconds of the query alone, as the client tells them (--time); the rest of the process is its start."""
        result = self.query(sql, **more)
        seconds = float(result.err.strip().splitlines()[-1])
        self.startup = result.seconds - seconds
        return seconds

    def insert(self, tsv):
        return self.work("INSERT INTO flow FORMAT TSV", stdin=tsv)

    def order_by_address(self):
        return sum(self.work("INSERT INTO seen " + SEEN.format(own=own)) for own in ("src", "dst"))

    def bytes_on_disk(self):
        return measure.disk_bytes(os.path.join(self.folder, "data", "data", "default", "flow"))

    def load_set(self, name, numbers):
        self.query(f"CREATE TABLE {name} (ip UInt32) ENGINE = MergeTree ORDER BY ip")
        self.query(f"INSERT INTO {name} FORMAT TSV", stdin=numbers)

    def ask(self, sql, numbers, inside, out):
        return self.work(sql.format(s=inside or "s"), external=None if inside else numbers, out=out)

    def counts(self, numbers, inside=None, out="/dev/null"):
        return self.ask(COUNT + " FORMAT TSV", numbers, inside, out)

    def rows(self, numbers, inside=None, out="/dev/null"):
        return self.ask(ROWS + " FORMAT JSONEachRow", numbers, inside, out)


class InProcess:
    """DuckDB or chDB from a virtual environment: one process a question, only the statements on the clock."""

    def __init__(self, engine, python, folder, parquet=False):
        self.engine, self.python, self.parquet = engine, python, parquet
        self.name = {"duckdb": "DuckDB", "chdb": "chDB"}[engine] + (" on Parquet" if parquet else "")
        self.path = os.path.join(folder, engine + ("-parquet" if parquet else ""))
        self.startup = 0.0

    def ask(self, *statements, out="/dev/null"):
        here = os.path.dirname(os.path.abspath(__file__))
        result = measure.run([self.python, os.path.join(here, "sql_peer.py"), self.engine, self.path, out, *statements])
        figures = json.loads(result.err.strip().splitlines()[-1])
        self.startup = figures["startup"]
        return figures["work"]

    def start(self):
        for leftover in (self.path, self.path + ".wal", self.path + ".flow", self.path + ".seen"):
            if os.path.isdir(leftover):
                shutil.rmtree(leftover)
            elif os.path.exists(leftover):
                os.unlink(leftover)
        self.ask("SELECT 1")

    def insert(self, tsv):
        if self.engine == "chdb":
            columns = ", ".join(f"{c} {'String' if c in TEXT else f'UInt{SMALL.get(c, 64)}'}" for c in COLUMNS)
            return self.ask("CREATE DATABASE IF NOT EXISTS d", f"CREATE TABLE d.flow ({columns}) ENGINE = MergeTree ORDER BY us",
                            f"INSERT INTO d.flow SELECT * FROM file('{tsv}', 'TSV', '{columns}')")
        names = {8: "UTINYINT", 16: "USMALLINT", 32: "UINTEGER", 64: "UBIGINT"}
        columns = ", ".join(f"'{c}': '{'VARCHAR' if c in TEXT else names[SMALL.get(c, 64)]}'" for c in COLUMNS)
        read = f"SELECT * FROM read_csv('{tsv}', delim='\t', header=false, quote='', escape='', columns={{{columns}}})"
        if self.parquet:
            return self.ask(f"COPY ({read}) TO '{self.path}.flow' (FORMAT PARQUET, COMPRESSION ZSTD)")
        return self.ask(f"CREATE TABLE flow AS {read}", "CHECKPOINT")

    def tables(self, sql):
        if self.parquet:
            return sql.replace("FROM flow", f"FROM read_parquet('{self.path}.flow')").replace("FROM seen", f"FROM read_parquet('{self.path}.seen')")
        return sql.replace("FROM flow", "FROM d.flow").replace("FROM seen", "FROM d.seen") if self.engine == "chdb" else sql

    def order_by_address(self):
        both = self.tables(f"SELECT ip, us FROM ({SEEN.format(own='src')} UNION ALL {SEEN.format(own='dst')}) AS x ORDER BY ip, us")
        if self.parquet:
            return self.ask(f"COPY ({both}) TO '{self.path}.seen' (FORMAT PARQUET, COMPRESSION ZSTD)")
        if self.engine == "chdb":
            return self.ask("CREATE TABLE d.seen (ip UInt32, us UInt64) ENGINE = MergeTree ORDER BY (ip, us)", f"INSERT INTO d.seen {both}")
        return self.ask(f"CREATE TABLE seen AS {both}", "CHECKPOINT")

    def bytes_on_disk(self):
        return measure.disk_bytes(self.path + ".flow" if self.parquet else self.path)

    def set_from(self, numbers, inside):
        if inside:
            return "d." + inside if self.engine == "chdb" else inside
        if self.engine == "chdb":
            return f"file('{numbers}', 'TSV', 'ip UInt32')"
        return f"read_csv('{numbers}', header=false, columns={{'ip': 'UINTEGER'}})"

    def load_set(self, name, numbers):
        if self.engine == "chdb":
            self.ask(f"CREATE TABLE d.{name} (ip UInt32) ENGINE = MergeTree ORDER BY ip", f"INSERT INTO d.{name} SELECT * FROM {self.set_from(numbers, None)}")
        else:
            self.ask(f"CREATE TABLE {name} AS SELECT * FROM {self.set_from(numbers, None)}", "SELECT 1")

    def counts(self, numbers, inside=None, out="/dev/null"):
        return self.ask(self.tables(COUNT).format(s=self.set_from(numbers, inside)), out=out)

    def rows(self, numbers, inside=None, out="/dev/null.json"):
        return self.ask(self.tables(ROWS).format(s=self.set_from(numbers, inside)), out=out)

    def stop(self):
        pass
