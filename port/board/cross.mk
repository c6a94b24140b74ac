# cross.mk - how the programs of a board become static, whatever board it is.
#
#   LIBC=musl      the default: Debian's musl-dev of the board's architecture, unpacked below
#                  build/deps/musl and linked by Debian's cross compiler
#   LIBC=none      no C library, and so no programs; freestanding.mk asks for it
#   LIBC=glibc     the C library that the compiler brings; objects lie in build/BOARD-glibc
#   CROSS=PREFIX   a tool chain of your own, from Buildroot or Yocto: PREFIXgcc and so on, with the
#                  C library it brings. Nothing is installed, and with the *_SRC= variables set
#                  nothing is fetched.
#   SYSROOT=DIR    where that tool chain finds headers and libraries
#   CFLAGS=WORDS   more words for each compile and link
#
# The programs are small (-Os, with what ciphers spend their time in at -O2) and have no unwind
# tables, since nothing throws. Where pennyd's budget asks for it (BOARD_WHOLE), what is ours is
# compiled as a whole while a program is linked; what others wrote is compiled file by file, as they
# test it. In bytes of pennyd on aarch64 and armhf:
#
#   ours as a whole                                        30,500 and 16,100 less
#   Mbed TLS and libuv as well                             12,300 less on aarch64, and left out:
#       the linker then gives some callers the functions of left_out.def after all, and code that
#       must take the same time for every key would be compiled as its authors never do
#   Mbed TLS without what only the laboratory needs        13,200 and 10,200 less
#   one table of AES in the place of four                  3,100 less on each
#   data right behind the code (common-page-size)          up to 4,000 less
#
# What was tried and left out: sorting sections by alignment saves 0 to 200 bytes, -Wl,-O2 and one
# partition nothing; -fno-inline-small-functions and its like save 1 % and cost calls everywhere;
# programs that may lie anywhere (static-pie) weigh 7 % more, and stack, arenas and threads are at
# random places without it.
ifeq ($(origin CROSS),file)
LIBC ?= musl
else
LIBC ?= sysroot
OWN_TOOLS := 1
endif

ifneq ($(filter-out musl none,$(LIBC)),)
O := $(O)-$(LIBC)
endif

ifneq ($(LIBC),musl)
BOARD_WHOLE :=
else ifneq ($(BOARD_WHOLE),)
AR := $(CROSS)gcc-ar
endif

OPT    := -Os
# Without relro: only a dynamic loader acts on it, so here it would be nothing but up to a page of
# padding. So would be the linker's other care, that data begin on a page of their own in the file:
# the page in which code ends and data begin is mapped twice, once for each.
LINK    = -static -no-pie -Wl,--gc-sections -Wl,-z,norelro -Wl,-z,common-page-size=16 \
          -Wl,-z,noexecstack -Wl,--build-id=none $(BOARD_LINK) $(BOARD_FLAGS)
HARDEN := -fstack-protector-strong -fno-pie

BOARD_FLAGS += -fno-asynchronous-unwind-tables -fno-unwind-tables -fstack-usage \
               $(if $(SYSROOT),--sysroot=$(SYSROOT)) $(CFLAGS)

ifneq ($(filter musl none,$(LIBC)),)
# Where the compiler's own headers lie, which only the compiler knows.
ifneq ($(filter-out $(NO_DEPS_GOALS),$(MAKECMDGOALS)),)
include $(DEPS)/$(BOARD).mk
endif
$(DEPS)/$(BOARD).mk: FORCE | tools-board
	@$(if $(MUSL),tools/deps/musl $(MUSL) $(TRIPLET))
	@$(call write_if_new,COMPILER_INCLUDE := $(shell $(CC) -print-file-name=include))
endif

ifeq ($(LIBC),none)
HARDEN      :=
LINK         = -nostdlib -static -Wl,--gc-sections $(BOARD_FLAGS)
SYSTEM_LIBS := -lgcc
BOARD_FLAGS += -nostdinc -isystem port/freestanding -isystem $(COMPILER_INCLUDE)
else ifeq ($(LIBC),musl)
# What pennyd never needs: printf with floating point, and the functions of left_out.def.
BOARD_CPP   := port/board/stdio_names.cpp port/board/left_out.cpp
LEFT_OUT    := $(shell sed -n 's/^LEFT_OUT.\([a-z0-9_]*\),.*/\1/p' port/board/left_out.def)
$(O)/pennyd: BOARD_LINK += $(LEFT_OUT:%=-Wl,--wrap=%) $(SERVER_LINK)
$(O)/pennyd: port/board/left_out.def
# These stand in the place of functions that others call by name.
$(BOARD_CPP:%.cpp=$(O)/obj/%.o): private BOARD_WHOLE :=
MUSL_DIR    := $(DEPS)/musl/$(MUSL)
BOARD_FLAGS += -nostdinc -isystem $(MUSL_DIR)/include -isystem $(COMPILER_INCLUDE) \
               -isystem $(MUSL_DIR)/kernel
LINK        += -nostdlib $(MUSL_DIR)/lib/crt1.o $(MUSL_DIR)/lib/crti.o
SYSTEM_LIBS := $(MUSL_DIR)/lib/libc.a -lgcc $(MUSL_DIR)/lib/libc.a $(MUSL_DIR)/lib/crtn.o
else
SYSTEM_LIBS := -lpthread
endif

# What runs the board's programs here, for the tests.
RUNNER_FILE := $(O)/runner
$(RUNNER_FILE): FORCE
	@$(call write_if_new,$(RUNNER))

# The unit tests need the C++ run-time library and GoogleTest, which Debian has for the host only:
# so they are linked with glibc, and GoogleTest is compiled from the source that its package brings.
# Only tests may be careless with the size of a word, which says nothing on the host.
GTEST_DIR  := /usr/src/googletest/googletest
GTEST_OBJ  := $(addprefix $(O)/obj/gtest/,gtest-all.o gtest_main.o)
TEST_FLAGS := -isystem $(GTEST_DIR)/include -O0 -Wno-conversion -Wno-psabi
TEST_LINK  := -static
TEST_LIBS  :=

$(O)/unit_tests: $(GTEST_OBJ)
$(O)/obj/gtest/%.o: $(GTEST_DIR)/src/%.cc | tools-test
	$(call say,CXX,$(@:$(BUILD)/%=%))
	$(Q)mkdir -p $(@D) && $(CCACHE) $(CXX) -std=c++20 -w -Wno-psabi -O0 $(BOARD_FLAGS) \
	    -I$(GTEST_DIR) -isystem $(GTEST_DIR)/include -c -o $@ $<
