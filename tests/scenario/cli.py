#!/usr/bin/env python3
"""What the program says of itself: help, manual pages, completions, and how it meets mistakes."""
import os
import re
import shutil
import subprocess

from scenario import ROOT, case, expect, expect_equal, tell

VERBS = ["init", "import", "hunt", "show", "status", "compact", "forget", "help"]


@case("the overview names every verb, and a verb explains itself")
def _(t):
    overview = t.run("--help").expect_exit(0).expect_silence()
    for verb in VERBS:
        overview.expect_line(rf"^  {verb} +\S")
        t.run(verb, "--help").expect_exit(0).expect_silence().expect_line(rf"^Usage: demarche {verb}")
        expect_equal(t.run("help", verb).out, t.run(verb, "--help").out, "help " + verb)


@case("no line of help is wider than its terminal needs")
def _(t):
    for verb in VERBS:
        for line in t.run(verb, "--help").lines:
            expect(len(line) <= 100, f"{verb}: {line}")


@case("mandoc finds nothing wrong with any manual page")
def _(t):
    mandoc = t.need("mandoc")
    for page in ["demarche"] + VERBS:
        r = t.run("--man", page).expect_exit(0)
        name = t.write(page + ".1", r.out)
        done = subprocess.run([mandoc, "-Tlint", name], cwd=t.folder, capture_output=True, text=True, check=False)
        # what is not a matter of the page: other pages are not installed here, and the system it is read on
        found = [line for line in done.stdout.splitlines() if "referenced manual not found" not in line and "operating system" not in line]
        expect(not found, "\n".join(found))


@case("every verb has a manual page that is installed")
def _(t):
    with open(os.path.join(ROOT, "src", "cli", "meson.build"), encoding="utf-8") as f:
        listed = re.search(r"foreach verb : \[(.*?)\]", f.read(), re.S).group(1)
    shown = [m.group(1) for line in t.run("--help").lines if (m := re.match(r"  ([a-z]+) {2,}\S", line))]
    expect_equal(re.findall(r"'(\w+)'", listed), shown, "pages in meson.build")


@case("the shells can read their completions")
def _(t):
    tried = 0
    for shell in ("bash", "zsh", "fish"):
        script = t.write("completion." + shell, t.run("--completion", shell).expect_exit(0).out)
        if shutil.which(shell):
            done = subprocess.run([shell, "-n", script], cwd=t.folder, capture_output=True, text=True, check=False)
            expect(done.returncode == 0 and not done.stderr, f"{shell}: {done.stderr}")
            tried += 1
    expect(tried > 0, "no shell was there to try")


def complete(t, *words):
    """What bash offers for the last of the words."""
    t.write("completion.bash", t.run("--completion", "bash").out)
    line = " ".join("'" + w + "'" for w in ("demarche",) + words)
    script = f". ./completion.bash; COMP_WORDS=({line}); COMP_CWORD={len(words)}; _demarche; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    return subprocess.run(["bash", "-c", script], cwd=t.folder, capture_output=True, text=True, check=True).stdout.split()


@case("bash offers verbs, options, values and files where they belong")
def _(t):
    t.need("bash")
    expect_equal(complete(t, "hu"), ["hunt"])
    expect_equal(complete(t, "hunt", "--cou"), ["--count"])
    expect_equal(complete(t, "hunt", "--format", "s"), ["stix", "suricata"])
    expect_equal(complete(t, "import", "--as", ""), ["evidence", "intelligence"])
    t.write("conn.log", "")
    expect_equal(complete(t, "import", "conn"), ["conn.log"])
    expect_equal(complete(t, "--man", "hu"), ["hunt"])


@case("a wrong use is told in one sentence, with what was perhaps meant")
def _(t):
    t.run("hnt").expect_exit(2).expect_error(r"^demarche: unknown verb 'hnt', did you mean 'hunt'\?\n  `demarche --help`")
    t.run("hunt", "--jsno").expect_exit(2).expect_error(r"did you mean '--json'\?")
    r = t.run("import").expect_exit(2)
    expect_equal(r.out, "", "standard output")
    t.run().expect_exit(2).expect_error("a verb is missing")


@case("an output that nobody takes is an error, not a short result")
def _(t):
    if not os.path.exists("/dev/full"):
        t.skip("there is no /dev/full")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([t.program, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    expect_equal(done.returncode, 74, "exit code")
    expect("cannot write the output" in done.stderr, done.stderr)
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([t.program, "--help"], stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    expect_equal((done.returncode, done.stderr), (74, ""), "a reader that had enough")


@case("the version is that of the build")
def _(t):
    t.run("--version").expect_exit(0).expect_line(r"^demarche \d+\.\d+\.\d+$")


tell()
