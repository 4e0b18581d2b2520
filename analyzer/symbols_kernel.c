/* SPDX-License-Identifier: MIT */
/* The running kernel's symbols, when the recording is of this kernel and this boot: address
 * randomisation moves the kernel at every boot, and its modules whenever they are loaded.
 *
 * The kernel takes longer to print its symbols than many a recording takes to read, so a thread of
 * its own listens while the recording is read. It shares nothing with anybody until it is joined.
 * What it heard is kept for the next time (kernel_cache.h); then the thread finds out whether that
 * is to be believed, and the kernel is asked only for addresses that are not covered by it.
 */
#include "analyzer/kernel_cache.h"
#include "analyzer/symbols_int.h"
#include "base/file.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define MAX_KALLSYMS ((size_t)256 << 20) /* ten times the largest seen */
/* kallsyms has no sizes, and between the kernel and its modules lie gigabytes of nothing. */
#define MAX_FUNCTION_BYTES ((uint64_t)1 << 20)

/* Is the recording of the machine we are on? Only names can tell, and absent ones tell nothing. */
static bool same_machine(const struct slw_symbols *s)
{
    const struct slw_perf_meta *m = s->opts.meta;
    struct utsname here;

    if (!m || !m->os_release || !m->hostname || uname(&here) < 0)
        return !s->opts.imported;
    return strcmp(m->os_release, here.release) == 0 && strcmp(m->hostname, here.nodename) == 0;
}

struct slw_kernel_reader {
    pthread_t thread;
    struct slw_symtab table;
    char *text;
    uint64_t marks[5]; /* in the order of mark_names; 0: there is none */
    bool readable, hidden;
    int rc;
    /* What is kept, where; NULL: nothing. */
    const char *cache_dir;
    struct slw_kernel_identity id;
    struct slw_kernel_cache *cache; /* of that; then the kernel was not asked */
    struct slw_kernel_span spans[SLW_MAX_KERNEL_SPANS];
    size_t span_count;
};

static const char *const mark_names[] = {"_text", "_stext", "_etext", "_sinittext", "_einittext"};

static void find_marks(struct slw_kernel_reader *k)
{
    for (size_t i = 0; i < k->table.count; i++) {
        const struct slw_symbol *s = &k->table.symbols[i];

        for (size_t n = 0; n < 5 && s->name[0] == '_'; n++)
            if (k->marks[n] == 0 && strcmp(s->name, mark_names[n]) == 0)
                k->marks[n] = s->start;
    }
}

/* Before the text is cut into names. */
static void find_modules(struct slw_kernel_reader *k)
{
    if (k->cache_dir && k->readable)
        k->span_count = slw_kernel_module_spans(k->text, k->spans);
}

static bool add_span(struct slw_kernel_reader *k, uint64_t low, uint64_t high)
{
    if (low == 0 || high <= low || k->span_count >= SLW_MAX_KERNEL_SPANS)
        return false;
    k->spans[k->span_count++] = (struct slw_kernel_span){low, high};
    return true;
}

/* The text of start-up is freed, but the idle task was called by it. A module may have come or gone
 * while the kernel printed: then nothing is kept. */
static void keep(struct slw_kernel_reader *k)
{
    const uint64_t *m = k->marks;
    struct slw_kernel_identity now;

    if (!k->cache_dir || !k->readable || k->hidden || k->rc < 0 ||
        !add_span(k, m[1] ? m[1] : m[0], m[2]))
        return;
    (void)add_span(k, m[3], m[4]);
    if (slw_kernel_identify(&now) && memcmp(&now, &k->id, sizeof(now)) == 0)
        (void)slw_kernel_cache_write(k->cache_dir, &k->id, &k->table, m, k->spans, k->span_count,
                                     NULL);
}

/* Of a kernel that cannot be told from others nothing is kept. */
static void identify(struct slw_kernel_reader *k)
{
    if (k->cache_dir && !slw_kernel_identify(&k->id))
        k->cache_dir = NULL;
}

static void read_kallsyms(struct slw_kernel_reader *k)
{
    k->readable = slw_file_read("/proc/kallsyms", MAX_KALLSYMS, &k->text, NULL, NULL) >= 0;
    find_modules(k);
    if (k->readable)
        k->rc = slw_symtab_add_kallsyms(&k->table, k->text, &k->hidden);
    if (k->rc == 0) {
        find_marks(k); /* before only one name of each address is left */
        k->rc = slw_symtab_finish(&k->table, MAX_FUNCTION_BYTES);
    }
    keep(k);
}

static void *read_symbols(void *reader)
{
    struct slw_kernel_reader *k = reader;

    identify(k);
    if (k->cache_dir)
        k->cache = slw_kernel_cache_open(k->cache_dir, &k->id);
    if (!k->cache)
        read_kallsyms(k);
    return NULL;
}

