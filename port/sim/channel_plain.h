// channel_plain.h - a channel that ciphers nothing and believes what it is told: its first line
// names the terminal. It exists in the simulator alone; no configuration can name it.
#pragma once

#include "channel/channel.h"

void sim_plain_open(Channel& channel);
