/* SPDX-License-Identifier: MIT */
/* Source: SSL_read(3), SSL_write(3), SSL_do_handshake(3); the GnuTLS manual, "Core TLS API". */
#include "collector/taps/socket/tls.h"

#include "collector/session.h"
#include "collector/taps/bpf/files.h"
#include "collector/taps/bpf/functions.h"
#include "collector/target.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {
    "SSL_write",
    "SSL_read",
    "SSL_write_ex",
    "SSL_read_ex",
    "SSL_do_handshake",
    "SSL_free",
    "SSL_sendfile",
    "SSL_write_early_data",
    "gnutls_record_send",
    "gnutls_record_send2",
    "gnutls_record_recv",
    "gnutls_record_recv_seq",
    "gnutls_handshake",
    "gnutls_deinit",
    "gnutls_record_send_range",
    "gnutls_record_send_file",
    "gnutls_record_send_early_data",
    "gnutls_record_recv_packet",
};
static const enum slw_socket_tls functions[] = {
    SLW_SOCKET_TLS_WRITE,
    SLW_SOCKET_TLS_READ,
    SLW_SOCKET_TLS_WRITE_EX,
    SLW_SOCKET_TLS_READ_EX,
    SLW_SOCKET_TLS_HANDSHAKE,
    SLW_SOCKET_TLS_FREE,
    SLW_SOCKET_TLS_OTHER,
    SLW_SOCKET_TLS_OTHER,
    /* GnuTLS */
    SLW_SOCKET_TLS_WRITE,
    SLW_SOCKET_TLS_WRITE,
    SLW_SOCKET_TLS_READ,
    SLW_SOCKET_TLS_READ,
    SLW_SOCKET_TLS_HANDSHAKE,
    SLW_SOCKET_TLS_FREE,
    SLW_SOCKET_TLS_OTHER,
    SLW_SOCKET_TLS_OTHER,
    SLW_SOCKET_TLS_OTHER,
    SLW_SOCKET_TLS_OTHER,
};
#define COUNT (sizeof(names) / sizeof(names[0]))
_Static_assert(sizeof(functions) / sizeof(functions[0]) == COUNT && COUNT <= SLW_SOCKET_MAX_TLS,
               "a kind for each function");

bool slw_socket_tls_find(const char *path, struct slw_socket_tls_file *ret_file)
{
    uint64_t offsets[COUNT];

    *ret_file = (struct slw_socket_tls_file){.path = path};
    if (slw_functions_find(path, names, COUNT, offsets) == 0)
        return false;
    for (size_t i = 0; i < COUNT; i++)
        if (offsets[i] != 0) {
            ret_file->offsets[ret_file->count] = offsets[i];
            ret_file->functions[ret_file->count++] = functions[i];
        }
    return true;
}

static int look_for_node(void *is_node, const char *path, struct slw_error *err)
{
    static const char library[] = "libnode.so";
    const char *slash = strrchr(path, '/');

    (void)err;
    if (slash && strncmp(slash + 1, library, sizeof(library) - 1) == 0)
        *(bool *)is_node = true;
    return 0;
}

const char *slw_socket_tls_inside(const struct slw_session_options *command)
{
    const struct slw_live_target target = {.kind = SLW_TARGET_COMMAND};
    struct slw_socket_tls_file file;
    char path[PATH_MAX];
    bool is_node = false;

    if (!slw_tap_program(command->argv[0], command->envp, path))
        return NULL;
    if (slw_socket_tls_find(path, &file))
        return "the client has a TLS library inside of its executable";
    if (slw_tap_files(command, &target, look_for_node, &is_node, NULL) >= 0 && is_node)
        return "the client is Node, whose TLS works in memory";
    return NULL;
}

#if defined(__x86_64__)
#define LIBRARIES "/usr/lib/x86_64-linux-gnu"
#else
#define LIBRARIES "/usr/lib/aarch64-linux-gnu"
#endif

const char *slw_socket_tls_library(size_t i, char ret_path[PATH_MAX])
{
    static const char *const folders[] = {LIBRARIES, "/usr/lib64", "/usr/lib"};
    static const char *const libraries[] = {"libssl.so.3", "libssl.so.1.1", "libgnutls.so.30"};
    const size_t count = sizeof(libraries) / sizeof(libraries[0]);

    if (i / count >= sizeof(folders) / sizeof(folders[0]))
        return NULL;
    (void)snprintf(ret_path, PATH_MAX, "%s/%s", folders[i / count], libraries[i % count]);
    return ret_path;
}
