# The front door: sets up what is missing from Debian's packages, then drives meson and ninja. `make help` lists the targets.
# PREFIX and DESTDIR as usual; JOBS=N for fewer compilers at once; FUZZ_SECONDS for `make fuzz`.
PREFIX ?= /usr/local
DESTDIR ?=
BUILD ?= build
FUZZ_SECONDS ?= 60
MESON_OPTIONS ?=
export JOBS

all: ; @tools/setup.sh build run && tools/build.sh $(BUILD) program $(MESON_OPTIONS)

tests: ; @tools/setup.sh build run test && tools/build.sh $(BUILD) tests $(MESON_OPTIONS)

test: tests ; @tests/summary $(SUMMARY) $(BUILD)

check: tests ; @tools/setup.sh check && tests/summary --suite check $(BUILD)

demo: all ; @examples/first-hunt/demo.sh $(BUILD)/src/cli/demarche

bench: tests ; @tools/setup.sh bench && bench/run $(BUILD)

fuzz: ; @tools/setup.sh build fuzz && tools/fuzz.sh build-fuzz $(FUZZ_SECONDS) $(TARGETS)

# As root after a build by somebody else this must not compile, or files of root's would stay in the build folder.
install: ; @[ "$$(id -u)" = 0 -a -f $(BUILD)/build.ninja ] || tools/setup.sh build run
	@tools/install.sh $(BUILD) "$(PREFIX)" "$(DESTDIR)"

deb: ; @tools/setup.sh build deb && tools/deb.sh

clean: ; rm -rf build build-* debian

help: ; @sed -n 's/^## //p' Makefile
## make           set up and build
## make test      set up, build, run all tests
## make demo      set up, build, hunt in the shipped example
## make check     the static checks alone
## make bench     the figures, with the peers (long)
## make fuzz      each libFuzzer target for FUZZ_SECONDS; TARGETS="name ..." for some
## make install   into DESTDIR/PREFIX
## make deb       a Debian package in build-deb/
## make clean     remove what was built

.PHONY: all tests test check demo bench fuzz install deb clean help
