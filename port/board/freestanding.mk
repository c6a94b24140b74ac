# freestanding.mk - no system at all: a bare ARMv7 (as in a Pi 2), for `make core` only.
#
# There is no C library; port/freestanding declares the little that the core and the headers of the
# libraries need. What a port for such a board gives is in port/README.md.
CROSS ?= arm-none-eabi-
CC    := $(CROSS)gcc
CXX   := $(CROSS)g++
AR    := $(CROSS)ar
NM    := $(CROSS)nm
STRIP := $(CROSS)strip
LIBC  := none
BOARD_FLAGS := -mcpu=cortex-a7 -mthumb -mfloat-abi=soft -mno-unaligned-access -ffreestanding
