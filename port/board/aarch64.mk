# aarch64.mk - 64-bit systems on a Raspberry Pi 3, 4, 5 or Zero 2 W, and any other ARMv8.
TRIPLET := aarch64-linux-gnu
MUSL    := arm64
CROSS   ?= $(TRIPLET)-
CC      := $(CROSS)gcc
CXX     := $(CROSS)g++
AR      := $(CROSS)ar
NM      := $(CROSS)nm
STRIP   := $(CROSS)strip
RUNNER  := qemu-aarch64
BOARD_FLAGS := -march=armv8-a -mno-outline-atomics
# The kernel of a Pi 5 has pages of 16 KiB, and loads nothing that is laid out for smaller ones.
BOARD_LINK  := -Wl,-z,max-page-size=16384
BOARD_WHOLE := -flto=auto
# Where the linker goes round an erratum of the Cortex-A53 it puts one instruction in the place of
# another. Its other way, stubs, costs the server two pages; penny, whose data lie further off, has
# to take it.
SERVER_LINK := -Wl,--fix-cortex-a53-843419=adr
