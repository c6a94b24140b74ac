#include "penny/mail.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"

namespace {

constexpr uint32_t fields_max = 16;

int size_of(Slice text) { return static_cast<int>(text.size); }
const char* chars_of(Slice text) { return reinterpret_cast<const char*>(text.data); }

// Names come from the server, so nothing of them reaches the terminal unseen.
struct Shown {
    uint8_t bytes[160];
    int size;
};

Shown shown(Slice text) {
    Shown out = {};
    Writer writer = writer_of(out.bytes, sizeof out.bytes);
    put_printable(writer, text, 36);
    out.size = static_cast<int>(writer.size);
    return out;
}

Outcome refuse_file(const KeyFolder& folder, const char* name, Status status) {
    (void)folder_refuse(folder, name, status);
    return Outcome::error_reply;
}

// --- Opening ---

struct Opening {
    const KeyFolder* folder;
    Slice sealed;
    MessageScratch* scratch;
    JoseHeader header;
    Slice inner;
    bool has_key;    // a key that the envelope may be sealed to is here
    Status status;
    char refused[folder_name_size_max + 1];  // a file that could not be read
};

// Tries one private key. Returns false when no other one has to be tried.
bool try_key(void* context, const char* name) {
    Opening& opening = *static_cast<Opening*>(context);
    const size_t size = strlen(name);
    if (size < 4 || strcmp(name + size - 4, ".pem") != 0) return true;
    OwnKey own = {};
    const Status read = own_key_read(*opening.folder, name, own);
    if (read != Status::ok) {
        if (opening.refused[0] == '\0') {
            snprintf(opening.refused, sizeof opening.refused, "%s", name);
            opening.status = read;
        }
        return true;
    }
    const JoseKid kid = jose_kid_of(own.key);
    const bool fits = !opening.header.has_kid ||
                      slice_equal(jose_kid_slice(kid), jose_kid_slice(opening.header.kid));
    Status status = Status::damaged;
    if (fits) {
        opening.has_key = true;
        status = message_open({own.pem, own.pem_size}, opening.sealed, *opening.scratch,
                              opening.inner);
    }
    wipe(&own, sizeof own);
    if (status == Status::damaged) return true;
    opening.status = status;
    opening.refused[0] = '\0';
    return false;
}

Outcome open_sealed(const KeyFolder& folder, Slice sealed, MessageScratch& scratch, Slice& inner) {
    Jwe jwe = {};
    if (sealed.size > message_sealed_size_max || jwe_split(sealed, jwe) != Status::ok ||
        !jwe.header.is_nested) {
        say("refused: this is no envelope of a signed message");
        return Outcome::error_reply;
    }
    Opening opening = {};
    opening.folder = &folder;
    opening.sealed = sealed;
    opening.scratch = &scratch;
    opening.header = jwe.header;
    opening.status = Status::damaged;
    const Status status = folder_each(folder, "key", try_key, &opening);
    if (status != Status::ok) return refuse_file(folder, "", status);
    if (opening.status == Status::ok) {
        inner = opening.inner;
        return Outcome::reply;
    }
    if (opening.refused[0] != '\0') return refuse_file(folder, opening.refused, opening.status);
    if (opening.status == Status::failed) {
        say("the message could not be opened: no random bytes, or no memory");
    } else if (opening.status == Status::invalid) {
        say("refused: this is no envelope of a signed message");
    } else if (jwe.header.has_kid && !opening.has_key) {
        say("refused: it is sealed to the key %.*s, which is not in %s",
            size_of(jose_kid_slice(jwe.header.kid)), chars_of(jose_kid_slice(jwe.header.kid)),
            folder.path);
    } else {
        say("refused: it was changed on the way, or it is sealed to a key that is not in %s",
            folder.path);
    }
    return Outcome::error_reply;
}

// --- Judging ---

// Finds the sender's key that signed it, the newest first. Returns damaged when none did.
Status verify_by_pins(const Message& asked, Slice inner, MessageScratch& scratch, Message& out,
                      JoseKey& signer, uint32_t& out_count) {
    JoseKey key = {};
    out_count = 0;
    while (pins_find(asked.from, out_count, key) == Status::ok) {
        out_count++;
        const Status status = message_verify(key, asked, inner, scratch, out);
        if (status == Status::damaged) continue;
        if (status == Status::ok) signer = key;
        return status;
    }
    return Status::damaged;
}

Outcome refuse_message(Slice from, Status status) {
    const Shown name = shown(from);
    if (status == Status::state) {
        say("refused: what %.*s signed is another message: for somebody else, or sent again under "
            "another id",
            name.size, name.bytes);
    } else if (status == Status::invalid) {
        say("refused: what %.*s signed is no message", name.size, name.bytes);
    } else if (status == Status::failed) {
        say("the signature could not be judged: no memory");
    } else {
        say("refused: it is not signed by %.*s", name.size, name.bytes);
    }
    return Outcome::error_reply;
}

// No pinned key signed it: asks for the sender's present one. It is only taken when it is the first
// and did sign.
Outcome verify_by_server(Client& client, const KeyFolder& folder, const Message& asked, Slice inner,
                         bool has_pin, MessageScratch& scratch, Message& out, JoseKey& signer) {
    JoseKey key = {};
    const Outcome outcome = key_ask(client, asked.from, key);
    if (outcome != Outcome::reply) return outcome;
    const Status status = message_verify(key, asked, inner, scratch, out);
    if (status != Status::ok) return refuse_message(asked.from, status);
    JoseKey pinned = {};
    if (has_pin && pins_find(asked.from, 0, pinned) == Status::ok) {
        key_say_changed(asked.from, pinned, key);
        return Outcome::error_reply;
    }
    signer = key;
    return key_trust(folder, asked.from, key);
}

}  // namespace

