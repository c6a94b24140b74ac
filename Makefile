# Pennybank's build. `make` alone prints what there is; `make check` is the whole proof.
#
# Everything made lies below build/, and every path here is relative, so the checkout may lie
# anywhere, blanks in its path included. The libraries are compiled from source, the same way
# for each board: their sources come through tools/deps/fetch, or from trees of your own with
# MBEDTLS_SRC= LIBUV_SRC= ARGON2_SRC= INIH_SRC=.
#
#   BUILD=DIR     a build folder of its own, for instance to build beside another build
#   BOARD=NAME    what to build for; port/board/NAME.mk says how, and port/board/cross.mk names
#                 LIBC= CROSS= SYSROOT= CFLAGS= for boards that are not the host
#   CHANNELS=WORDS which channels of the laboratory are built in; all on the host, none on boards
#   V=1           prints each command
#   NO_INSTALL=1  names missing packages and stops, where it would install them

BUILD ?= build
BOARD ?= host
O     := $(BUILD)/$(BOARD)
A     := $(BUILD)/asan
F     := $(BUILD)/fuzz
DEPS  := build/deps

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
SHELL := /bin/sh
ifeq ($(filter -j%,$(MAKEFLAGS))$(BOARDS_MAKE),)
MAKEFLAGS += -j$(shell nproc)
endif
MAKEFLAGS += --no-print-directory --no-builtin-rules
export LC_ALL := C
export MBEDTLS_SRC LIBUV_SRC ARGON2_SRC INIH_SRC NO_INSTALL FUZZ_SECONDS

# Goals that touch no source of others need none of it, nor a network.
NO_DEPS_GOALS := help clean distclean tools-install

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n' $(1) $(2)
endif

include port/board/$(BOARD).mk

CCACHE := $(shell command -v ccache)
PYTHON ?= /usr/bin/python3
CLANG  ?= clang++

# Writes one line of text into the target, whose time stands still when the text is the same.
write_if_new = mkdir -p $(@D) && printf '%s\n' '$(subst ','\'',$(1))' >$@.new && \
    if cmp -s $@.new $@; then rm -f $@.new; else mv $@.new $@; fi

# --- Sources of ours ------------------------------------------------------------------------

find = $(sort $(shell find $(1) -name '$(2)' -not -path '*/.*' 2>/dev/null))

# The laboratory: each channel is a file of its own. What is built for a board has none of them.
CHANNELS_ALL := xor rsa hybrid dhe psk
CHANNELS ?= $(if $(filter host,$(BOARD)),$(CHANNELS_ALL))
LAB_OUT  := $(filter-out $(CHANNELS),$(CHANNELS_ALL))
LAB_GEN  := $(BUILD)/gen/lab$(subst $() ,,$(CHANNELS:%=-%))
ifneq ($(filter-out $(CHANNELS_ALL),$(CHANNELS)),)
$(error CHANNELS=$(CHANNELS): there are $(CHANNELS_ALL))
endif

# Without any channel nothing needs AES-CBC, and the library comes without it.
LAB_OUT_CPP  := $(LAB_OUT:%=src/channel/lab/%.cpp) \
                $(if $(CHANNELS),,$(addprefix src/channel/lab/,cbc.cpp fernet.cpp))
CORE_CPP     := $(filter-out $(LAB_OUT_CPP),$(call find,src,*.cpp))
CORE_C       := $(call find,src,*.c)
PORT_MAIN    := $(wildcard port/posix/main.cpp)
PORT_CPP     := $(filter-out $(PORT_MAIN),$(call find,port/posix,*.cpp))
PENNY_CPP    := $(call find,tools/penny,*.cpp)
PENNYCTL_MAIN := $(wildcard tools/pennyctl/main.cpp)
PENNYCTL_CPP := $(filter-out $(PENNYCTL_MAIN),$(call find,tools/pennyctl,*.cpp))
SIM_CPP      := $(call find,port/sim,*.cpp)
SIM_MAIN     := $(wildcard tests/sim/main.cpp)
SIM_TEST_CPP := $(filter-out $(SIM_MAIN),$(call find,tests/sim,*.cpp))
UNIT_CPP     := $(filter-out $(if $(LAB_OUT),tests/unit/lab_%.cpp),$(call find,tests/unit,*.cpp))
FUZZ_CPP     := $(call find,tests/fuzz,*.cpp)
PROGRAM_CPP  := $(CORE_CPP) $(PORT_MAIN) $(PORT_CPP) $(PENNY_CPP) \
                $(PENNYCTL_MAIN) $(PENNYCTL_CPP)

