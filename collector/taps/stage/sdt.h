/* SPDX-License-Identifier: MIT */
/* The USDT probes of an ELF file, from its section .note.stapsdt. Reads through a callback, so that
 * a file that shrinks meanwhile is an error and no signal, and so that tests can hand over bytes.
 * Not for: what the probes mean (marks.h). Source: elf(5); the SystemTap wiki,
 * "UserSpaceProbeImplementation". */
#ifndef SLW_COLLECTOR_TAPS_STAGE_SDT_H
#define SLW_COLLECTOR_TAPS_STAGE_SDT_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLW_SDT_MAX_SECTIONS   65536      /* 16 bits in the header */
#define SLW_SDT_MAX_SEGMENTS   1024       /* programs have about 13 */
#define SLW_SDT_MAX_NAME_BYTES (1u << 20) /* of all section names; a big program has 1 KiB */
#define SLW_SDT_MAX_NOTE_BYTES (1u << 24) /* 200,000 probes */

/* `size` bytes at `offset`, all or false. */
typedef bool slw_sdt_read_fn(void *ctx, void *data, size_t size, uint64_t offset);

/* Offsets are those in the file, as uprobes want them. The texts live during the call. */
struct slw_sdt_probe {
    const char *provider, *name, *arguments;
    uint64_t offset;           /* of the instruction */
    uint64_t semaphore_offset; /* 0: it has none */
};

typedef void slw_sdt_probe_fn(void *ctx, const struct slw_sdt_probe *p);

/* Tell every probe of an ELF file for this machine; anything else has none. *ret_unusable, if not
 * NULL, is the number of notes that are broken, or point to nowhere in the file. 0;
 * -SLW_E_FORMAT: a file that claims to be such a file and is not. -SLW_E_NOMEM. */
int slw_sdt_probes(slw_sdt_read_fn *read, void *read_ctx, slw_sdt_probe_fn *fn, void *ctx,
                   uint64_t *ret_unusable, struct slw_error *err);

#endif
