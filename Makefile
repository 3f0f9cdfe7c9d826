# stp: one Makefile for all of it. `make help` lists the targets.

CXX      ?= g++
CC       ?= gcc
CXXFLAGS ?= -O2 -g1
CFLAGS   ?= -O2 -g1
WARN     := -Wall -Wextra
B        := build
PREFIX   ?= /usr/local

CCACHE   := $(shell command -v ccache 2>/dev/null)
JOBS     := $(shell nproc)

.PHONY: all demo check check-all bench walk fuzz style install clean help programs
all: stp stp-load stap

help:
	@echo "make            stp, the same as stap, and stp-load, here at the top"
	@echo "make demo       install what is missing, build, trace a kernel in a virtual machine"
	@echo "make check      the same set-up, then every test on the first kernel of vm/kernels.list"
	@echo "make check-all  every test on every kernel of the list"
	@echo "make bench      what stp costs, beside the peers that are installed"
	@echo "make walk       a probe at each function of every kernel of the list, by each means: hours"
	@echo "make fuzz       texts made at random through every pass, SECONDS=60 for each target"
	@echo "make style      sizes of files and functions, and who includes whom"
	@echo "make install    below PREFIX (default /usr/local); DESTDIR is respected"
	@echo "make clean      remove what was built here (kernels and caches are in ~/.cache/stp)"
	@echo "make compile_commands.json    for editors and clang-tidy"

# ---- how each language is compiled. Recipes and compile_commands.json share these.
TR_FLAGS   := -std=c++20 $(WARN) -Itranslator -Iinclude
# Debian's libfmt has no static library; the loader is static, so it takes the headers alone.
LOAD_FLAGS := -std=c++20 $(WARN) -Iruntime -Iinclude -DFMT_HEADER_ONLY
TEST_FLAGS := $(TR_FLAGS) -Iruntime -Itestsuite -I.
flags_of    = $(if $(filter runtime/%,$1),$(LOAD_FLAGS),$(if $(filter testsuite/%,$1),$(TEST_FLAGS),$(TR_FLAGS)))
compile_cxx = $(CXX) $(CXXFLAGS) $(call flags_of,$1) -MMD -MP -c $1 -o $(B)/$(1:.cc=.o)

$(B)/%.o: %.cc
	@mkdir -p $(@D); echo "  CXX     $<"; $(CCACHE) $(call compile_cxx,$<)

