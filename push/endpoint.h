/* SPDX-License-Identifier: MIT */
/* Where to push: a URL without its secrets, and the secrets apart from it, so that only what sends
 * them ever sees them. */
#ifndef SLW_PUSH_ENDPOINT_H
#define SLW_PUSH_ENDPOINT_H

#include "push/kind.h"

#define SLW_PUSH_MAX_URL     4096
#define SLW_PUSH_MAX_HEADERS 32

struct slw_push_endpoint {
    const struct slw_push_kind *kind;
    char *url; /* of the kind, whole, without user and password: may be shown and stored */
    char *user, *password;               /* decoded; NULL: none */
    char *headers[SLW_PUSH_MAX_HEADERS]; /* "Name: value" */
    size_t header_count;
    const char *ca_file; /* PEM; lent; NULL: those of the system */
};

/* http:// or https://, with a host, perhaps user:password@, a path, no query and no fragment. kind
 * NULL: the one whose ending the URL has, else the first for `what`. SLW_E_USAGE: no such URL; the
 * text does not repeat it, for there may be a password in it. SLW_E_NOMEM. Release. */
int slw_push_endpoint_init(const char *url, enum slw_push_what what,
                           const struct slw_push_kind *kind, struct slw_push_endpoint *ret_endpoint,
                           struct slw_error *err);

/* Headers to send along, "Name: value" one a line; blank lines and those of '#' are skipped.
 * `where` names the source in errors, which never repeat a line. SLW_E_FORMAT, SLW_E_LIMIT,
 * SLW_E_NOMEM. */
int slw_push_endpoint_add_headers(struct slw_push_endpoint *e, const char *text, const char *where,
                                  struct slw_error *err);

void slw_push_endpoint_release(struct slw_push_endpoint *e);

/* Replace whatever secret of the endpoint stands in `text` (what a server answered) by stars. */
void slw_push_endpoint_scrub(const struct slw_push_endpoint *e, char *text);

#endif
