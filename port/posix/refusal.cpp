#include "refusal.h"

#include <unistd.h>

#include "base/text.h"
#include "config.h"
#include "system.h"

Writer message_writer() {
    static uint8_t text[config_error_size_max];
    return writer_of(text, sizeof text - 1);
}

int refuse(int code, Writer& message) {
    system_print_text(STDERR_FILENO, "pennyd: ");
    system_print(STDERR_FILENO, writer_slice(message));
    system_print_text(STDERR_FILENO, "\n");
    return code;
}

int refuse_text(int code, const char* text) {
    Writer message = message_writer();
    put_text(message, text);
    return refuse(code, message);
}
