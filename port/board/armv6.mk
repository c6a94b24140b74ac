# armv6.mk - the first Raspberry Pi and the Zero: an ARM1176, which is ARMv6.
TRIPLET := arm-linux-gnueabi
MUSL    := armel
CROSS   ?= $(TRIPLET)-
CC      := $(CROSS)gcc
CXX     := $(CROSS)g++
AR      := $(CROSS)ar
NM      := $(CROSS)nm
STRIP   := $(CROSS)strip
RUNNER  := qemu-arm -cpu arm1176
# Debian's libraries for hard floats need an ARMv7, so these are the ones for soft floats; nothing
# here computes with floats. What ciphers, hashes and big numbers spend their time in is ARM code.
BOARD_FLAGS := -march=armv6kz -marm -mfloat-abi=soft
BOARD_LINK  :=
# All that is compiled for size is Thumb code, which weighs a third less. The Thumb of this age has
# no instruction for words that threads share: those files stay ARM code, and so do the tests.
BOARD_SMALL  = $(if $(filter $(NOT_SMALL),$<),,-mthumb)
NOT_SMALL   := $(DEPS)/libuv/src/uv-common.c src/crypto/crypto.cpp port/posix/system.cpp \
               $(addprefix $(DEPS)/libuv/src/unix/,async.c core.c fs.c linux.c tty.c) \
               port/sim/% tests/%
