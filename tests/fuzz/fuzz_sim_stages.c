/* SPDX-License-Identifier: MIT */
/* A carrier looks for marks of stages in whatever file code is mapped from: it may hold anything.
 */
#include "sim/stages.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
    const uint8_t *data;
    size_t size;
};

static uint32_t switched;

static void *allocate(size_t bytes)
{
    void *p = calloc(1, bytes ? bytes : 1);

    if (!p)
        abort();
    return p;
}

static bool read_file(void *file, void *to, size_t size, uint64_t offset)
{
    const struct bytes *b = file;

    if (offset > b->size || size > b->size - offset)
        return false;
    memcpy(to, b->data + offset, size);
    return true;
}

static bool switch_on(uint64_t nop, uint64_t counter)
{
    if (counter == 0 && nop == 0)
        return false;
    switched++;
    return true;
}

static struct slw_sim_core *core_of(uint32_t thread)
{
    (void)thread;
    return NULL;
}

static void begins(void)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slw_sim_stages_host host = {.allocate = allocate,
                                             .release = free,
                                             .read_file = read_file,
                                             .switch_on = switch_on,
                                             .core_of = core_of,
                                             .begins = begins};
    const struct slw_sim_mapping mapping = {.start = 0x10000, .end = 0x20000, .path = "/any"};
    struct bytes file = {.data = data, .size = size};
    struct slw_sim_stages *s = slw_sim_stages_new(&host);
    size_t count = 0;

    switched = 0;
    slw_sim_stages_look(s, &mapping, &file);
    slw_sim_stages_look(s, &mapping, &file); /* nothing is marked twice */
    const struct slw_sim_staged *all = slw_sim_stages_all(s, &count);

    if (slw_sim_stages_any(s) != (switched > 0))
        abort();
    for (size_t i = 0; i < count; i++) {
        if (strncmp(all[i].provider, "slotwise", 8) != 0 || all[i].name[0] == '\0')
            abort();
        free((void *)(uintptr_t)all[i].provider);
        free((void *)(uintptr_t)all[i].name);
    }
    free(s);
    return 0;
}