# ---- translator: everything but main is a library that the tests link as well
TRANSLATOR_SRC := $(wildcard translator/*/*.cc)
MAIN_SRC       := translator/cli/main.cc
LIB_OBJ        := $(patsubst %.cc,$(B)/%.o,$(filter-out $(MAIN_SRC),$(TRANSLATOR_SRC)))
MAIN_OBJ       := $(MAIN_SRC:%.cc=$(B)/%.o)
TRANSLATOR_LIBS := -ldw -lelf -lbpf -lfmt -lz -llzma -lzstd -lboost_filesystem -lboost_system -lpthread

$(B)/libstp.a: $(LIB_OBJ)
	@rm -f $@; ar rcs $@ $^

stp: $(MAIN_OBJ) $(B)/libstp.a
	@echo "  LINK    $@"; $(CXX) $(CXXFLAGS) -o $@ $^ $(TRANSLATOR_LIBS)

# The same program, which takes SystemTap's command line when it is called so.
stap: stp
	@ln -sfn stp $@

# ---- loader: small, static, needs include/ alone
LOADER_SRC     := $(wildcard runtime/loader/*.cc)
LOADER_OBJ     := $(LOADER_SRC:%.cc=$(B)/%.o)
LOADER_LIB_OBJ := $(filter-out $(B)/runtime/loader/main.o,$(LOADER_OBJ))

stp-load: $(LOADER_OBJ)
	@echo "  LINK    $@"; $(CXX) $(CXXFLAGS) -static -o $@ $^ -lelf -lz

# ---- tests: unit-tests needs nothing but itself, vm-tests boots kernels
UNIT_SRC    := $(wildcard testsuite/unit/*.cc)
HARNESS_SRC := $(wildcard testsuite/harness/*.cc)
HARNESS_LIB_OBJ := $(patsubst %.cc,$(B)/%.o,$(filter-out %/vm_tests.cc,$(HARNESS_SRC)))
UNIT_OBJ    := $(UNIT_SRC:%.cc=$(B)/%.o)

$(B)/unit-tests: $(UNIT_OBJ) $(HARNESS_LIB_OBJ) $(LOADER_LIB_OBJ) $(B)/libstp.a
	@echo "  LINK    $@"; $(CXX) $(CXXFLAGS) -o $@ $^ $(TRANSLATOR_LIBS) -lgtest -lgtest_main -lgmock

$(B)/vm-tests: $(B)/testsuite/harness/vm_tests.o $(HARNESS_LIB_OBJ) $(B)/libstp.a
	@echo "  LINK    $@"; $(CXX) $(CXXFLAGS) -o $@ $^ $(TRANSLATOR_LIBS) -lgtest

# What debug information says of a program, to be compared with what gdb says.
$(B)/user-facts: $(B)/testsuite/debuginfo/user_facts.o $(B)/libstp.a
	@echo "  LINK    $@"; $(CXX) $(CXXFLAGS) -o $@ $^ $(TRANSLATOR_LIBS)

# What the tests trace: static, because the guest has no libraries.
PROGRAMS := $(patsubst %.c,$(B)/%,$(wildcard testsuite/progs/*.c))
programs: $(PROGRAMS)
$(B)/testsuite/progs/%: testsuite/progs/%.c testsuite/progs/map_file.h
	@mkdir -p $(@D); echo "  CC      $<"; $(CC) $(CFLAGS) $(WARN) -Iinclude -static -pthread -o $@ $<

# ---- what people type. Set-up comes before make looks at compilers, so each starts make again.
AGAIN := $(MAKE) --no-print-directory -j$(JOBS)

demo:
	@vm/setup demo
	@$(AGAIN) all
	@vm/demo

check:
	@vm/setup check
	@$(AGAIN) all programs $(B)/unit-tests $(B)/vm-tests $(B)/user-facts
	@testsuite/check $(B)

check-all:
	@vm/setup check-all
	@$(AGAIN) all programs $(B)/unit-tests $(B)/vm-tests $(B)/user-facts
	@testsuite/check $(B) --all-kernels

bench:
	@vm/setup demo
	@$(AGAIN) all programs
	@testsuite/bench/run

walk:
	@vm/setup check-all
	@$(AGAIN) all programs
	@failed=; for kernel in $$(awk '!/^#/ && NF { print $$1 }' vm/kernels.list); do \
		testsuite/sweep/walk --kernel $$kernel || failed=1; \
		testsuite/sweep/walk --kernel $$kernel --modules ext4,loop,nf_tables,kvm,kvm-amd || failed=1; \
		testsuite/sweep/walk --kernel $$kernel --sessions 2 --means breakpoint,return --handlers light || failed=1; \
	done; test -z "$$failed"

# Fuzzing has objects of its own: clang's, with its sanitizers. The script says what is missing.
FUZZ       := $(B)/fuzz
FUZZ_CXX   ?= clang++
SECONDS    ?= 60
FUZZ_FLAGS := -O1 -g1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
FUZZ_OBJ   := $(patsubst %.cc,$(FUZZ)/%.o,$(filter-out translator/cli/% translator/build/%,$(TRANSLATOR_SRC)))
FUZZERS    := $(patsubst testsuite/fuzz/%_fuzz.cc,$(FUZZ)/%,$(wildcard testsuite/fuzz/*_fuzz.cc))

$(FUZZ)/%.o: %.cc
	@mkdir -p $(@D); echo "  FUZZ    $<"
	@$(CCACHE) $(FUZZ_CXX) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link $(call flags_of,$<) -MMD -MP -c $< -o $@

$(FUZZERS): $(FUZZ)/%: $(FUZZ)/testsuite/fuzz/%_fuzz.o $(FUZZ_OBJ)
	@echo "  LINK    $@"; $(FUZZ_CXX) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(TRANSLATOR_LIBS)

fuzz:
	@testsuite/fuzz/run --check $(FUZZ_CXX)
	@$(AGAIN) $(FUZZERS)
	@testsuite/fuzz/run $(SECONDS) $(FUZZERS)

style:
	@testsuite/style

SHARE := $(DESTDIR)$(PREFIX)/share/stp
EXEC  := $(DESTDIR)$(PREFIX)/libexec/stp
install: all
	install -D -m 755 stp $(DESTDIR)$(PREFIX)/bin/stp
	install -D -m 755 stp-load $(EXEC)/stp-load
	ln -sfn ../libexec/stp/stp-load $(DESTDIR)$(PREFIX)/bin/stp-load
	mkdir -p $(SHARE) $(EXEC)
	ln -sfn ../../bin/stp $(EXEC)/stap
	rm -rf $(SHARE)/runtime $(SHARE)/include $(SHARE)/tapsets $(EXEC)/vm
	cp -r include tapsets runtime $(SHARE)/
	rm -rf $(SHARE)/runtime/loader
	cp -r vm $(EXEC)/

clean:
	rm -rf $(B) stp stap stp-load compile_commands.json

# One entry per source file, from the very function that the recipes call.
ALL_SRC := $(TRANSLATOR_SRC) $(LOADER_SRC) $(UNIT_SRC) $(HARNESS_SRC)
entry = {"directory": "$(CURDIR)", "file": "$1", "command": "$(call compile_cxx,$1)"}
comma := ,
compile_commands.json: Makefile $(ALL_SRC)
	@{ echo '['; $(foreach s,$(ALL_SRC),echo '$(call entry,$s)$(if $(filter-out $(lastword $(ALL_SRC)),$s),$(comma))';) echo ']'; } > $@

-include $(wildcard $(B)/*/*/*.d $(FUZZ)/*/*/*.d)