static struct slw_kernel_reader *reader_new(const struct slw_symbols *s)
{
    struct slw_kernel_reader *k = calloc(1, sizeof(*k));

    /* What was kept is right, if it is open: it leaves out what comes and goes. */
    if (k && !s->cache)
        k->cache_dir = s->opts.cache_dir;
    return k;
}

static void reader_free(struct slw_kernel_reader *k)
{
    slw_symtab_release(&k->table);
    slw_kernel_cache_close(k->cache);
    free(k->text);
    free(k);
}

void slw_symbols_expect_kernel(struct slw_symbols *s)
{
    sigset_t all, before;

    if (s->kernel.loaded || s->reader || s->cache || !same_machine(s))
        return;
    struct slw_kernel_reader *k = reader_new(s);
    if (!k)
        return;             /* told when it is needed */
    (void)sigfillset(&all); /* signals are for the program's own thread */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&k->thread, NULL, read_symbols, k);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        free(k);
    else
        s->reader = k;
}

void slw_symbols_forget_kernel(struct slw_symbols *s)
{
    slw_kernel_cache_close(s->cache);
    s->cache = NULL;
    if (!s->reader)
        return;
    (void)pthread_join(s->reader->thread, NULL);
    reader_free(s->reader);
    s->reader = NULL;
}

/* The kernel's text is where the recording says: at _text (x86) or _stext (arm64). */
static bool same_boot(const struct slw_symbols *s, const struct slw_kernel_reader *k)
{
    if (s->kernel_text == 0)
        return !s->opts.imported;
    return k->marks[0] == s->kernel_text || k->marks[1] == s->kernel_text;
}

static bool cache_of_same_boot(const struct slw_symbols *s)
{
    return s->kernel_text == 0 ? !s->opts.imported
                               : slw_kernel_cache_begins_at(s->cache, s->kernel_text);
}

/* Take what the reader found, if it is of any use. */
static int take(struct slw_symbols *s, struct slw_kernel_reader *k)
{
    if (!k->readable || k->hidden) {
        s->kernel.problem = SLW_SYMBOLS_HIDDEN;
    } else if (k->rc == 0 && !same_boot(s, k)) {
        s->kernel.problem = SLW_SYMBOLS_ELSEWHERE;
    } else if (k->rc == 0) {
        s->kernel.table = k->table;
        s->kernel.text = k->text;
        k->table = (struct slw_symtab){0};
        k->text = NULL;
    }
    return k->rc;
}

/* What the thread found, if there is one at it, else found now. NULL: no memory. */
static struct slw_kernel_reader *wait_for_reader(struct slw_symbols *s)
{
    struct slw_kernel_reader *k = s->reader;

    s->reader = NULL;
    if (k) {
        (void)pthread_join(k->thread, NULL);
        return k;
    }
    k = reader_new(s);
    if (k)
        (void)read_symbols(k);
    return k;
}

/* Ask the kernel itself: what was kept does not tell. */
static int load_table(struct slw_symbols *s)
{
    struct slw_kernel_reader *k = reader_new(s);

    s->kernel.loaded = true;
    if (!k)
        return -SLW_E_NOMEM;
    identify(k);
    read_kallsyms(k);
    int rc = take(s, k);
    reader_free(k);
    return rc;
}

int slw_symbols_load_kernel(struct slw_symbols *s)
{
    if (s->kernel.loaded || s->cache)
        return 0;
    if (!same_machine(s)) {
        s->kernel.loaded = true;
        s->kernel.problem = SLW_SYMBOLS_ELSEWHERE;
        return 0;
    }
    struct slw_kernel_reader *k = wait_for_reader(s);
    int rc = k ? 0 : -SLW_E_NOMEM;
    if (k && k->cache) {
        s->cache = k->cache;
        k->cache = NULL;
        if (!cache_of_same_boot(s)) {
            slw_kernel_cache_close(s->cache);
            s->cache = NULL;
            rc = load_table(s);
        } /* else the table is loaded when an address is not covered */
    } else {
        s->kernel.loaded = true;
        rc = k ? take(s, k) : rc;
    }
    if (k)
        reader_free(k);
    return rc;
}

int slw_symbols_kernel_name(struct slw_symbols *s, uint64_t address, const char **ret_name,
                            enum slw_symbols_problem *problem)
{
    if (s->cache && slw_kernel_cache_find(s->cache, address, ret_name))
        return 0;
    int rc = s->kernel.loaded ? 0 : load_table(s);
    const struct slw_symbol *symbol = slw_symtab_find(&s->kernel.table, address);
    *problem = s->kernel.problem;
    *ret_name = symbol ? symbol->name : "";
    return rc;
}
