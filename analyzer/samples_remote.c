/* SPDX-License-Identifier: MIT */
/* Which files are worth asking others for: those with many of the frames of all samples. */
#include "analyzer/samples_int.h"

#include <stdlib.h>

#define MAX_ASKED   32  /* with what follows, as many as there can be but a third */
#define LEAST_SHARE 100 /* one frame in so many */

struct weighed {
    uint32_t module;
    uint64_t frames;
};

static int heaviest_first(const void *a, const void *b)
{
    const struct weighed *x = a, *y = b;

    if (x->frames != y->frames)
        return x->frames < y->frames ? 1 : -1;
    return (x->module > y->module) - (x->module < y->module);
}

/* Frames of all samples by module; the sum is returned. */
static uint64_t weigh(const struct slw_samples *s, struct weighed *modules)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < s->modules.count; i++)
        modules[i].module = i;
    for (uint32_t i = 0; i < s->locations.count; i++) {
        const struct slw_location *l = &s->locations.locations[i];

        modules[slw_samples_module(l)].frames += l->hits;
        sum += l->hits;
    }
    return sum;
}

int slw_samples_fetch(struct slw_samples *s)
{
    struct weighed *modules = calloc((size_t)s->modules.count + 1, sizeof(*modules));
    int rc = modules ? 0 : -SLW_E_NOMEM;

    if (rc == 0) {
        const uint64_t sum = weigh(s, modules);

        qsort(modules, s->modules.count, sizeof(*modules), heaviest_first);
        for (uint32_t i = 0; rc >= 0 && i < s->modules.count && i < MAX_ASKED &&
                             modules[i].frames > 0 && modules[i].frames >= sum / LEAST_SHARE;
             i++)
            rc = slw_symbols_fetch(s->symbols, modules[i].module, SLW_REMOTE_DEBUG);
    }
    free(modules);
    return rc < 0 ? rc : 0;
}
