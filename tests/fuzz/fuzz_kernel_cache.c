/* SPDX-License-Identifier: MIT */
/* Kept kernel symbols, damaged anyhow, with a sum that is right all the same: what is behind it is
 * reached. And the texts from which it is told what may be kept. */
#include "analyzer/kernel_cache.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_up(const void *bytes, size_t size, const struct slw_kernel_identity *id)
{
    static const uint64_t addresses[] = {0, 0x1234, UINT64_C(0xffffffff81000000),
                                         UINT64_C(0xffffffff81000123), UINT64_MAX};
    struct slw_kernel_cache *c = slw_kernel_cache_view(bytes, size, id);
    const char *name;

    for (size_t i = 0; c && i < sizeof(addresses) / sizeof(addresses[0]); i++)
        if (slw_kernel_cache_find(c, addresses[i], &name) && strlen(name) > size)
            abort(); /* names end within the file */
    slw_kernel_cache_close(c);
}

static void measure(const char *text)
{
    static struct slw_kernel_span spans[SLW_MAX_KERNEL_SPANS];
    size_t count = slw_kernel_module_spans(text, spans);

    for (size_t i = 0; i < count; i++)
        if (spans[i].high <= spans[i].low || (i > 0 && spans[i].low < spans[i - 1].high))
            abort(); /* ascending, apart, not empty */
    (void)slw_kernel_modules_hash(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_kernel_identity id;
    char *copy = malloc(size + 1);

    if (!copy)
        return 0;
    memcpy(copy, data, size);
    copy[size] = '\0';
    measure(copy);
    if (size >= 8 + sizeof(id)) {
        memcpy(&id, copy + 8, sizeof(id)); /* behind the magic */
        slw_kernel_cache_seal(copy, size);
        look_up(copy, size, &id);
    }
    free(copy);
    return 0;
}
