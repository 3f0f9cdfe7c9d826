# stp: one Makefile for all of it. `make help` lists the targets.

CXX      ?= g++
CC       ?= gcc
CXXFLAGS ?= -O2 -g1
CFLAGS   ?= -O2 -g1
WARN     := -Wall -Wextra
B        := build

CCACHE   := $(shell command -v ccache 2>/dev/null)

.PHONY: all demo check check-all bench style install clean help
all: stp stp-load

# ---- translator: everything but main is a library that the tests link as well
TRANSLATOR_SRC := $(wildcard translator/*/*.cc)
MAIN_SRC       := translator/cli/main.cc
LIB_SRC        := $(filter-out $(MAIN_SRC),$(TRANSLATOR_SRC))
LIB_OBJ        := $(LIB_SRC:%.cc=$(B)/%.o)
MAIN_OBJ       := $(MAIN_SRC:%.cc=$(B)/%.o)
TRANSLATOR_LIBS := -ldw -lelf -lbpf -lfmt -lz -llzma -lzstd -lboost_filesystem -lboost_system -lpthread

TR_FLAGS := -std=c++20 $(WARN) -Itranslator -Iinclude

$(B)/libstp.a: $(LIB_OBJ)
	@rm -f $@; ar rcs $@ $^

stp: $(MAIN_OBJ) $(B)/libstp.a
	@echo "  LINK    $@"; $(CXX) $(CXXFLAGS) -o $@ $^ $(TRANSLATOR_LIBS)

$(B)/translator/%.o: translator/%.cc
	@mkdir -p $(@D); echo "  CXX     $<"; $(CCACHE) $(CXX) $(CXXFLAGS) $(TR_FLAGS) -MMD -MP -c $< -o $@

# ---- loader: small, static, needs include/ alone
LOADER_SRC := $(wildcard runtime/loader/*.cc)
LOADER_OBJ := $(LOADER_SRC:%.cc=$(B)/%.o)
LOADER_LIB_OBJ := $(filter-out $(B)/runtime/loader/main.o,$(LOADER_OBJ))

stp-load: $(LOADER_OBJ)
	@echo "  LINK    $@"; $(CXX) $(CXXFLAGS) -static -o $@ $^ -lelf -lz

$(B)/runtime/loader/%.o: runtime/loader/%.cc
	@mkdir -p $(@D); echo "  CXX     $<"; $(CCACHE) $(CXX) $(CXXFLAGS) -std=c++20 $(WARN) -DFMT_HEADER_ONLY -Iruntime -Iinclude -MMD -MP -c $< -o $@

# ---- unit tests: one binary
UNIT_SRC := $(wildcard testsuite/unit/*.cc)
UNIT_OBJ := $(UNIT_SRC:%.cc=$(B)/%.o)
$(B)/unit-tests: $(UNIT_OBJ) $(B)/libstp.a $(LOADER_LIB_OBJ)
	@echo "  LINK    $@"; $(CXX) $(CXXFLAGS) -o $@ $^ $(TRANSLATOR_LIBS) -lgtest -lgtest_main -lgmock

$(B)/testsuite/%.o: testsuite/%.cc
	@mkdir -p $(@D); echo "  CXX     $<"; $(CCACHE) $(CXX) $(CXXFLAGS) $(TR_FLAGS) -Iruntime -I. -MMD -MP -c $< -o $@

clean:
	rm -rf $(B) stp stp-load compile_commands.json

-include $(wildcard $(B)/*/*/*.d $(B)/*/*/*/*.d)
