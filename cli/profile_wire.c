/* SPDX-License-Identifier: MIT */
/* The wire tap of `slotwise profile`: where its library is, and what to do without. */
#include "cli/profile_int.h"

#include "base/cleanup.h"
#include "cli/program.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Next to the program in a build, in the installed place below its prefix otherwise. */
static bool find_library(char ret_path[PATH_MAX])
{
    static const char *const places[] = {"libslotwise-wire.so", SLW_WIRE_LIBRARY};
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (n <= 0)
        return false;
    self[n] = '\0';
    char *slash = strrchr(self, '/');
    if (!slash)
        return false;
    *slash = '\0';
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char path[PATH_MAX * 2];

        (void)snprintf(path, sizeof(path), "%s/%s", self, places[i]);
        if (realpath(path, ret_path))
            return true;
    }
    return false;
}

static int open_wire(struct slw_profile *p, struct slw_error *err)
{
    char library[PATH_MAX];
    char *SLW_AUTO(free) program = NULL;
    struct slw_wire_options opts = {.library = library, .envp = p->session.envp};

    if (!find_library(library))
        return slw_fail(err, SLW_E_UNSUPPORTED, "libslotwise-wire.so is not installed");
    /* A command that is not found is reported when it is started. */
    if (slw_program_find(p->session.argv[0], &program, NULL) >= 0)
        opts.program = program;
    return slw_wire_open(&opts, &p->wire, err);
}

int slw_profile_tap_wire(struct slw_profile *p, struct slw_error *err)
{
    struct slw_error why = {0};

    if (p->session.target != SLW_TARGET_COMMAND) {
        p->run->requests.absent = "requests are only counted of commands that slotwise starts";
        return 0;
    }
    if (slw_args_has(p->args, "no-wire")) {
        p->run->requests.absent = "the wire tap was turned off (--no-wire)";
        return 0;
    }
    if (p->rounds > 0) { /* one mapping would count all executions together */
        p->run->requests.absent = "requests are not counted in rounds";
        return 0;
    }
    if (open_wire(p, &why) >= 0) {
        p->session.wire = p->wire;
        p->session.envp = slw_wire_environment(p->wire);
        return 0;
    }
    const char *reason = slw_run_str(p->run, why.text);
    if (!reason || slw_run_note(p->run, SLW_NOTE_INFO, "no-wire", NULL,
                                "requests are not counted: %s", why.text) < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for notes");
    p->run->requests.absent = reason;
    return 0;
}
