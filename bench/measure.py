"""How the bench measures: whole processes on the wall clock, what they wrote, what they kept in memory."""
import os
import resource
import statistics
import subprocess
import threading
import time


class Failure(Exception):
    """A command of the bench did not work: nothing is reported for it."""


class Run:
    """One finished process: seconds, bytes written to disk, peak of RssAnon in KiB, output size, what it printed to stderr."""

    def __init__(self, seconds, written, anon, out_bytes, err):
        self.seconds, self.written, self.anon, self.out_bytes, self.err = seconds, written, anon, out_bytes, err


def peak_anon(pid, stop, result):
    """Largest sum of RssAnon over the process and its children, sampled every 2 ms until `stop` is set."""
    while not stop.is_set():
        total = 0
        for p in [pid] + children(pid):
            try:
                with open(f"/proc/{p}/status", encoding="ascii", errors="replace") as f:
                    total += sum(int(line.split()[1]) for line in f if line.startswith("RssAnon:"))
            except (OSError, ValueError):
                pass
        result[0] = max(result[0], total)
        time.sleep(0.002)


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(p) for p in f.read().split()]
    except OSError:
        return []


def run(command, out=None, env=None, ok=(0,), memory=False, stdin=None):
    """Run a command to its end with stdout in the file `out` (default: nowhere)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_oublock
    stop, anon = threading.Event(), [0]
    with open(out or os.devnull, "wb") as sink, open(stdin or os.devnull, "rb") as source:
        began = time.perf_counter()
        process = subprocess.Popen([str(c) for c in command], stdin=source, stdout=sink, stderr=subprocess.PIPE, env=dict(os.environ, **(env or {})))
        watcher = None
        if memory:
            watcher = threading.Thread(target=peak_anon, args=(process.pid, stop, anon))
            watcher.start()
        err = process.stderr.read().decode(errors="replace")
        code = process.wait()
        seconds = time.perf_counter() - began
    stop.set()
    if watcher:
        watcher.join()
    if code not in ok:
        raise Failure(f"{' '.join(map(str, command))[:300]}: exit {code}: {err.strip()[-500:]}")
    written = (resource.getrusage(resource.RUSAGE_CHILDREN).ru_oublock - before) * 512
    return Run(seconds, written, anon[0], os.path.getsize(out) if out else 0, err)


class Figure:
    """Several timings of one thing."""

    def __init__(self, seconds):
        self.best, self.median, self.n = min(seconds), statistics.median(seconds), len(seconds)

    def __str__(self):
        return f"{human(self.best)} / {human(self.median)}"


def human(seconds):
    if seconds < 0.01:
        return f"{seconds * 1000:.2f} ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s"


def disk_bytes(path):
    """Bytes that a file or a folder takes up, holes not counted."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            total += os.lstat(os.path.join(folder, name)).st_blocks * 512
    return total or (os.lstat(path).st_blocks * 512 if os.path.isfile(path) else 0)


def write_floor(folder, size):
    """Seconds that writing and syncing `size` bytes takes: no store of that size can be made faster."""
    block, path = os.urandom(1 << 20), os.path.join(folder, "floor")
    began = time.perf_counter()
    with open(path, "wb") as f:
        for start in range(0, size, 1 << 20):
            f.write(block[:min(1 << 20, size - start)])
        f.flush()
        os.fsync(f.fileno())
    seconds = time.perf_counter() - began
    os.unlink(path)
    return seconds
