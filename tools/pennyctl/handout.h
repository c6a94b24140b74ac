// handout.h - the folder that one person of a class is given, and what is in it.
//
//     client.conf    how penny finds the bank, and by what it comes
//     NAME.crt       the certificate, with the one that signed it behind it where that is issuing
//     NAME.key       its key
//     ca.crt         whose signature the server's certificate must carry
//     password       the first password, one line; it must be changed at the first login
//     README         what to do with all of it
//
// The folder is mode 0700, the files are 0600. A file has its name when it is whole (files.h, F1),
// and none is ever replaced: a handout that was begun is gone on with. The key is written before
// the certificate, which is made for it.
#pragma once

#include "pennyctl/authority.h"
#include "pennyctl/people_list.h"
#include "pennyctl/prompt.h"

// What all handouts of one class have in common.
struct HandoutBank {
    Authority* authority;
    bool by_issuing;
    const char* host;  // where its owner finds the server
    uint32_t port;
    uint32_t days;     // of a certificate; 0 for as many as clients get
};

// Makes what is missing of the folder NAME in `folder`. Returns exit_done with the password, or
// exit_refused with the reason printed.
ExitCode handout_make(const HandoutBank& bank, const char* folder, const PersonRow& person,
                      Password& password);

// The password of a handout that was begun; size 0 where there is none yet.
ExitCode handout_password(const char* folder, const Name& name, Password& out);
