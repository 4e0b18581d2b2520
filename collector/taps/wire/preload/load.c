/* SPDX-License-Identifier: MIT */
/* What happens when the library is loaded into a client. */
#include "collector/taps/wire/preload/real.h"
#include "collector/taps/wire/preload/simulated.h"
#include "collector/taps/wire/preload/table.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct slw_reals slw_real;

static void find(const char *name, void *slot)
{
    void *symbol = dlsym(RTLD_NEXT, name);

    slw_simulated_stands_for(symbol);
    memcpy(slot, &symbol, sizeof(symbol));
}

__attribute__((constructor)) static void load(void)
{
    int saved = errno;
    const char *path = getenv("SLOTWISE_WIRE");

#define X(result, name, arguments) find(#name, &slw_real.name);
    SLW_REALS(X)
#undef X
    if (path && slw_table_attach(path))
        slw_simulated_counting(&slw_table_map()->counting);
    errno = saved;
}

__attribute__((destructor)) static void unload(void)
{
    slw_table_check_all();
}
