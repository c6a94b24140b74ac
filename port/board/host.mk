# host.mk - the machine that the build runs on.
#
# A board's fragment sets these five and nothing else; objects and libraries of a board lie in
# build/BOARD. BOARD_FLAGS choose the processor and go to every compile and link.
CC  := gcc
CXX := g++
AR  := ar
NM  := nm
BOARD_FLAGS :=
