/* SPDX-License-Identifier: MIT */
/* Functions of libraries that a client may have or not, and may have more than once: OpenSSL,
 * GnuTLS, SQLite. Which one a caller means is decided by what the caller itself is linked with: a
 * library that was loaded for its users only (RTLD_LOCAL) is not found by RTLD_NEXT, and of several
 * copies only one belongs to the objects in the caller's hands. Only for the preloaded library. */
#ifndef SLW_COLLECTOR_TAPS_WIRE_PRELOAD_LIBRARY_H
#define SLW_COLLECTOR_TAPS_WIRE_PRELOAD_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* As in their headers; the objects are not ours to look into. */
#define SLW_TLS_FUNCTIONS(X)                                                                       \
    X(int, SSL_read, (void *, void *, int))                                                        \
    X(int, SSL_write, (void *, const void *, int))                                                 \
    X(int, SSL_read_ex, (void *, void *, size_t, size_t *))                                        \
    X(int, SSL_write_ex, (void *, const void *, size_t, size_t *))                                 \
    X(void, SSL_free, (void *))                                                                    \
    X(int, SSL_get_rfd, (const void *))                                                            \
    X(int, SSL_get_wfd, (const void *))                                                            \
    X(void *, SSL_get_wbio, (const void *))                                                        \
    X(int, BIO_method_type, (const void *))                                                        \
    X(long, BIO_ctrl, (void *, int, long, void *))
#define SLW_GNUTLS_FUNCTIONS(X)                                                                    \
    X(int, gnutls_handshake, (void *))                                                             \
    X(ssize_t, gnutls_record_send, (void *, const void *, size_t))                                 \
    X(ssize_t, gnutls_record_send2, (void *, const void *, size_t, size_t, unsigned))              \
    X(ssize_t, gnutls_record_recv, (void *, void *, size_t))                                       \
    X(ssize_t, gnutls_record_recv_seq, (void *, void *, size_t, unsigned char *))                  \
    X(ssize_t, gnutls_record_recv_packet, (void *, void **))                                       \
    X(ssize_t, gnutls_record_send_range, (void *, const void *, size_t, const void *))             \
    X(ssize_t, gnutls_record_send_file, (void *, int, off_t *, size_t))                            \
    X(ssize_t, gnutls_record_send_early_data, (void *, const void *, size_t))                      \
    X(void, gnutls_deinit, (void *))
#define SLW_SQLITE_FUNCTIONS(X)                                                                    \
    X(int, sqlite3_step, (void *))                                                                 \
    X(int, sqlite3_reset, (void *))                                                                \
    X(int, sqlite3_finalize, (void *))                                                             \
    X(int, sqlite3_exec, (void *, const char *, slw_sqlite_row *, void *, char **))                \
    X(int, sqlite3_prepare, (void *, const char *, int, void **, const char **))                   \
    X(int, sqlite3_prepare_v2, (void *, const char *, int, void **, const char **))                \
    X(int, sqlite3_prepare_v3, (void *, const char *, int, unsigned, void **, const char **))      \
    X(int, sqlite3_prepare16, (void *, const void *, int, void **, const void **))                 \
    X(int, sqlite3_prepare16_v2, (void *, const void *, int, void **, const void **))              \
    X(int, sqlite3_prepare16_v3, (void *, const void *, int, unsigned, void **, const void **))    \
    X(int, sqlite3_close, (void *))                                                                \
    X(int, sqlite3_close_v2, (void *))                                                             \
    X(int, sqlite3_get_autocommit, (void *))                                                       \
    X(int, sqlite3_stmt_busy, (void *))                                                            \
    X(void *, sqlite3_db_handle, (void *))                                                         \
    X(const char *, sqlite3_db_filename, (void *, const char *))                                   \
    X(const char *, sqlite3_sql, (void *))

typedef int slw_sqlite_row(void *context, int count, char **values, char **names);

enum slw_family { SLW_FAMILY_TLS, SLW_FAMILY_GNUTLS, SLW_FAMILY_SQLITE, SLW_FAMILY_COUNT };

struct slw_library {
    void *caller; /* its link map */
    enum slw_family family;
    bool itself; /* the caller is that library */
#define X(result, name, arguments) result(*name) arguments;
    SLW_TLS_FUNCTIONS(X)
    SLW_GNUTLS_FUNCTIONS(X)
    SLW_SQLITE_FUNCTIONS(X)
#undef X
};

/* The functions of a family as the code at `address` means them; one that it has none of is NULL.
 * Finding them takes the loader's lock the first time, and keeps the caller loaded; then it is a
 * look into a table. `scratch` is used when the tables are full. */
const struct slw_library *slw_library_of(const void *address, enum slw_family family,
                                         struct slw_library *scratch);

#endif
