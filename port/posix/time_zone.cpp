#include "time_zone.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"

namespace {

constexpr char local_link[] = "/etc/localtime";

// Where a zone is chosen, and what is said when it cannot be.
struct Choice {
    const char* option;
    Zone& zone;
    Writer& error;
};

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

Status refuse_missing(const Choice& choice, const char* name, const char* folder) {
    put_text(choice.error, "the time zone ");
    put_printable(choice.error, slice_of(name), 64);
    put_text(choice.error, " cannot be found, since this machine has no ");
    put_printable(choice.error, slice_of(folder), 128);
    put_text(choice.error, "; install tzdata, or take ");
    put_text(choice.error, choice.option);
    put_text(choice.error, "UTC");
    return Status::invalid;
}

// Whether the file is one of a zone (RFC 8536).
bool is_zone_file(const char* path) {
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

bool is_zone_of(const char* folder, const char* name) {
    uint8_t path[PATH_MAX] = {};
    Writer writer = writer_of(path, sizeof path - 1);
    put_text(writer, folder);
    put_u8(writer, '/');
    put_text(writer, name);
    return !writer.overflow && is_zone_file(reinterpret_cast<const char*>(path));
}

bool is_utc(const char* name) { return strcmp(name, "UTC") == 0 || strcmp(name, "Etc/UTC") == 0; }

void set_name(Zone& zone, const char* name) {
    const Slice text = slice_part(slice_of(name), 0, sizeof zone.name - 1);
    zone = {};
    memcpy(zone.name, text.data, text.size);
}

void take_zone(const char* text) {
    const int done = setenv("TZ", text, 1);
    CHECK(done == 0);
    tzset();
}

// T1.
Status choose_named(const Choice& choice, const char* name) {
    const char* folder = zone_folder();
    // Zones below right/ count leap seconds, which the journal's times do not.
    if (!config_is_zone(slice_of(name)) || strlen(name) > config_zone_size_max ||
        strncmp(name, "right/", 6) == 0) {
        return refuse_name(choice.error, name, "; one is named as in Europe/Berlin or UTC");
    }
    set_name(choice.zone, name);
    if (is_utc(name)) {
        take_zone("UTC0");
        return Status::ok;
    }
    if (access(folder, F_OK) != 0) return refuse_missing(choice, name, folder);
    if (!is_zone_of(folder, name)) {
        return refuse_name(choice.error, name, " that this machine knows; one is named as in "
                                               "Europe/Berlin or UTC");
    }
    take_zone(name);
    return Status::ok;
}

// What the link /etc/localtime says behind ".../zoneinfo/"; "" when that is no name.
void read_link_name(char name[config_zone_size_max + 1]) {
    char target[PATH_MAX];
    const ssize_t size = readlink(local_link, target, sizeof target - 1);
    name[0] = '\0';
    if (size <= 0) return;
    target[size] = '\0';
    const char* at = strstr(target, "/zoneinfo/");
    if (at == nullptr || !config_is_zone(slice_of(at + 10))) return;
    const size_t length = strlen(at + 10);
    if (length <= config_zone_size_max) memcpy(name, at + 10, length + 1);
}

// Without a TZ the C library goes by /etc/localtime.
Status choose_local(const Choice& choice) {
    char name[config_zone_size_max + 1];
    read_link_name(name);
    struct stat facts;
    if (is_utc(name) || lstat(local_link, &facts) != 0) return choose_named(choice, "UTC");
    const bool named = name[0] != '\0';
    if (!is_zone_file(local_link)) {
        return refuse_missing(choice, named ? name : local_link, local_link);
    }
    set_name(choice.zone, named ? name : "local time");
    tzset();
    return Status::ok;
}

Status choose_system(const Choice& choice) {
    const char* name = getenv("TZ");
    if (name == nullptr) return choose_local(choice);
    if (name[0] == ':') name++;
    if (strcmp(name, local_link) == 0) {
        unsetenv("TZ");
        return choose_local(choice);
    }
    if (name[0] == '\0') return choose_named(choice, "UTC");
    const Status status = choose_named(choice, name);
    if (status == Status::ok) return status;
    put_text(choice.error, " (TZ says so; ");
    put_text(choice.error, choice.option);
    put_text(choice.error, "NAME overrides it)");
    return status;
}

}  // namespace

Status zone_choose(const char* name, const char* option, Zone& zone, Writer& error) {
    const Choice choice = {option, zone, error};
    zone = {};
    return name[0] == '\0' ? choose_system(choice) : choose_named(choice, name);
}
