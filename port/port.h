// port.h - all that the server may ask of the world while it runs.
//
// src/ is sans-I/O: it is told bytes, time and completions, and answers with bytes, a deadline and
// wishes (see server.h). What is left are three calls that are instant and cannot re-enter the
// server. Every port (posix, sim, fuzz, tests) defines them; nothing else is linked from outside.
//
//   W1. None of them allocates, blocks on a peer, or calls back into src/.
//   W2. port_random is the only source of randomness of the whole process (P11).
//   W3. All three may be called from any thread.
#pragma once

#include <stdint.h>

inline constexpr uint32_t port_log_size_max = 1536;  // bytes of a line's text; the rest is cut

enum class LogLevel : uint8_t { info, warning, error };

// Ends the process after saying where one of our own mistakes was noticed. Used by CHECK only.
[[noreturn]] void port_panic(const char* file, uint32_t line, const char* condition);

// Writes one line for the operator. `text` holds no line end and no control bytes; it is not kept.
void port_log(LogLevel level, const char* text, uint32_t size);

// Fills `size` bytes from the kernel's generator (getrandom(2)). Returns false, with the bytes
// undefined, when it cannot: then no key, salt, nonce, serial or handshake may be made.
[[nodiscard]] bool port_random(uint8_t* out, uint32_t size);
