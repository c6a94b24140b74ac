# host.mk - the machine that the build runs on.
#
# A fragment of this folder says what a board is, and nothing about how to build. Objects, libraries
# and programs of a board lie in build/BOARD. It sets:
#
#   CC CXX AR NM STRIP   the tool chain; for other machines each begins with $(CROSS)
#   BOARD_FLAGS          choose the processor; they go to every compile and link
#
# and for a board other than the host, whose programs are static (cross.mk has the rest):
#
#   TRIPLET              Debian's name of the tool chain, which installs itself where it is missing
#   MUSL                 Debian's name of the architecture whose musl-dev is linked
#   BOARD_LINK           more words for the linker
#   BOARD_SMALL          more words for what is compiled for size, where there are such
#   NOT_SMALL            sources that BOARD_SMALL leaves out
#   BOARD_WHOLE          words that leave compiling what is ours to the linking of a program, as a
#                        whole, where there are such
#   RUNNER               what runs its programs here, in front of their own words
CC    := gcc
CXX   := g++
AR    := ar
NM    := nm
STRIP := strip
BOARD_FLAGS :=
