# x86_64.mk - any 64-bit PC.
TRIPLET := x86_64-linux-gnu
MUSL    := amd64
CROSS   ?= $(TRIPLET)-
CC      := $(CROSS)gcc
CXX     := $(CROSS)g++
AR      := $(CROSS)ar
NM      := $(CROSS)nm
STRIP   := $(CROSS)strip
# Runs as it is where the host is of this kind.
RUNNER  := $(if $(filter x86_64,$(shell uname -m)),,qemu-x86_64)
BOARD_FLAGS := -march=x86-64
BOARD_LINK  := -Wl,-z,noseparate-code
