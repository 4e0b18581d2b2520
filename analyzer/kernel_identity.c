/* SPDX-License-Identifier: MIT */
#include "analyzer/kernel_cache.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define MAX_MODULES_TEXT ((size_t)4 << 20)
#define MODULE_FIELDS    6 /* name size references users state address */
#define PAGE             4096
/* A module larger than this is none: its symbols lie in several places. */
#define MAX_MODULE_BYTES ((uint64_t)64 << 20)

/* ---- which kernel ---- */

/* References and users change whenever somebody opens a device. */
static bool field_counts(int field)
{
    return field != 2 && field != 3;
}

uint64_t slw_kernel_modules_hash(const char *modules)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    int field = 0;

    for (const char *p = modules; *p; p++) {
        if (*p == '\n')
            field = 0;
        else if (*p == ' ')
            field++;
        if (field < MODULE_FIELDS && field_counts(field))
            hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    }
    return hash;
}

bool slw_kernel_identify(struct slw_kernel_identity *ret_id)
{
    char *SLW_AUTO(free) boot = NULL, *SLW_AUTO(free) modules = NULL;
    struct utsname here;
    struct slw_error why = {0};

    memset(ret_id, 0, sizeof(*ret_id)); /* compared and written as bytes */
    if (uname(&here) < 0 ||
        slw_file_read("/proc/sys/kernel/random/boot_id", 64, &boot, NULL, NULL) < 0)
        return false;
    /* A kernel without modules has no such file. */
    if (slw_file_read("/proc/modules", MAX_MODULES_TEXT, &modules, NULL, &why) < 0 &&
        why.code != SLW_E_NOTFOUND)
        return false;
    boot[strcspn(boot, "\n")] = '\0';
    strncpy(ret_id->boot_id, boot, sizeof(ret_id->boot_id) - 1);
    strncpy(ret_id->release, here.release, sizeof(ret_id->release) - 1);
    ret_id->modules = slw_kernel_modules_hash(modules ? modules : "");
    return boot[0] != '\0';
}

/* ---- where modules are ---- */

/* "[name]" behind a symbol; NULL: it is the kernel's own. What is loaded without being a module
 * (BPF programs, trampolines) comes and goes unseen. */
static const char *module_of(const char *line, size_t length)
{
    const char *bracket = memchr(line, '[', length);

    if (!bracket || strncmp(bracket, "[bpf]", 5) == 0 || strncmp(bracket, "[__builtin__", 12) == 0)
        return NULL;
    return bracket;
}

static bool is_text(const char *after_address)
{
    return strncmp(after_address, " t ", 3) == 0 || strncmp(after_address, " T ", 3) == 0 ||
           strncmp(after_address, " w ", 3) == 0 || strncmp(after_address, " W ", 3) == 0;
}

static void widen(struct slw_kernel_span *span, uint64_t address)
{
    if (address < span->low)
        span->low = address;
    if (address >= span->high)
        span->high = (address | (PAGE - 1)) + 1;
}

static int by_address(const void *a, const void *b)
{
    const struct slw_kernel_span *x = a, *y = b;

    return (x->low > y->low) - (x->low < y->low);
}

static bool overlap(const struct slw_kernel_span *a, const struct slw_kernel_span *b)
{
    return a->low < b->high && b->low < a->high;
}

/* Leave out what is no single piece of text, and what reaches to the end of all addresses, which is
 * no number. */
static size_t keep_sound(struct slw_kernel_span *spans, size_t count)
{
    size_t kept = 0;
    uint64_t reach = 0; /* the highest end so far, kept or not */

    qsort(spans, count, sizeof(*spans), by_address);
    for (size_t i = 0; i < count; i++) {
        bool sound = spans[i].high > spans[i].low &&
                     spans[i].high - spans[i].low <= MAX_MODULE_BYTES && spans[i].low >= reach &&
                     !(i + 1 < count && overlap(&spans[i], &spans[i + 1]));
        if (spans[i].high > reach)
            reach = spans[i].high;
        if (sound)
            spans[kept++] = spans[i];
    }
    return kept;
}

size_t slw_kernel_module_spans(const char *kallsyms,
                               struct slw_kernel_span ret_spans[SLW_MAX_KERNEL_SPANS])
{
    const char *current = NULL; /* the module whose symbols are being read: they stand together */
    size_t count = 0;

    for (const char *line = kallsyms, *end; *line; line = *end ? end + 1 : end) {
        end = strchrnul(line, '\n');
        const char *module = module_of(line, (size_t)(end - line));
        char *rest;
        if (!module)
            continue;
        uint64_t address = strtoull(line, &rest, 16);
        size_t length = (size_t)(end - module);
        if (address == 0 || rest > module || !is_text(rest))
            continue;
        if (!current || strncmp(current, module, length) != 0) {
            if (count == SLW_MAX_KERNEL_SPANS)
                return 0;
            ret_spans[count++] = (struct slw_kernel_span){address, address};
            current = module;
        }
        widen(&ret_spans[count - 1], address);
    }
    return keep_sound(ret_spans, count);
}