Status own_key_read(const KeyFolder& folder, const char* name, OwnKey& out) {
    Writer pem = writer_of(out.pem, sizeof out.pem);
    Status status = folder_read_secret(folder, name, pem);
    if (status != Status::ok) return status;
    out.pem_size = pem.size;
    status = jose_key_read(writer_slice(pem), out.key);
    if (status != Status::ok) wipe(&out, sizeof out);
    return status;
}

Outcome own_key_need(const KeyFolder& folder, OwnKey& out) {
    const Status status = own_key_read(folder, key_file, out);
    if (status == Status::ok) return Outcome::reply;
    if (status != Status::absent) return refuse_file(folder, key_file, status);
    say("there is no key in %s yet: penny key makes one", folder.path);
    return Outcome::error_reply;
}

Slice own_name(const Client& client) { return {client.login.user, client.login.user_size}; }

Outcome key_ask(Client& client, Slice name, JoseKey& out) {
    const Slice words[] = {slice_of("KEY"), name};
    Reply reply = {};
    const Outcome outcome = client_ask(client, words, 2, reply);
    if (outcome != Outcome::reply) return outcome;
    const Shown who = shown(name);
    const Value* jwk = reply_find(reply, "jwk");
    if (jwk != nullptr && jwk->type == ValueType::null) {
        say("%.*s has no key yet: penny key makes one for whoever logs in", who.size, who.bytes);
        return Outcome::error_reply;
    }
    Slice text;
    const char* reason = "";
    if (!reply_text(reply, "jwk", text)) return Outcome::error_reply;
    if (jwk_parse(text, out, reason) == Status::ok) return Outcome::reply;
    say("the server's key of %.*s is refused: %s", who.size, who.bytes, reason);
    return Outcome::error_reply;
}

Outcome pins_need(const KeyFolder& folder) {
    const Status status = pins_load(folder);
    return status == Status::ok ? Outcome::reply : refuse_file(folder, "pins", status);
}

Outcome key_trust(const KeyFolder& folder, Slice name, const JoseKey& key) {
    JoseKey pinned = {};
    const bool known = pins_find(name, 0, pinned) == Status::ok;
    if (known && jose_key_equal(pinned, key)) return Outcome::reply;
    if (known) {
        key_say_changed(name, pinned, key);
        return Outcome::error_reply;
    }
    const Status status = pins_add(folder, name, key);
    if (status != Status::ok) return refuse_file(folder, "pins", status);
    const JoseKid kid = jose_kid_of(key);
    const Shown who = shown(name);
    say("the key of %.*s is seen for the first time; have its fingerprint confirmed: %.*s",
        who.size, who.bytes, size_of(jose_kid_slice(kid)), chars_of(jose_kid_slice(kid)));
    return Outcome::reply;
}

void key_say_changed(Slice name, const JoseKey& pinned, const JoseKey& given) {
    const JoseKid before = jose_kid_of(pinned);
    const JoseKid now = jose_kid_of(given);
    const Shown who = shown(name);
    const Slice now_text = jose_kid_slice(now);
    say("refused: the key of %.*s has changed from %.*s to %.*s; if they confirm the new one: "
        "penny key accept %.*s %.*s",
        who.size, who.bytes, size_of(jose_kid_slice(before)), chars_of(jose_kid_slice(before)),
        size_of(now_text), chars_of(now_text), who.size, who.bytes, size_of(now_text),
        chars_of(now_text));
}

Outcome message_take(Client& client, const KeyFolder& folder, const Message& asked, Slice sealed,
                     MessageScratch& scratch, Message& out, JoseKey& signer) {
    Slice inner;
    Outcome outcome = open_sealed(folder, sealed, scratch, inner);
    if (outcome != Outcome::reply) return outcome;
    Jws jws = {};
    if (jws_split(inner, jws) != Status::ok) return refuse_message(asked.from, Status::invalid);
    uint32_t pins = 0;
    const Status status = verify_by_pins(asked, inner, scratch, out, signer, pins);
    if (status == Status::ok) return Outcome::reply;
    if (status != Status::damaged) return refuse_message(asked.from, status);
    return verify_by_server(client, folder, asked, inner, pins > 0, scratch, out, signer);
}

void print_fields(const Client& client, const Field* fields, uint32_t count) {
    Value values[2 * fields_max + 1] = {};
    CHECK(count <= fields_max);
    values[0] = {.type = ValueType::map, .count = 2 * count};
    for (uint32_t i = 0; i < count; i++) {
        const Slice name = slice_of(fields[i].name);
        values[2 * i + 1] = {.type = ValueType::bulk, .depth = 1, .text = name};
        values[2 * i + 2] = {.type = ValueType::bulk, .depth = 1, .text = fields[i].text};
    }
    print_reply(stdout, values, 2 * count + 1, client.style);
}
