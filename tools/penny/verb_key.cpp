// verb_key.cpp - penny key: a person's own key, and whose key is whose.
//
//     key ──► key.pem there? no: make it ──► KEY SET ──► shown
//     key new ──► key-next.pem there? no: make it ──► KEY SET ──► key.pem becomes key-KID.pem,
//                                                                 key-next.pem becomes key.pem
//
// Either can be cut off anywhere and is taken up again by the next `key`.

#include "base/check.h"
#include "penny/mail.h"
#include "penny/messages.h"

namespace {

Outcome refuse_file(const KeyFolder& folder, const char* name, Status status) {
    (void)folder_refuse(folder, name, status);
    return Outcome::error_reply;
}

// Makes a private key where there is none.
Outcome make(const KeyFolder& folder, const char* name) {
    uint8_t bytes[jose_key_pem_size_max];
    Writer pem = writer_of(bytes, sizeof bytes);
    Status status = jose_key_make(pem);
    if (status != Status::ok) {
        say("no key was made: no random bytes, or no memory");
        return Outcome::error_reply;
    }
    status = folder_make(folder, name, writer_slice(pem));
    wipe(bytes, sizeof bytes);
    // Another penny may have been faster; then its key is the one.
    if (status == Status::ok || status == Status::exists) return Outcome::reply;
    return refuse_file(folder, name, status);
}

Outcome need(const KeyFolder& folder, const char* name, JoseKey& out) {
    OwnKey own = {};
    if (!folder_has(folder, name)) {
        const Outcome outcome = make(folder, name);
        if (outcome != Outcome::reply) return outcome;
    }
    const Status status = own_key_read(folder, name, own);
    if (status != Status::ok) return refuse_file(folder, name, status);
    out = own.key;
    wipe(&own, sizeof own);
    return Outcome::reply;
}

Outcome publish(Client& client, const JoseKey& key) {
    uint8_t bytes[jwk_size_max];
    Writer jwk = writer_of(bytes, sizeof bytes);
    put_jwk(jwk, key);
    CHECK(!jwk.overflow);
    const Slice words[] = {slice_of("KEY"), slice_of("SET"), writer_slice(jwk)};
    Reply reply = {};
    return client_ask(client, words, 3, reply);
}

void show(const Client& client, Slice name, const JoseKey& key) {
    const JoseKid kid = jose_kid_of(key);
    const Field fields[] = {{"person", name}, {"fingerprint", jose_kid_slice(kid)}};
    print_fields(client, fields, 2);
}

// The server has the public part of key-next.pem.
Outcome move_on(const KeyFolder& folder) {
    OwnKey before = {};
    Status status = own_key_read(folder, key_file, before);
    if (status == Status::ok) {
        char name[folder_name_size_max + 1];
        const JoseKid kid = jose_kid_of(before.key);
        wipe(&before, sizeof before);
        Writer text = writer_of(reinterpret_cast<uint8_t*>(name), folder_name_size_max);
        put_bytes(text, slice_of("key-"));
        put_bytes(text, jose_kid_slice(kid));
        put_bytes(text, slice_of(".pem"));
        CHECK(!text.overflow);
        name[text.size] = '\0';
        status = folder_link(folder, key_file, name);
        if (status == Status::exists) status = Status::ok;  // Cut off behind this step.
    }
    if (status == Status::absent) status = Status::ok;
    if (status == Status::ok) status = folder_rename(folder, key_file_next, key_file);
    return status == Status::ok ? Outcome::reply : refuse_file(folder, key_file, status);
}

Outcome run_new(Client& client, const KeyFolder& folder) {
    JoseKey key = {};
    Outcome outcome = need(folder, key_file_next, key);
    if (outcome == Outcome::reply) outcome = publish(client, key);
    if (outcome == Outcome::reply) outcome = move_on(folder);
    if (outcome == Outcome::reply) show(client, own_name(client), key);
    return outcome;
}

Outcome run_own(Client& client, const KeyFolder& folder) {
    if (folder_has(folder, key_file_next)) return run_new(client, folder);
    JoseKey key = {};
    Outcome outcome = need(folder, key_file, key);
    if (outcome == Outcome::reply) outcome = publish(client, key);
    if (outcome == Outcome::reply) show(client, own_name(client), key);
    return outcome;
}

Outcome show_own(Client& client, const KeyFolder& folder) {
    OwnKey own = {};
    const Outcome outcome = own_key_need(folder, own);
    if (outcome != Outcome::reply) return outcome;
    wipe(own.pem, sizeof own.pem);
    show(client, own_name(client), own.key);
    return outcome;
}

// What this person has taken for somebody's key; the server is not asked.
Outcome show_pinned(Client& client, const KeyFolder& folder, Slice name) {
    JoseKey key = {};
    const Outcome outcome = pins_need(folder);
    if (outcome != Outcome::reply) return outcome;
    if (pins_find(name, 0, key) != Status::ok) {
        say("no key of that name was seen yet");
        return Outcome::error_reply;
    }
    show(client, name, key);
    return Outcome::reply;
}

Outcome accept(Client& client, const KeyFolder& folder, Slice name, Slice print) {
    JoseKid wanted = {};
    if (!message_party_is_valid(name) || jose_kid_parse(print, wanted) != Status::ok) {
        say("a name and a fingerprint of %u digits are wanted", jose_kid_size);
        return Outcome::misused;
    }
    JoseKey key = {};
    Outcome outcome = pins_need(folder);
    if (outcome == Outcome::reply) outcome = key_ask(client, name, key);
    if (outcome != Outcome::reply) return outcome;
    const JoseKid given = jose_kid_of(key);
    if (!slice_equal(jose_kid_slice(given), jose_kid_slice(wanted))) {
        say("refused: the server's key of that name has another fingerprint: %.*s",
            static_cast<int>(jose_kid_size), reinterpret_cast<const char*>(given.text));
        return Outcome::error_reply;
    }
    JoseKey pinned = {};
    const bool known = pins_find(name, 0, pinned) == Status::ok && jose_key_equal(pinned, key);
    const Status status = known ? Status::ok : pins_add(folder, name, key);
    if (status != Status::ok) return refuse_file(folder, "pins", status);
    show(client, name, key);
    return Outcome::reply;
}

}  // namespace

Outcome verb_key(Client& client, const KeyFolder& folder, const Slice* words, uint32_t count) {
    if (count == 1) return run_own(client, folder);
    if (count == 2 && slice_equal_text(words[1], "show")) return show_own(client, folder);
    if (count == 3 && slice_equal_text(words[1], "show")) {
        return show_pinned(client, folder, words[2]);
    }
    if (count == 2 && slice_equal_text(words[1], "new")) return run_new(client, folder);
    if (count == 4 && slice_equal_text(words[1], "accept")) {
        return accept(client, folder, words[2], words[3]);
    }
    return Outcome::misused;
}
