/* SPDX-License-Identifier: MIT */
/* The kernel's symbols, kept in a file for as long as this kernel runs with these modules: it takes
 * tens of milliseconds to print them anew. Only what cannot change until then is kept: the kernel's
 * own text and that of modules, not BPF programs or trampolines. The file holds addresses that the
 * kernel shows to the privileged only, so that nobody but its owner may read it, and only a file of
 * our own is trusted. Not for: reading /proc/kallsyms (symbols_kernel.c). */
#ifndef SLW_ANALYZER_KERNEL_CACHE_H
#define SLW_ANALYZER_KERNEL_CACHE_H

#include "analyzer/symtab.h"
#include "base/error.h"

/* Which kernel: its boot, its release, and its modules at their addresses. */
struct slw_kernel_identity {
    char boot_id[40]; /* /proc/sys/kernel/random/boot_id */
    char release[72]; /* uname -r */
    uint64_t modules; /* hash of names, sizes, states and addresses in /proc/modules */
};

/* Of the running kernel. False where the kernel does not tell. */
bool slw_kernel_identify(struct slw_kernel_identity *ret_id);

/* The same hash of any text like /proc/modules. Source: proc_modules(5), module_show() in
 * kernel/module/procfs.c. */
uint64_t slw_kernel_modules_hash(const char *modules);

/* Addresses whose symbols do not change: [low, high). */
struct slw_kernel_span {
    uint64_t low, high;
};
#define SLW_MAX_KERNEL_SPANS 4096 /* distributions load some hundred modules */

/* The text of each module in the format of /proc/kallsyms, rounded up to a page; none of
 * overlapping ones. Returns how many. */
size_t slw_kernel_module_spans(const char *kallsyms,
                               struct slw_kernel_span ret_spans[SLW_MAX_KERNEL_SPANS]);

struct slw_kernel_cache;

/* The file in this directory, if it is of this kernel, whole and ours; NULL otherwise. */
struct slw_kernel_cache *slw_kernel_cache_open(const char *dir,
                                               const struct slw_kernel_identity *id);
/* The same from bytes, which are lent; NULL: they are not that, or no memory. */
struct slw_kernel_cache *slw_kernel_cache_view(const void *data, size_t length,
                                               const struct slw_kernel_identity *id);
void slw_kernel_cache_close(struct slw_kernel_cache *c); /* NULL allowed */

/* Does the kernel's text begin there (_text or _stext)? */
bool slw_kernel_cache_begins_at(const struct slw_kernel_cache *c, uint64_t address);

/* True: *ret_name is what the kernel's own table says of the address, "" when it has no name there;
 * lent until close. False: not kept, ask the kernel. */
bool slw_kernel_cache_find(const struct slw_kernel_cache *c, uint64_t address,
                           const char **ret_name);

/* Put the right sum into the bytes of such a file. For writing one, and for tests that damage one.
 */
void slw_kernel_cache_seal(void *data, size_t length);

/* Keep a finished table. text_start: of _text and _stext. A failure of the disk is an error that
 * may be ignored: nothing is lost but time. Makes the last two components of `dir`. */
int slw_kernel_cache_write(const char *dir, const struct slw_kernel_identity *id,
                           const struct slw_symtab *table, const uint64_t text_start[2],
                           const struct slw_kernel_span *spans, size_t span_count,
                           struct slw_error *err);

#endif
