// verb_mail.cpp - penny send, inbox and read.
//
//     send ──► KEY name, pinned? ──► seal ──► send-ID kept ──► SEND ──► answered: send-ID removed
//
// An envelope is different each time it is sealed, and the server takes an id for one content. So
// it is kept until there is an answer; the same id sends the same bytes again.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/json.h"
#include "base/text.h"
#include "penny/ids.h"
#include "penny/mail.h"
#include "penny/messages.h"
#include "posix/system.h"

namespace {

constexpr uint32_t kept_size_max = 2 * hash_size + 1 + message_sealed_size_max;

MessageScratch scratch;

int size_of(Slice text) { return static_cast<int>(text.size); }
const char* chars_of(Slice text) { return reinterpret_cast<const char*>(text.data); }

Outcome refuse_file(const KeyFolder& folder, const char* name, Status status) {
    (void)folder_refuse(folder, name, status);
    return Outcome::error_reply;
}

// A path as the system wants it.
struct Path {
    char text[folder_path_size_max + 1];
};

bool path_of(Slice word, Path& out) {
    const bool fits = word.size > 0 && word.size <= folder_path_size_max &&
                      memchr(word.data, '\0', word.size) == nullptr;
    if (!fits) {
        say("this is no name of a file");
        return false;
    }
    memcpy(out.text, word.data, word.size);
    out.text[word.size] = '\0';
    return true;
}

// --- send ---

struct SendRequest {
    Slice to;
    Slice id;          // the words', or the fresh one
    FreshId fresh;
    Slice content;
    MessageKind kind;
    uint8_t file[message_payload_size_max];
};

bool read_content_file(Slice word, SendRequest& out) {
    Path path;
    if (!path_of(word, path)) return false;
    uint32_t size = 0;
    const Status status = system_read_file(path.text, out.file, sizeof out.file, size);
    if (status == Status::full) {
        say("%s: a message holds a file of %u bytes at most", path.text, message_file_size_max);
        return false;
    }
    if (status != Status::ok) {
        say("%s: %s", path.text, strerror(errno));
        return false;
    }
    out.content = {out.file, size};
    out.kind = MessageKind::bytes;
    return true;
}

// NAME TEXT, or NAME --file FILE; and --id ID behind either.
Outcome read_request(const Slice* words, uint32_t count, SendRequest& out) {
    out.to = words[1];
    uint32_t at = 3;
    const bool is_file = slice_equal_text(words[2], "--file");
    if (is_file && count == 3) return Outcome::misused;
    if (is_file) at = 4;
    if (count > at + 2 || count == at + 1) return Outcome::misused;
    if (count == at + 2) {
        if (!slice_equal_text(words[at], "--id")) return Outcome::misused;
        out.id = words[at + 1];
        if (!message_id_is_valid(out.id)) {
            say("an id is 1 to %u of letters, digits and ._:-", id_size_max);
            return Outcome::misused;
        }
    }
    if (!message_party_is_valid(out.to)) {
        say("'%.*s' is no name", size_of(slice_part(out.to, 0, 40)), chars_of(out.to));
        return Outcome::misused;
    }
    if (is_file) return read_content_file(words[3], out) ? Outcome::reply : Outcome::error_reply;
    out.content = words[2];
    out.kind = MessageKind::text;
    if (json_is_utf8(out.content)) return Outcome::reply;
    say("the text is not UTF-8; --file sends any bytes");
    return Outcome::error_reply;
}

// The id is shown before anything is sent under it (N2).
Outcome choose_id(const Client& client, SendRequest& request) {
    if (request.id.size == 0) {
        if (ids_make(request.fresh) != Status::ok) {
            say("the kernel gives no random bytes, so there is no id");
            return Outcome::error_reply;
        }
        request.id = {request.fresh.text, sizeof request.fresh.text};
    }
    if (!client.hides_ids) {
        fprintf(stderr, "id %.*s\n", size_of(request.id), chars_of(request.id));
    }
    return Outcome::reply;
}

struct KeptName {
    char text[folder_name_size_max + 1];
};

KeptName kept_name(Slice id) {
    KeptName name = {};
    Writer text = writer_of(reinterpret_cast<uint8_t*>(name.text), folder_name_size_max);
    put_text(text, "send-");
    put_bytes(text, id);
    CHECK(!text.overflow);
    return name;
}

// What tells one message from another under the same id.
Hash content_hash(const SendRequest& request) {
    Hasher hasher;
    hasher_init(hasher);
    hasher_feed(hasher, request.to);
    hasher_feed(hasher, slice_of(request.kind == MessageKind::text ? " text " : " bytes "));
    hasher_feed(hasher, request.content);
    return hasher_finish(hasher);
}

// An envelope that waits under this id. Returns absent, ok, or exists for another message.
Status find_kept(const KeyFolder& folder, const SendRequest& request, Writer& out, Slice& sealed) {
    Status status = folder_read(folder, kept_name(request.id).text, out);
    if (status != Status::ok) return status;
    Reader rest = reader_of(writer_slice(out));
    Slice line;
    Hash hash = {};
    if (cut_word(rest, '\n', line) != Status::ok) return Status::invalid;
    if (parse_hex(line, hash.bytes, hash_size) != Status::ok) return Status::invalid;
    sealed = reader_rest(rest);
    return hash_equal(hash, content_hash(request)) ? Status::ok : Status::exists;
}

Outcome seal(const Client& client, const KeyFolder& folder, const SendRequest& request,
             const JoseKey& recipient, Writer& kept, Slice& sealed) {
    OwnKey own = {};
    const Outcome outcome = own_key_need(folder, own);
    if (outcome != Outcome::reply) return outcome;
    Message message = {};
    message.from = own_name(client);
    message.to = request.to;
    message.id = request.id;
    message.time_ms = system_wall_us() / 1000;
    message.kind = request.kind;
    message.content = request.content;
    put_hex(kept, hash_slice(content_hash(request)));
    put_text(kept, "\n");
    const uint32_t start = kept.size;
    Status status = message_seal({own.pem, own.pem_size}, recipient, message, scratch, kept);
    wipe(&own, sizeof own);
    wipe(&scratch, sizeof scratch);
    if (status == Status::full) {
        say("the message is too long: a file may have %u bytes, and a text about as many",
            message_file_size_max);
        return Outcome::error_reply;
    }
    if (status != Status::ok) {
        say("the message could not be sealed: no random bytes, or no memory");
        return Outcome::error_reply;
    }
    sealed = {kept.data + start, kept.size - start};
    status = folder_make(folder, kept_name(request.id).text, writer_slice(kept));
    return status == Status::ok ? Outcome::reply
                                : refuse_file(folder, kept_name(request.id).text, status);
}

// Finds the envelope that waits under the id, or makes it.
Outcome prepare(Client& client, const KeyFolder& folder, const SendRequest& request, Writer& kept,
                Slice& sealed) {
    const Status status = find_kept(folder, request, kept, sealed);
    if (status == Status::ok) return Outcome::reply;
    if (status == Status::exists) {
        say("another message waits for its answer under the id %.*s", size_of(request.id),
            chars_of(request.id));
        return Outcome::error_reply;
    }
    if (status != Status::absent) {
        return refuse_file(folder, kept_name(request.id).text, status);
    }
    JoseKey key = {};
    Outcome outcome = pins_need(folder);
    if (outcome == Outcome::reply) outcome = key_ask(client, request.to, key);
    if (outcome == Outcome::reply) outcome = key_trust(folder, request.to, key);
    if (outcome != Outcome::reply) return outcome;
    return seal(client, folder, request, key, kept, sealed);
}

// Prints a message that was opened and judged.
void print_message(const Client& client, const Message& message, const JoseKey& signer,
                   Slice number, Slice saved) {
    const JoseKid kid = jose_kid_of(signer);
    JoseKey newest = {};
    const bool earlier = pins_find(message.from, 0, newest) == Status::ok &&
                         !jose_key_equal(newest, signer);
    uint8_t time_bytes[24];
    Writer time = writer_of(time_bytes, sizeof time_bytes);
    put_utc(time, message.time_ms);
    uint8_t size_bytes[24];
    Writer size = writer_of(size_bytes, sizeof size_bytes);
    put_decimal(size, message.content.size);
    Field fields[8];
    uint32_t count = 0;
    if (number.size > 0 && !client.hides_ids) fields[count++] = {"message", number};
    fields[count++] = {"from", message.from};
    if (!client.hides_ids) fields[count++] = {"id", message.id};
    fields[count++] = {"time", writer_slice(time)};
    fields[count++] = {earlier ? "signed by an earlier key" : "signed by key", jose_kid_slice(kid)};
    if (saved.size > 0) {
        fields[count++] = {"bytes", writer_slice(size)};
        fields[count++] = {"saved as", saved};
    } else if (message.kind == MessageKind::bytes) {
        fields[count++] = {"file of bytes", writer_slice(size)};
    } else {
        fields[count++] = {"text", message.content};
    }
    print_fields(client, fields, count);
}

// The server's own answer comes in the reply, sealed to the sender.
Outcome take_answer(Client& client, const KeyFolder& folder, const SendRequest& request,
                    const Reply& reply) {
    Slice envelope;
    if (!reply_text(reply, "envelope", envelope)) return Outcome::error_reply;
    uint8_t sealed[message_sealed_size_max];
    if (envelope.size > sizeof sealed) {
        say("refused: the server's answer is no envelope");
        return Outcome::error_reply;
    }
    memcpy(sealed, envelope.data, envelope.size);
    const Message asked = {.from = request.to, .to = own_name(client), .id = request.id};
    Message message = {};
    JoseKey signer = {};
    Outcome outcome = pins_need(folder);
    if (outcome == Outcome::reply) {
        outcome = message_take(client, folder, asked, {sealed, envelope.size}, scratch, message,
                               signer);
    }
    if (outcome == Outcome::reply) print_message(client, message, signer, {}, {});
    wipe(&scratch, sizeof scratch);
    return outcome;
}

Outcome send_sealed(Client& client, const KeyFolder& folder, const SendRequest& request,
                    Slice sealed) {
    const Slice words[] = {slice_of("SEND"), request.id, request.to, sealed};
    Reply reply = {};
    Outcome outcome = client_ask(client, words, 4, reply);
    if (outcome == Outcome::none) {
        say("the envelope is kept: the same words and --id %.*s send it again", size_of(request.id),
            chars_of(request.id));
        return outcome;
    }
    if (outcome != Outcome::misused) {
        const Status status = folder_remove(folder, kept_name(request.id).text);
        if (status != Status::ok) return refuse_file(folder, kept_name(request.id).text, status);
    }
    if (outcome != Outcome::reply) return outcome;
    if (slice_equal_text(request.to, "@server")) return take_answer(client, folder, request, reply);
    if (!client.hides_ids) print_reply(stdout, reply.values, reply.count, client.style);
    return outcome;
}

// --- read ---

// What READ answered, copied out of the reply.
struct ReadAnswer {
    uint64_t number;
    uint8_t from[message_party_size_max];
    uint8_t id[id_size_max];
    uint8_t sealed[message_sealed_size_max];
    uint32_t from_size;
    uint32_t id_size;
    uint32_t sealed_size;
};

bool copy_text(const Reply& reply, const char* name, uint8_t* out, uint32_t capacity,
               uint32_t& size) {
    Slice text;
    if (!reply_text(reply, name, text)) return false;
    if (text.size > capacity) {
        say("the server's answer has a %s of %u bytes, and %u are the most", name, text.size,
            capacity);
        return false;
    }
    memcpy(out, text.data, text.size);
    size = text.size;
    return true;
}

Outcome ask_message(Client& client, Slice number, ReadAnswer& out) {
    if (parse_decimal(number, out.number) != Status::ok) {
        say("a message has a number; penny inbox lists them");
        return Outcome::misused;
    }
    const Slice words[] = {slice_of("READ"), number};
    Reply reply = {};
    const Outcome outcome = client_ask(client, words, 2, reply);
    if (outcome != Outcome::reply) return outcome;
    const bool fine = copy_text(reply, "from", out.from, sizeof out.from, out.from_size) &&
                      copy_text(reply, "id", out.id, sizeof out.id, out.id_size) &&
                      copy_text(reply, "envelope", out.sealed, sizeof out.sealed, out.sealed_size);
    if (!fine) return Outcome::error_reply;
    if (message_party_is_valid({out.from, out.from_size}) &&
        message_id_is_valid({out.id, out.id_size})) {
        return Outcome::reply;
    }
    say("the server's answer names no sender or no id");
    return Outcome::error_reply;
}

// F3.
Outcome note(const KeyFolder& folder, const ReadAnswer& answer) {
    uint64_t first = 0;
    const Slice from = {answer.from, answer.from_size};
    const Status status = seen_note(folder, from, {answer.id, answer.id_size}, answer.number,
                                    hash_of({answer.sealed, answer.sealed_size}), first);
    if (status == Status::ok) return Outcome::reply;
    if (status != Status::exists) return refuse_file(folder, "seen", status);
    say("refused: %.*s sent id %.*s once, and it came before, as message %llu; this is it again",
        size_of(from), chars_of(from), static_cast<int>(answer.id_size),
        reinterpret_cast<const char*>(answer.id), static_cast<unsigned long long>(first));
    return Outcome::error_reply;
}

// Nothing is overwritten.
Outcome save(const Path& path, Slice content) {
    const int fd = open(path.text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    uint32_t done = 0;
    while (fd >= 0 && done < content.size) {
        const ssize_t got = write(fd, content.data + done, content.size - done);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        done += static_cast<uint32_t>(got);
    }
    const bool whole = fd >= 0 && done == content.size;
    const int reason = errno;
    const bool closed = fd >= 0 && close(fd) == 0;
    if (whole && closed) return Outcome::reply;
    say("%s: %s", path.text, strerror(whole ? errno : reason));
    return Outcome::error_reply;
}

Outcome read_message(Client& client, const KeyFolder& folder, Slice number, const Path* path) {
    static ReadAnswer answer;
    Outcome outcome = pins_need(folder);
    if (outcome == Outcome::reply) outcome = ask_message(client, number, answer);
    if (outcome != Outcome::reply) return outcome;
    const Message asked = {.from = {answer.from, answer.from_size},
                           .to = own_name(client),
                           .id = {answer.id, answer.id_size}};
    Message message = {};
    JoseKey signer = {};
    outcome = message_take(client, folder, asked, {answer.sealed, answer.sealed_size}, scratch,
                           message, signer);
    if (outcome == Outcome::reply) outcome = note(folder, answer);
    if (outcome == Outcome::reply && path != nullptr) outcome = save(*path, message.content);
    if (outcome != Outcome::reply) return outcome;
    print_message(client, message, signer, number,
                  path == nullptr ? Slice{nullptr, 0} : slice_of(path->text));
    return outcome;
}

}  // namespace

Outcome verb_send(Client& client, const KeyFolder& folder, const Slice* words, uint32_t count) {
    static SendRequest request;
    static uint8_t bytes[kept_size_max + 1];
    request = {};
    Outcome outcome = read_request(words, count, request);
    if (outcome == Outcome::reply) outcome = choose_id(client, request);
    Writer kept = writer_of(bytes, sizeof bytes);
    Slice sealed;
    if (outcome == Outcome::reply) outcome = prepare(client, folder, request, kept, sealed);
    if (outcome == Outcome::reply) outcome = send_sealed(client, folder, request, sealed);
    wipe(&request, sizeof request);
    return outcome;
}

Outcome verb_inbox(Client& client, const KeyFolder&, const Slice*, uint32_t) {
    const Slice words[] = {slice_of("INBOX")};
    return client_run(client, words, 1);
}

Outcome verb_read(Client& client, const KeyFolder& folder, const Slice* words, uint32_t count) {
    Path path = {};
    const bool saves = count == 4;
    if (count != 2 && !(saves && slice_equal_text(words[2], "--file"))) return Outcome::misused;
    if (saves && !path_of(words[3], path)) return Outcome::misused;
    const Outcome outcome = read_message(client, folder, words[1], saves ? &path : nullptr);
    wipe(&scratch, sizeof scratch);
    return outcome;
}
