/* SPDX-License-Identifier: MIT */
/* Any bytes as a request that was kept on the disk; what is read is what would be written. */
#include "push/entry.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_push_entry e, again;
    struct slw_buf out = {0};

    if (slw_push_entry_read(data, size, &e, NULL) < 0)
        return 0;
    assert(slw_push_entry_write(&e, &out, NULL) == 0);
    assert(slw_push_entry_read(out.data, out.length, &again, NULL) == 0);
    assert(e.kind == again.kind && strcmp(e.url, again.url) == 0);
    assert(strcmp(e.suffix, again.suffix) == 0 && e.length == again.length);
    assert(memcmp(e.body, again.body, e.length) == 0);
    slw_push_entry_release(&again);
    slw_push_entry_release(&e);
    slw_buf_release(&out);
    return 0;
}
