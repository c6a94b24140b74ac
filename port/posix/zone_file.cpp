#include "zone_file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "config.h"

namespace {

const char* zone_folder() {
    const char* folder = getenv("TZDIR");  // As the C library has it.
    return folder != nullptr && folder[0] != '\0' ? folder : "/usr/share/zoneinfo";
}

Status refuse_name(Writer& error, const char* name, const char* why) {
    put_u8(error, '"');
    put_printable(error, slice_of(name), 64);
    put_text(error, "\" is no time zone");
    put_text(error, why);
    return Status::invalid;
}

void take_zone(const char* text) {
    const int done = setenv("TZ", text, 1);
    CHECK(done == 0);
    tzset();
}

}  // namespace

Status zone_refuse_missing(const char* name, const char* place, const char* advice,
                           Writer& error) {
    put_text(error, "the time zone ");
    put_printable(error, slice_of(name), 64);
    put_text(error, " cannot be found, since this machine has no ");
    put_printable(error, slice_of(place), 128);
    put_text(error, "; install tzdata, or ");
    put_text(error, advice);
    return Status::invalid;
}

bool zone_is_file(const char* path) {
    char magic[4] = {};
    struct stat facts;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return false;
    const bool fine = fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) &&
                      read(fd, magic, sizeof magic) == sizeof magic &&
                      memcmp(magic, "TZif", sizeof magic) == 0;
    close(fd);
    return fine;
}

Status zone_set(const char* name, const char* advice, Writer& error) {
    char path[PATH_MAX];
    const char* folder = zone_folder();
    // Zones below right/ count leap seconds, which the journal's times do not.
    if (!config_is_zone(slice_of(name)) || strlen(name) > config_zone_size_max ||
        strncmp(name, "right/", 6) == 0) {
        return refuse_name(error, name, "; one is named as in Europe/Berlin or UTC");
    }
    if (strcmp(name, "UTC") == 0 || strcmp(name, "Etc/UTC") == 0) {
        take_zone("UTC0");
        return Status::ok;
    }
    if (access(folder, F_OK) != 0) return zone_refuse_missing(name, folder, advice, error);
    const int size = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (size < 0 || static_cast<size_t>(size) >= sizeof path || !zone_is_file(path)) {
        return refuse_name(error, name, " that this machine knows; one is named as in "
                                        "Europe/Berlin or UTC");
    }
    take_zone(name);
    return Status::ok;
}
