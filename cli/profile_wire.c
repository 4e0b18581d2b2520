/* SPDX-License-Identifier: MIT */
/* How `slotwise profile` counts requests: the way it takes, and where the library to preload is. */
#include "cli/profile_int.h"

#include "base/cleanup.h"
#include "cli/profile_options.h"
#include "cli/program.h"
#include "collector/taps/socket/bpf.h"
#include "collector/taps/socket/tls.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool slw_profile_find_library(const char *name, char ret_path[PATH_MAX])
{
    static const char *const places[] = {"", SLW_LIBRARIES "/"};
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

        (void)snprintf(path, sizeof(path), "%s/%slibslotwise-%s.so", self, places[i], name);
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

    if (!slw_profile_find_library("wire", library))
        return slw_fail(err, SLW_E_UNSUPPORTED, "libslotwise-wire.so is not installed");
    /* A command that is not found is reported when it is started. */
    if (slw_program_find(p->session.argv[0], &program, NULL) >= 0)
        opts.program = program;
    return slw_wire_open(&opts, &p->wire, err);
}

enum route { ROUTE_AUTO, ROUTE_PRELOAD, ROUTE_BPF, ROUTE_NO };

static const char *const routes[] = {"auto", "preload", "bpf", "no", NULL};

const char *slw_profile_wire_route(size_t i)
{
    return routes[i];
}

static enum route chosen(const struct slw_args *args)
{
    const char *name = slw_args_get(args, "wire");

    if (slw_args_has(args, "no-wire"))
        return ROUTE_NO;
    for (size_t i = 0; name && routes[i]; i++)
        if (strcmp(name, routes[i]) == 0)
            return (enum route)i;
    return ROUTE_AUTO;
}

/* Why nothing can be counted, whatever the route; NULL: it can be tried. */
static const char *hindrance(const struct slw_profile *p, enum route route)
{
    if (route == ROUTE_NO)
        return slw_args_has(p->args, "no-wire") ? "the wire tap was turned off (--no-wire)"
                                                : "the wire tap was turned off (--wire no)";
    if (route == ROUTE_AUTO && p->session.target == SLW_TARGET_ALL)
        return "requests are counted of commands, processes and cgroups, not of a machine";
    return NULL;
}

/* A client that may well talk TLS, in a way that only BPF sees. Where BPF is refused, what the
 * library sees is better than nothing. */
static const char *tls_inside(const struct slw_profile *p)
{
    return slw_socket_bpf_allowed() ? slw_socket_tls_inside(&p->session) : NULL;
}

/* Why nothing is preloaded although it could be; NULL: it is. */
static const char *not_inside(const struct slw_profile *p, enum route route)
{
    if (p->simulate && !p->simulate->simulation.carrier->hides_tap)
        return "the carrier of the simulation would take the library for the client's";
    return route == ROUTE_AUTO ? tls_inside(p) : NULL;
}

static int preload(struct slw_profile *p, enum route route, struct slw_error *err)
{
    struct slw_error why = {0};
    const char *hindered = not_inside(p, route);

    if (hindered)
        (void)slw_fail(&why, SLW_E_UNSUPPORTED, "%s", hindered);
    else if (open_wire(p, &why) >= 0) {
        p->session.wire = p->wire;
        p->session.envp = slw_wire_environment(p->wire);
        return 0;
    }
    if (route == ROUTE_PRELOAD) {
        *err = why;
        return -(int)why.code;
    }
    p->session.socket = SLW_SOCKET_AUTO;
    p->session.not_preloaded = slw_run_str(p->run, why.text);
    return p->session.not_preloaded ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for notes");
}

/* One mapping would count all executions together: each gets its own. */
static int tap_execution(void *ctx, struct slw_session_options *session, struct slw_run *run,
                         struct slw_error *err)
{
    struct slw_profile *p = ctx, one = *p;

    one.run = run;
    one.rounds = 0;
    one.session = *session;
    int rc = slw_profile_tap_wire(&one, err);
    *session = one.session;
    p->wire = one.wire;
    return rc;
}

static int untap_execution(void *ctx, struct slw_run *run, int rc, struct slw_error *err)
{
    struct slw_profile *p = ctx;
    const bool measured = rc >= 0 || rc == -SLW_E_FULL; /* the disk was full, the tap was not */
    const int told = measured && p->wire ? slw_wire_finish(p->wire, run, rc < 0 ? NULL : err) : 0;

    slw_wire_close(p->wire);
    p->wire = NULL;
    return rc < 0 ? rc : told;
}

void slw_profile_tap_rounds(struct slw_profile *p, struct slw_rounds_options *rounds)
{
    rounds->before = tap_execution;
    rounds->after = untap_execution;
    rounds->ctx = p;
}

int slw_profile_tap_wire(struct slw_profile *p, struct slw_error *err)
{
    enum route route = chosen(p->args);

    if (p->rounds > 0)
        return 0; /* slw_profile_tap_rounds does it */

    p->run->requests.absent = hindrance(p, route);
    if (p->run->requests.absent)
        return 0;
    p->run->requests.absent = "nothing was counted"; /* until it is */
    if (route == ROUTE_BPF)
        p->session.socket = SLW_SOCKET_YES;
    else if (p->session.target == SLW_TARGET_COMMAND)
        return preload(p, route, err);
    else if (route == ROUTE_PRELOAD)
        return slw_fail(err, SLW_E_UNSUPPORTED,
                        "only a command that slotwise starts can be preloaded (--wire preload)");
    else
        p->session.socket = SLW_SOCKET_AUTO;
    return 0;
}
