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
# Debian's libraries for hard floats need an ARMv7, so these are the ones for soft floats. Nothing
# here computes with floats; Thumb of this age would save room, and lacks what the ciphers need.
BOARD_FLAGS := -march=armv6kz -marm -mfloat-abi=soft
BOARD_LINK  :=
