/* SPDX-License-Identifier: MIT */
/* Any bytes as the answer of a server, in lines of a header and then a body; whatever it says, the
 * secret is not repeated. */
#include "push/reply.h"
#include "push/send.h"

#include <assert.h>
#include <string.h>

#define SECRET "opensesame"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char user[] = "user", password[] = SECRET;
    static struct slw_reply r;
    const struct slw_push_endpoint e = {.user = user, .password = password};
    const char *at = (const char *)data, *end = at + size, *line;
    bool again;

    r = (struct slw_reply){.answer = {.status = size ? data[0] * 3 : 0, .grpc_status = -1}};
    while (at < end && *at != '\n' && (line = memchr(at, '\n', (size_t)(end - at)))) {
        (void)slw_reply_header(&r, at, (size_t)(line - at));
        at = line + 1;
    }
    (void)slw_reply_body(&r, at, (size_t)(end - at));
    slw_reply_finish(&r, &e, size % 2 ? "because" : NULL);
    assert(strlen(r.answer.text) <= SLW_HTTP_TEXT);
    assert(!strstr(r.answer.text, SECRET));
    (void)slw_send_judge(&r.answer, size % 3 == 0, &again);
    return 0;
}
