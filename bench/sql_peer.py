#!/usr/bin/env python3
"""DuckDB or chDB as one process: sql_peer.py ENGINE DATABASE OUTPUT SQL... prints on stderr, as JSON, how long loading the library and opening the
database took ("startup") and how long the statements took ("work"). The result of the last one goes to OUTPUT, as TSV or as JSON lines if
OUTPUT ends in .json."""
import json
import sys
import time

BEGAN = time.perf_counter()


def duckdb_runner(path, output):
    import duckdb
    db = duckdb.connect(path)
    db.execute("SET threads = 2")

    def run(sql, last):
        if last and output != "/dev/null" and sql.startswith("SELECT"):
            form = "JSON" if output.endswith(".json") else "CSV, DELIMITER '\t', HEADER false"
            db.execute(f"COPY ({sql}) TO '{output}' (FORMAT {form})")
        else:
            db.execute(sql)
    return run, db.close


def chdb_runner(path, output):
    from chdb import session
    s = session.Session(path)
    s.query("SET max_threads = 2")

    def run(sql, last):
        if last and output != "/dev/null" and sql.startswith("SELECT"):
            form = "JSONEachRow" if output.endswith(".json") else "TSV"
            s.query(f"{sql} INTO OUTFILE '{output}' TRUNCATE FORMAT {form}")
        else:
            s.query(sql)
    return run, lambda: None


def main():
    engine, path, output, *statements = sys.argv[1:]
    run, close = {"duckdb": duckdb_runner, "chdb": chdb_runner}[engine](path, output)
    opened = time.perf_counter()
    for number, sql in enumerate(statements, 1):
        run(sql, number == len(statements))
    close()
    print(json.dumps({"startup": opened - BEGAN, "work": time.perf_counter() - opened}), file=sys.stderr)


main()