# A program appears as soon as its room has a file.
PROGRAMS := $(if $(PORT_MAIN),pennyd) $(if $(PENNY_CPP),penny) $(if $(PENNYCTL_MAIN),pennyctl)

# --- Flags ----------------------------------------------------------------------------------

WARN_C := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wswitch-enum -Wundef \
          -Wimplicit-fallthrough -Wformat=2 -Wvla -Wno-missing-field-initializers -Werror
WARN   := $(WARN_C)

# The server needs no C++ run-time library; functions and data lie in sections of their own, so
# that the linker drops what nothing calls.
LEAN     := -fno-exceptions -fno-rtti -fno-threadsafe-statics
SECTIONS := -ffunction-sections -fdata-sections
HARDEN   := -fstack-protector-strong -fPIE
FORTIFY  := -D_FORTIFY_SOURCE=2
OPT      ?= -O2 -g

# Offsets in files and times have 64 bits on every machine. All files must agree, ours and others.
WIDE := -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64

# How inih is compiled, and so how config.cpp must see it: one line at a time on the stack, no
# heap, a first error ends it, and a comment may follow a value.
INI_DEFINES := -DINI_USE_STACK=1 -DINI_ALLOW_REALLOC=0 -DINI_MAX_LINE=1024 \
               -DINI_STOP_ON_FIRST_ERROR=1 -DINI_HANDLER_LINENO=1 -DINI_ALLOW_MULTILINE=0 \
               -DINI_ALLOW_BOM=1 -DINI_ALLOW_INLINE_COMMENTS=1
# The path is spelled out, since the library has a header of the same name beside its own.
TLS_DEFINES := -DMBEDTLS_CONFIG_FILE='"port/mbedtls_config.h"' -DPENNY_LAB=$(if $(CHANNELS),1,0)

DEP_INCLUDES := -isystem $(DEPS)/mbedtls/include -isystem $(DEPS)/libuv/include \
                -isystem $(DEPS)/argon2/include -isystem $(DEPS)/inih
OUR_INCLUDES := -Isrc -Iport -I$(BUILD)/gen -I$(LAB_GEN) -iquote . $(DEP_INCLUDES)
OUR_DEFINES  := $(TLS_DEFINES) $(INI_DEFINES) $(WIDE)

HAVE_EDITLINE := $(if $(filter host,$(BOARD)),$(if $(wildcard /usr/include/histedit.h),1,0),0)
TOOL_FLAGS    := -Itools -DPENNY_HAVE_EDITLINE=$(HAVE_EDITLINE)

OUR_CXX  := -std=c++20 $(LEAN) $(SECTIONS) $(WARN) $(OUR_DEFINES) $(OUR_INCLUDES)
OUR_C    := -std=c11 -D_GNU_SOURCE $(SECTIONS) $(WARN_C) $(OUR_DEFINES) $(OUR_INCLUDES) \
            -isystem $(DEPS)/mbedtls/library
TEST_CXX  = -std=c++20 $(SECTIONS) $(WARN) $(OUR_DEFINES) $(OUR_INCLUDES) -Itests -Itools \
            $(TEST_FLAGS)

ASAN_OPT := -O1 -g -fno-omit-frame-pointer -fPIE \
            -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_OPT := $(ASAN_OPT) -fsanitize=fuzzer-no-link

LINK := -pie -Wl,--gc-sections -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed \
        -static-libgcc $(BOARD_FLAGS)
SYSTEM_LIBS := -lpthread -ldl
TEST_LINK   := -pie
TEST_LIBS   := -lgtest_main -lgtest

ifneq ($(BOARD),host)
include port/board/cross.mk
endif
BOARD_OPT = $(OPT) $(HARDEN) $(BOARD_FLAGS) $(BOARD_SMALL) $(BOARD_WHOLE)

# --- The libraries --------------------------------------------------------------------------

# The makes that build boards side by side leave the fetching to the one that started them.
ifneq ($(filter-out $(NO_DEPS_GOALS),$(MAKECMDGOALS)),)
include $(DEPS)/sources.mk
endif
ifndef BOARDS_MAKE
$(DEPS)/sources.mk: FORCE | tools-build
	@tools/deps/fetch
endif

LIB_BASE := -w $(SECTIONS) $(HARDEN) $(FORTIFY) $(WIDE) $(BOARD_FLAGS)

# Mbed TLS is compiled for size, but what a handshake or a record spends its time in for speed.
# No file gets a flag for a processor extension: the library looks for them at run time. Where a
# board has a smaller code for what is seldom run, BOARD_SMALL asks for it.
MBEDTLS_HOT := aes aesce aesni bignum bignum_core bignum_mod bignum_mod_raw chacha20 chachapoly \
               constant_time ecp ecp_curves ecp_curves_new gcm md poly1305 sha256 sha512
