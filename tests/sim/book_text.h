// book_text.h - the whole book of the simulated server as lines of text, to say in what two books
// differ. The server must be at rest.
#pragma once

#include <string>
#include <vector>

struct Server;

// One line per row, each with the name of its table in front; empty while a snapshot is being made.
std::vector<std::string> book_text(Server& server);

// The first line in which they differ, as a sentence.
std::string book_difference(const std::vector<std::string>& before,
                            const std::vector<std::string>& after);
