"""Scenario tests: a story told to the built program, from outside, as a user would.

One file is one story; its cases run in order in one empty folder of their own (the home and the working folder of the program), so a case may
build on what an earlier one did. Output is TAP.

    from scenario import case, tell

    @case("a list and a log are enough to find the address")
    def _(t):
        t.write("list.txt", "203.0.113.66\\n")
        t.write("conn.log", ...)
        r = t.run("hunt", "-i", "list.txt", "conn.log")
        r.expect_exit(0)
        r.expect_line(r"203\\.0\\.113\\.66")

    tell()

The program is DEMARCHE (meson sets it). DEMARCHE_SHARED is the folder of real test data; t.shared(...) skips the case where it is absent.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CASES = []


class Skip(Exception):
    """Raised to leave a case out; the text says why."""


class Failed(AssertionError):
    """An expectation that did not hold."""


def case(name):
    def register(function):
        CASES.append((name, function))
        return function
    return register


class Result:
    """What one run of the program gave. The expect_ methods return self, so that they chain."""

    def __init__(self, args, code, out, err):
        self.args, self.code, self.out, self.err = args, code, out, err
        self.lines = out.splitlines()

    def fail(self, what):
        text = f"{what}\n$ demarche {' '.join(self.args)}\nexit {self.code}"
        for name, part in (("stdout", self.out), ("stderr", self.err)):
            lines = part.splitlines()
            shown = lines if len(lines) <= 60 else lines[:30] + [f"... {len(lines) - 60} lines ..."] + lines[-30:]
            text += "".join(f"\n{name}| {line}" for line in shown)
        raise Failed(text)

    def expect_exit(self, code):
        if self.code != code:
            self.fail(f"exit {self.code}, expected {code}")
        return self

    def expect_line(self, pattern, count=None):
        """A line of stdout matches the regular expression (searched); with count, exactly that many do."""
        found = sum(1 for line in self.lines if re.search(pattern, line))
        if found == 0 if count is None else found != count:
            self.fail(f"{found} lines match {pattern!r}" + (f", expected {count}" if count is not None else ""))
        return self

    def expect_no_line(self, pattern):
        return self.expect_line(pattern, 0)

    def expect_error(self, pattern):
        """stderr matches the regular expression somewhere."""
        if not re.search(pattern, self.err):
            self.fail(f"stderr does not match {pattern!r}")
        return self

    def expect_silence(self):
        if self.err:
            self.fail("stderr is not empty")
        return self

    def json(self):
        """stdout as one JSON value."""
        try:
            return json.loads(self.out)
        except ValueError as e:
            return self.fail(f"stdout is not JSON: {e}")

    def json_lines(self):
        """stdout as one JSON value a line."""
        try:
            return [json.loads(line) for line in self.lines if line.strip()]
        except ValueError as e:
            return self.fail(f"stdout is not JSON lines: {e}")


class Teller:
    """The folder of a story, and how to run the program in it."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, content):
        """Write a file of the story; text or bytes. Returns its name."""
        target = self.path(name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as f:
            f.write(content.encode() if isinstance(content, str) else content)
        return name

    def read(self, name):
        with open(self.path(name), encoding="utf-8", errors="replace") as f:
            return f.read()

    def example(self, *names):
        """Path of a file of the shipped examples."""
        return os.path.join(ROOT, "examples", *names)

    def shared(self, *names):
        """Path of real test data; leaves the case out where there is none."""
        path = os.path.join(os.environ.get("DEMARCHE_SHARED", ""), "data", *names)
        if not os.environ.get("DEMARCHE_SHARED") or not os.path.exists(path):
            raise Skip("needs test data that is not part of the repository")
        return path

    def need(self, tool):
        """Leave the case out where a tool of the system is missing."""
        if not shutil.which(tool):
            raise Skip(f"{tool} is not installed")
        return tool

    def skip(self, why):
        raise Skip(why)

    def environment(self, extra):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "DEMARCHE_")) or k.startswith("DEMARCHE_FAULT")}
        env.update(HOME=self.folder, TZ="UTC", LC_ALL="C.UTF-8", NO_COLOR="1", TERM="dumb")
        env.update(extra or {})
        return env

    def run(self, *args, stdin=None, env=None, timeout=120, cwd=None):
        """Run the program to its end. stdin: text or bytes; None: an empty one."""
        args = [str(a) for a in args]
        data = stdin.encode() if isinstance(stdin, str) else stdin
        try:
            done = subprocess.run([self.program] + args, input=data or b"", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  cwd=cwd or self.folder, env=self.environment(env), timeout=timeout, check=False)
        except subprocess.TimeoutExpired as e:
            out, err = ((x or b"").decode(errors="replace") for x in (e.stdout, e.stderr))
            return Result(args, None, out, err).fail(f"did not end within {timeout} s")
        r = Result(args, done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
        # A signal, or a sanitizer's report, is never what a story wants, whatever it expects of the exit code.
        if r.code < 0 or re.search(r"ERROR: \w+Sanitizer|runtime error:", r.err):
            r.fail(f"crashed ({r.code})")
        return r

    def start(self, *args, env=None):
        """Start the program and go on: a subprocess.Popen with pipes, for stories that kill or feed it."""
        return subprocess.Popen([self.program] + [str(a) for a in args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                cwd=self.folder, env=self.environment(env))


def expect(condition, what):
    if not condition:
        raise Failed(what)


def expect_equal(got, wanted, what="value"):
    if got != wanted:
        raise Failed(f"{what}: got {got!r}, expected {wanted!r}")


def comment(text):
    for line in str(text).splitlines():
        print("#   " + line)


def tell():
    """Run the cases of the story; exit 1 if one failed."""
    program = os.environ.get("DEMARCHE") or os.path.join(ROOT, "build", "src", "cli", "demarche")
    failed = 0
    print(f"1..{len(CASES)}")
    folder = tempfile.mkdtemp(prefix="demarche-story-")
    t = Teller(os.path.abspath(program), folder)
    for number, (name, function) in enumerate(CASES, 1):
        try:
            function(t)
            print(f"ok {number} - {name}")
        except Skip as e:
            print(f"ok {number} - {name} # SKIP {e}")
        except Failed as e:
            failed += 1
            comment(e)
            print(f"not ok {number} - {name}")
        except Exception:  # a fault of the story itself is a failure too, and the other cases still run
            failed += 1
            comment(traceback.format_exc())
            print(f"not ok {number} - {name}")
        sys.stdout.flush()
    if failed and os.environ.get("KEEP"):
        print(f"# kept: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failed else 0)
