# armhf.mk - 32-bit systems on a Raspberry Pi 2 or later, and any other ARMv7 with a VFP.
TRIPLET := arm-linux-gnueabihf
MUSL    := armhf
CROSS   ?= $(TRIPLET)-
CC      := $(CROSS)gcc
CXX     := $(CROSS)g++
AR      := $(CROSS)ar
NM      := $(CROSS)nm
STRIP   := $(CROSS)strip
RUNNER  := qemu-arm
BOARD_FLAGS := -march=armv7-a+fp -mthumb -mfloat-abi=hard
BOARD_LINK  :=
BOARD_WHOLE := -flto=auto
