/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether an answer has arrived when a client looks for it is chance, and a client that looks in
 * vain does more than one that does not: it asks the kernel to wait, and looks again. With --det,
 * what a server owes is waited for before the client looks, as if it answered at once, which is
 * also how a recorded server does. A server owes something from when the client has sent until it
 * has received; one that does not pay in time owes nothing any more. */
#include "tool_int.h"

#include "pub_tool_vki.h"
#include "pub_tool_vkiscnums.h"

enum { FILES = 1024, PATIENCE_MS = 100 };

#define IS_READABLE 1 /* POLLIN */

struct waited_for {
    Int file;
    Short events, happened;
};

static Bool is_server[FILES], is_owed[FILES];

void answers_connected(UWord file)
{
    if (file >= FILES)
        return;
    is_server[file] = True;
    is_owed[file] = False;
}

void answers_before(UInt number, const UWord *arguments)
{
    const UWord file = arguments[0];

    if (!call_receives(number) || file >= FILES || !is_owed[file])
        return;
    struct waited_for wait = {.file = (Int)file, .events = IS_READABLE};

    (void)ask_kernel(__NR_poll, (UWord)&wait, 1, PATIENCE_MS);
}

void answers_after(UInt number, const UWord *arguments, SysRes result)
{
    const UWord file = arguments[0];

    if (file >= FILES)
        return;
    if (number == __NR_close)
        is_server[file] = is_owed[file] = False;
    else if (call_receives(number))
        is_owed[file] = False;
    else if (call_sends(number) && !sr_isError(result))
        is_owed[file] = is_server[file];
}