MBEDTLS_SRCS := $(wildcard $(DEPS)/mbedtls/library/*.c)
MBEDTLS_FLAGS := -std=gnu11 $(LIB_BASE) $(TLS_DEFINES) -iquote . -I$(DEPS)/mbedtls/include \
                 -I$(DEPS)/mbedtls/library

LIBUV_NAMES := fs-poll idna inet random strscpy strtok thread-common threadpool timer uv-common \
               uv-data-getter-setters version \
               $(addprefix unix/,async core dl fs getaddrinfo getnameinfo linux loop-watcher \
               loop pipe poll process procfs-exepath proctitle random-devurandom \
               random-getentropy random-getrandom random-sysctl-linux signal stream tcp thread \
               tty udp)
LIBUV_SRCS  := $(LIBUV_NAMES:%=$(DEPS)/libuv/src/%.c)
LIBUV_FLAGS := -std=gnu11 -Os $(LIB_BASE) -D_LARGEFILE_SOURCE -D_GNU_SOURCE \
               -D_POSIX_C_SOURCE=200112 -I$(DEPS)/libuv/include -I$(DEPS)/libuv/src

# Argon2's own threads stay out; its plain file at -O2 is as fast as the one with intrinsics.
ARGON2_SRCS  := $(addprefix $(DEPS)/argon2/src/,argon2.c core.c blake2/blake2b.c encoding.c ref.c)
ARGON2_FLAGS := -std=c11 -O2 $(LIB_BASE) -DARGON2_NO_THREADS -I$(DEPS)/argon2/include \
                -I$(DEPS)/argon2/src

INIH_SRCS  := $(DEPS)/inih/ini.c
INIH_FLAGS := -std=c11 -Os $(LIB_BASE) $(INI_DEFINES) -I$(DEPS)/inih

LIBS := $(addprefix $(O)/lib/,libmbedtls.a libuv.a libargon2.a libinih.a)

lib_objects = $(patsubst $(DEPS)/%.c,$(O)/obj/deps/%.o,$(1))

# $(1) is the library's name here, $(2) the archive's, $(3) the prefix of its variables.
define library
$(O)/lib/$(2): $$(call lib_objects,$$($(3)_SRCS))
	$$(call say,AR,$$@)
	$$(Q)mkdir -p $$(@D) && rm -f $$@ && $$(AR) rcD $$@ $$^

$(O)/obj/deps/$(1)/%.o: $(DEPS)/$(1)/%.c $(O)/$(1).flags $(DEPS)/sources.mk
	$$(call say,CC,$$(<:$(DEPS)/%=%))
	$$(Q)mkdir -p $$(@D) && $$(CCACHE) $$(CC) $$($(3)_FLAGS) $$($(3)_OPT) -c -o $$@ $$<

FLAG_FILES += $(O)/$(1).flags
$(O)/$(1).flags: FLAG_TEXT = $$(CC) $$($(3)_FLAGS) $$($(3)_OPT) $$(NOT_SMALL)
endef
$(eval $(call library,mbedtls,libmbedtls.a,MBEDTLS))
$(eval $(call library,libuv,libuv.a,LIBUV))
$(eval $(call library,argon2,libargon2.a,ARGON2))
$(eval $(call library,inih,libinih.a,INIH))

$(call lib_objects,$(MBEDTLS_SRCS)): port/mbedtls_config.h
MBEDTLS_OPT = $(if $(filter $(MBEDTLS_HOT),$(basename $(notdir $<))),-O2,-Os $(BOARD_SMALL))
LIBUV_OPT   = $(BOARD_SMALL)
INIH_OPT    = $(BOARD_SMALL)

# --- Ours -----------------------------------------------------------------------------------

FLAG_FILES += $(O)/our.flags $(A)/our.flags $(F)/our.flags $(BUILD)/clang/our.flags
$(O)/our.flags: FLAG_TEXT = $(CXX) $(BOARD_OPT) $(OUR_CXX) $(TOOL_FLAGS) $(LINK) $(NOT_SMALL)
$(A)/our.flags: FLAG_TEXT = $(CXX) $(ASAN_OPT) $(OUR_CXX) $(TOOL_FLAGS)
$(F)/our.flags: FLAG_TEXT = $(CLANG) $(FUZZ_OPT) $(OUR_CXX)
$(BUILD)/clang/our.flags: FLAG_TEXT = $(CLANG) $(OUR_CXX) $(TOOL_FLAGS)

# A file of flags changes only when the flags do, and then everything made with them follows.
$(FLAG_FILES): FORCE
	@$(call write_if_new,$(FLAG_TEXT))

# The version and the time of the build, for the files that include "version.h". The time is the
# commit's, so that the same commit gives the same program.
VERSION_TEXT := $(shell git describe --always --dirty --tags 2>/dev/null || \
                cat VERSION 2>/dev/null || echo unknown)
BUILD_TIME   := $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null),0)
$(BUILD)/gen/version.h: FORCE
	@mkdir -p $(@D)
	@{ echo '// version.h - made by the build.'; echo '#pragma once'; echo; \
	   echo '#define PENNY_VERSION "$(VERSION_TEXT)"'; \
	   echo '#define PENNY_BUILD_TIME $(BUILD_TIME)LL  // seconds since 1970'; } >$@.new.$$$$; \
	if cmp -s $@.new.$$$$ $@; then rm -f $@.new.$$$$; else mv $@.new.$$$$ $@; fi

# Which channels of the laboratory there are, for the files that include "lab_built.def".
$(LAB_GEN)/lab_built.def: FORCE
	@mkdir -p $(@D)
	@{ echo '// lab_built.def - made by the build (CHANNELS=).'; \
	   for channel in $(CHANNELS); do echo "LAB_BUILT($$channel)"; done; } >$@.new.$$$$; \
	if cmp -s $@.new.$$$$ $@; then rm -f $@.new.$$$$; else mv $@.new.$$$$ $@; fi

MADE_HEADERS := $(BUILD)/gen/version.h $(LAB_GEN)/lab_built.def

# $(1) is the folder of a variant, $(2) its options for the compiler.
define variant
$(1)/obj/tools/%.o: tools/%.cpp $(1)/our.flags $(DEPS)/sources.mk | $(MADE_HEADERS)
	$$(call say,CXX,$$(@:$(BUILD)/%=%))
	$$(Q)mkdir -p $$(@D) && $$(CCACHE) $$(CXX) $(2) $$(OUR_CXX) $$(TOOL_FLAGS) -MMD -MP -c -o $$@ $$<

$(1)/obj/tests/%.o: tests/%.cpp $(1)/our.flags $(DEPS)/sources.mk | tools-test $(MADE_HEADERS)
	$$(call say,CXX,$$(@:$(BUILD)/%=%))
	$$(Q)mkdir -p $$(@D) && $$(CCACHE) $$(CXX) $(2) $$(TEST_CXX) -MMD -MP -c -o $$@ $$<

$(1)/obj/%.o: %.cpp $(1)/our.flags $(DEPS)/sources.mk port/mbedtls_config.h | $(MADE_HEADERS)
	$$(call say,CXX,$$(@:$(BUILD)/%=%))
	$$(Q)mkdir -p $$(@D) && $$(CCACHE) $$(CXX) $(2) $$(OUR_CXX) -MMD -MP -c -o $$@ $$<

$(1)/obj/%.o: %.c $(1)/our.flags $(DEPS)/sources.mk port/mbedtls_config.h
	$$(call say,CC,$$(@:$(BUILD)/%=%))
	$$(Q)mkdir -p $$(@D) && $$(CCACHE) $$(CC) $(2) $$(OUR_C) -MMD -MP -c -o $$@ $$<

$(1)/lib/libpennycore.a: $$(CORE_CPP:%.cpp=$(1)/obj/%.o) $$(CORE_C:%.c=$(1)/obj/%.o) $(1)/core.list
$(1)/lib/libpennyport.a: $$(PORT_CPP:%.cpp=$(1)/obj/%.o) $(1)/port.list
$(1)/lib/libpennyctl.a: $$(PENNYCTL_CPP:%.cpp=$(1)/obj/%.o) $(1)/ctl.list
$(1)/lib/libpennysim.a: $$(SIM_CPP:%.cpp=$(1)/obj/%.o) $(1)/sim.list
$(addprefix $(1)/lib/,libpennycore.a libpennyport.a libpennyctl.a libpennysim.a):
	$$(call say,AR,$$(@:$(BUILD)/%=%))
	$$(Q)mkdir -p $$(@D) && rm -f $$@ && $$(AR) rcD $$@ $$(filter %.o,$$^)

$(1)/core.list: FLAG_TEXT = $$(CORE_CPP) $$(CORE_C)
$(1)/port.list: FLAG_TEXT = $$(PORT_CPP)
$(1)/ctl.list: FLAG_TEXT = $$(PENNYCTL_CPP)
$(1)/sim.list: FLAG_TEXT = $$(SIM_CPP)
$(1)/unit.list: FLAG_TEXT = $$(UNIT_CPP) $$(SIM_TEST_CPP)
$(addprefix $(1)/,core.list port.list ctl.list sim.list unit.list): FORCE
	@$$(call write_if_new,$$(FLAG_TEXT))

$(1)/pennyd: $$(PORT_MAIN:%.cpp=$(1)/obj/%.o) $$(BOARD_CPP:%.cpp=$(1)/obj/%.o)
$(1)/penny: $$(PENNY_CPP:%.cpp=$(1)/obj/%.o)
$(1)/pennyctl: $$(PENNYCTL_MAIN:%.cpp=$(1)/obj/%.o) $(1)/lib/libpennyctl.a
$(addprefix $(1)/,pennyd penny pennyctl): $(1)/lib/libpennyport.a $(1)/lib/libpennycore.a $(LIBS)

$(1)/unit_tests: $$(UNIT_CPP:%.cpp=$(1)/obj/%.o) $(1)/lib/libpennyctl.a
$(1)/unit_tests: TEST_MORE_LIBS = $$(TEST_LIBS)
$(1)/sim: $$(SIM_MAIN:%.cpp=$(1)/obj/%.o)
$(1)/unit_tests $(1)/sim: $$(SIM_TEST_CPP:%.cpp=$(1)/obj/%.o) $(1)/lib/libpennysim.a \
                          $(1)/lib/libpennyport.a $(1)/lib/libpennycore.a $(LIBS) $(1)/unit.list
	$$(call say,LINK,$$(@:$(BUILD)/%=%))
	$$(Q)$$(CXX) $(2) $$(TEST_LINK) -o $$@ $$(filter %.o,$$^) \
	    -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(TEST_MORE_LIBS) $$(SYSTEM_LIBS)
endef
$(eval $(call variant,$(O),$$(BOARD_OPT)))
$(eval $(call variant,$(A),$$(ASAN_OPT)))
$(eval $(call variant,$(F),$$(FUZZ_OPT)))

$(O)/penny $(A)/penny: EXTRA_LIBS = $(if $(filter 1,$(HAVE_EDITLINE)),-ledit)

# The C driver links, so that nothing of the C++ run-time library can slip in; readelf checks.
# Beside a board's stripped programs lie the same ones with their symbols, for tools that look, and
# the stack frames of what is compiled only here.
FRAMES = $(O)/whole/$(@F).frames
$(addprefix $(O)/,pennyd penny pennyctl):
	$(call say,LINK,$(@:$(BUILD)/%=%))
	$(Q)rm -rf $(FRAMES)$(if $(BOARD_WHOLE), && mkdir -p $(FRAMES))
	$(Q)$(CC) $(BOARD_OPT) $(if $(BOARD_WHOLE),-dumpdir $(FRAMES)/) $(LINK) -o $@ $(filter %.o,$^) \
	    -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(EXTRA_LIBS) $(SYSTEM_LIBS)
	$(Q)if readelf -d $@ | grep 'libstdc++'; then \
	    echo "error: $@ needs the C++ run-time library" >&2; rm -f $@; exit 1; fi
ifneq ($(BOARD),host)
	$(Q)mkdir -p $(O)/whole && mv $@ $(O)/whole/$(@F) && $(STRIP) -o $@ $(O)/whole/$(@F)
endif

# libedit's own libraries may need the C++ one, which is theirs; readelf sees direct needs only.
$(addprefix $(A)/,pennyd penny pennyctl):
	$(call say,LINK,$(@:$(BUILD)/%=%))
	$(Q)$(CXX) $(ASAN_OPT) -pie -o $@ $(filter %.o,$^) \
	    -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(EXTRA_LIBS) $(SYSTEM_LIBS)

# The smallest port: ledger and journal over a disk of RAM, on the host and on no system at all.
EXAMPLE_CPP := port/example/main.cpp \
               port/example/$(if $(filter freestanding,$(BOARD)),bare,host).cpp
EXAMPLE_LIB := $(call lib_objects,$(addprefix $(DEPS)/mbedtls/library/,sha256.c platform_util.c))
$(O)/obj/port/example/bare.o: OUR_CXX += -fno-tree-loop-distribute-patterns
$(O)/example: $(EXAMPLE_CPP:%.cpp=$(O)/obj/%.o) $(EXAMPLE_LIB) $(O)/lib/libpennycore.a
	$(call say,LINK,$(@:$(BUILD)/%=%))
	$(Q)$(CC) $(BOARD_OPT) $(LINK) -o $@ $^ $(SYSTEM_LIBS)

# What people and tests run; a hard link, so that a running program does not stand in the way.
$(addprefix $(BUILD)/,pennyd penny pennyctl): $(BUILD)/%: $(O)/%
	$(Q)ln -f $< $@

# A program with a bug planted in it, PLANT=NAME: a test (tests/sim/test_planted.py and others) has put
# the files that differ into a folder; they are compiled, and the rest is what is there already.
PLANT_DIR := $(BUILD)/sim-planted/$(PLANT)
PLANT_CPP := $(if $(PLANT),$(patsubst $(PLANT_DIR)/%,%,$(call find,$(PLANT_DIR)/src $(PLANT_DIR)/port,*.cpp)))
ifneq ($(PLANT),)
$(PLANT_DIR)/obj/%.o: $(PLANT_DIR)/%.cpp $(O)/our.flags
	$(call say,CXX,$<)
	$(Q)mkdir -p $(@D) && $(CCACHE) $(CXX) $(BOARD_OPT) $(OUR_CXX) -w -c -o $@ $<

$(PLANT_DIR)/sim: $(PLANT_CPP:%.cpp=$(PLANT_DIR)/obj/%.o) $(SIM_MAIN:%.cpp=$(O)/obj/%.o) \
                  $(SIM_TEST_CPP:%.cpp=$(O)/obj/%.o) $(O)/lib/libpennysim.a \
                  $(O)/lib/libpennyport.a $(O)/lib/libpennycore.a $(LIBS)
	$(call say,LINK,$@)
	$(Q)$(CXX) $(BOARD_OPT) $(TEST_LINK) -o $@ $(filter %.o,$^) \
	    -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(SYSTEM_LIBS)

$(PLANT_DIR)/pennyd: $(PLANT_CPP:%.cpp=$(PLANT_DIR)/obj/%.o) $(PORT_MAIN:%.cpp=$(O)/obj/%.o) \
                     $(O)/lib/libpennyport.a $(O)/lib/libpennycore.a $(LIBS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(BOARD_OPT) $(LINK) -o $@ $(filter %.o,$^) \
	    -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(SYSTEM_LIBS)
endif

# The simulator's programs: what tests/run looks for, and what a person types.
SIM     := $(if $(SIM_MAIN),$(O)/sim)
SIM_ASAN := $(if $(SIM_MAIN),$(A)/sim)

# --- The second compiler --------------------------------------------------------------------

clang_ok = $(patsubst %.cpp,$(BUILD)/clang/%.ok,$(1))

$(BUILD)/clang/tools/%.ok: CLANG_FLAGS = $(OUR_CXX) $(TOOL_FLAGS)
$(BUILD)/clang/tests/%.ok: CLANG_FLAGS = $(TEST_CXX)
$(BUILD)/clang/%.ok: CLANG_FLAGS = $(OUR_CXX)
$(BUILD)/clang/%.ok: %.cpp $(BUILD)/clang/our.flags $(DEPS)/sources.mk \
                     | tools-test $(MADE_HEADERS)
	$(call say,CLANG,$<)
	$(Q)mkdir -p $(@D) && $(CLANG) $(CLANG_FLAGS) -fsyntax-only -MMD -MP -MF $@.d -MT $@ $<
	@touch $@

# --- The fuzzers ----------------------------------------------------------------------------

# What reads bytes from outside, compiled so that the fuzzer sees its branches. Each target is
# linked twice: as it is, and with a crash planted in it that the fuzzer has to find.
FUZZ_TARGETS := $(patsubst tests/fuzz/%_fuzz.cpp,%,$(filter %_fuzz.cpp,$(FUZZ_CPP)))
FUZZ_CORE    := $(filter src/base/% src/wire/% src/journal/% src/ledger/% src/channel/channel.cpp \
                src/channel/lab/% $(addprefix src/crypto/,certificate.cpp crypto.cpp hash.cpp \
                issued.cpp jose_text.cpp message_text.cpp password_record.cpp request.cpp \
                rsa_parts.cpp x509_parts.cpp) src/book.cpp src/config% src/service/receipt.cpp \
                src/access/enrol% src/access/penalties%.cpp,$(CORE_CPP)) tools/pennyctl/old_books.cpp \
                $(filter tools/penny/capture%.cpp,$(PENNY_CPP)) tools/penny/lab_eavesdrop.cpp
FUZZ_SHARED  := $(FUZZ_CORE) $(filter-out %_fuzz.cpp,$(FUZZ_CPP))
FUZZERS      := $(foreach t,$(FUZZ_TARGETS),$(F)/$(t) $(F)/$(t)_planted)

$(F)/%: private CXX = $(CLANG)

$(F)/obj/tests/fuzz/%_planted.o: tests/fuzz/%_fuzz.cpp $(F)/our.flags $(DEPS)/sources.mk | tools-test
	$(call say,CXX,$(@:$(BUILD)/%=%))
	$(Q)mkdir -p $(@D) && $(CCACHE) $(CLANG) $(FUZZ_OPT) -DPLANT=1 $(TEST_CXX) -MMD -MP -c -o $@ $<

$(F)/obj/ini.o: $(INIH_SRCS) $(F)/our.flags
	$(call say,CC,$(@:$(BUILD)/%=%))
	$(Q)mkdir -p $(@D) && $(CLANG) -x c -w $(FUZZ_OPT) $(INI_DEFINES) -c -o $@ $<

$(FUZZ_TARGETS:%=$(F)/%): $(F)/%: $(F)/obj/tests/fuzz/%_fuzz.o
$(FUZZ_TARGETS:%=$(F)/%_planted): $(F)/%: $(F)/obj/tests/fuzz/%.o
$(FUZZERS): $(FUZZ_SHARED:%.cpp=$(F)/obj/%.o) $(F)/obj/ini.o $(O)/lib/libmbedtls.a
	$(call say,LINK,$(@:$(BUILD)/%=%))
	$(Q)$(CLANG) $(ASAN_OPT) -fsanitize=fuzzer -pie -Wl,--gc-sections -o $@ $(filter %.o %.a,$^)

# --- Targets --------------------------------------------------------------------------------

UNIT := $(if $(UNIT_CPP),$(O)/unit_tests)
UNIT_ASAN := $(if $(UNIT_CPP),$(A)/unit_tests)
CORE := $(O)/lib/libpennycore.a $(O)/lib/libpennyport.a
MADE := $(addprefix $(if $(filter host,$(BOARD)),$(BUILD),$(O))/,$(PROGRAMS))
BOARDS := aarch64 armhf armv6 x86_64
BOARDS_EMULATED := $(filter-out $(shell uname -m),$(BOARDS))
RUN = $(PYTHON) -B tests/run --build $(BUILD)

.PHONY: help all check test asan fuzz clang lint wire demo lab-capture size deps tools-install clean distclean cross check-cross board core sim sim-long sim-release sim-planted sim-check
.PHONY: tools-build tools-board tools-cross tools-test tools-wire tools-qemu FORCE
.PHONY: core-freestanding $(BOARDS:%=cross-%) cross-unit $(BOARDS:%=cross-unit-%)

help:
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

all: $(LIBS) $(CORE) $(MADE) $(RUNNER_FILE) ## pennyd, penny and pennyctl, in build/

check: all asan-build fuzz-build clang core cross cross-unit tools-wire tools-qemu $(UNIT) $(SIM) ## everything that must hold: build, both compilers, every test
	@$(RUN)

cross: $(BOARDS:%=cross-%) ## the programs for each board, static and stripped, in build/BOARD/

$(BOARDS:%=cross-%): cross-%: | tools-cross $(DEPS)/sources.mk $(MADE_HEADERS)
	@$(MAKE) BOARD=$* BOARDS_MAKE=1 all

check-cross: all cross cross-unit tools-wire tools-qemu $(SIM) ## the unit tests and the core of the black-box tests for each board, emulated
	@$(RUN) --suite cross

cross-unit: $(BOARDS_EMULATED:%=cross-unit-%)
$(BOARDS_EMULATED:%=cross-unit-%): cross-unit-%: cross-%
	@$(MAKE) BOARD=$* LIBC=glibc BOARDS_MAKE=1 $(BUILD)/$*-glibc/unit_tests $(BUILD)/$*-glibc/sim

# What the programs of a board contain of others.
LICENCES = $(DEPS)/mbedtls/LICENSE $(DEPS)/libuv/LICENSE $(DEPS)/argon2/LICENSE \
           $(DEPS)/inih/LICENSE.txt $(wildcard $(MUSL_DIR)/usr/share/doc/musl-dev/copyright)

ifeq ($(BOARD),host)
board: ## a tarball for a board, BOARD=aarch64 or another of port/board, in build/BOARD/
	@echo "error: say for which board, one of: $(BOARDS). For instance make board BOARD=aarch64" >&2
	@exit 2
else
board: all
	$(call say,PACK,$(O)/pennybank-$(BOARD).tar.gz)
	$(Q)tools/packaging/pack $(O) $(BOARD) $(BUILD_TIME) $(O)/pennybank-$(BOARD).tar.gz $(LICENCES)
endif

core: $(CORE) $(O)/example core-freestanding ## the server's logic as a library, for the host and for no system at all
core-freestanding: | tools-build $(DEPS)/sources.mk $(MADE_HEADERS)
	@tools/deps/install freestanding
	@$(MAKE) BOARD=freestanding BOARDS_MAKE=1 $(BUILD)/freestanding/example

test: tools-test $(UNIT) ## the unit tests
	@$(RUN) --suite unit

asan: tools-test asan-build ## the unit tests under the address and undefined-behaviour sanitizers
	@$(RUN) --suite asan

clang: $(call clang_ok,$(PROGRAM_CPP) $(SIM_CPP) $(SIM_TEST_CPP) $(SIM_MAIN) $(UNIT_CPP)) ## a second compiler reads every file of ours

lint: tools-test core ## who includes whom, what the core calls, and how the text is kept
	@$(PYTHON) -B tests/lint/lint_tidy.py
	@$(RUN) --suite lint

fuzz: fuzz-build ## each parser of outside bytes against a fuzzer; FUZZ_SECONDS=N for each, or 10
	@PENNY_TEST_SECONDS=$$(($${FUZZ_SECONDS:-10} + 170)) $(RUN) --suite fuzz

wire: tools-wire tools-qemu all core ## the black-box tests against the programs
	@$(RUN) --suite wire

SEED ?= 1
sim: tools-test $(SIM) ## one run of the simulated board, twice, digests compared: SEED=1
	@$(SIM) --seed $(SEED) --twice

sim-long: tools-test $(SIM) ## simulated runs until Ctrl-C; then what was counted
	@$(SIM) --long --jobs $$(nproc)

sim-release: tools-test $(SIM) ## a million crash images and 100,000 runs, in parts; docs/sim-summary.txt says what came
	@$(PYTHON) -B tests/sim/release $(SIM) --parts $(BUILD)/sim-release

sim-planted: tools-test $(SIM) ## every planted bug is found within its bound
	@PENNY_PLANTED=all PENNY_TEST_SECONDS=3600 $(RUN) --suite sim sim/test_planted

sim-check: tools-wire $(SIM) $(SIM_ASAN) all ## the simulator's part of make check
	@$(RUN) --suite sim

demo: all ## a tour of a bank of its own, with a power cut; then a prompt to play at
	@PENNY_BUILD='$(BUILD)' tools/demo

lab-capture: all ## what is seen on the way of each channel, for Wireshark, in build/lab/
	@$(PYTHON) -B tools/lab-capture --build '$(BUILD)' --folder '$(BUILD)/lab'

size: cross | tools-test ## what the programs weigh on each board, what is largest, and what changed
	@$(PYTHON) -B tools/size --build $(BUILD) $(BOARDS)

deps: $(DEPS)/sources.mk ## fetches the sources of the libraries and says which were taken
	@sed -n 's/^\([A-Z0-9]*\)_VERSION := /\1 /p' $(DEPS)/sources.mk

tools-install: ## installs every package that any target needs; NO_INSTALL=1 only names them
	@tools/deps/install build $(BOARDS) freestanding test wire qemu
	@tools/deps/install --list build $(BOARDS) freestanding test wire qemu

clean: ## removes what was built, and keeps the fetched sources
	rm -rf $(BOARDS:%=$(BUILD)/%) $(BOARDS:%=$(BUILD)/%-*)
	rm -rf $(BUILD)/host $(BUILD)/freestanding $(BUILD)/asan $(BUILD)/fuzz $(BUILD)/clang $(BUILD)/gen $(BUILD)/lab $(BUILD)/tests
	rm -f $(addprefix $(BUILD)/,pennyd penny pennyctl)

distclean: ## removes build/ whole
	rm -rf build

.PHONY: asan-build fuzz-build $(O)/lib
$(O)/lib: $(LIBS) $(CORE)
fuzz-build: tools-test $(FUZZERS)
asan-build: $(UNIT_ASAN) $(SIM_ASAN) $(A)/lib/libpennycore.a $(addprefix $(A)/,$(PROGRAMS))

tools-build:
ifndef OWN_TOOLS
	@tools/deps/install build
endif
tools-board: | tools-build
	@tools/deps/install $(BOARD)
tools-cross: | tools-build
	@tools/deps/install $(BOARDS)
tools-test: | tools-build
	@tools/deps/install test
tools-qemu: | tools-wire
	@tools/deps/install qemu
tools-wire: | tools-test
	@tools/deps/install wire

FORCE:

-include $(shell find $(O) $(A) $(F) $(BUILD)/clang -name '*.d' 2>/dev/null)
