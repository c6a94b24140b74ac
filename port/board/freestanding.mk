# freestanding.mk - no system at all: an ARMv7-M with a tool chain for bare metal. `make core` only.
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
BOARD_FLAGS := -mcpu=cortex-m4 -mthumb -ffreestanding
