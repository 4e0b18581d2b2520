/* SPDX-License-Identifier: MIT */
/* The running kernel's symbols, when the recording is of this kernel and this boot: address
 * randomisation moves the kernel at every boot, and its modules whenever they are loaded.
 *
 * The kernel takes longer to print its symbols than many a recording takes to read, so a thread of
 * its own listens while the recording is read. It shares nothing with anybody until it is joined.
 */
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
    uint64_t text_start[2]; /* addresses of _text and _stext; 0: there is none */
    bool readable, hidden;
    int rc;
};

static void find_text(struct slw_kernel_reader *k)
{
    static const char *const names[] = {"_text", "_stext"};

    for (size_t i = 0; i < k->table.count; i++) {
        const struct slw_symbol *s = &k->table.symbols[i];

        for (size_t n = 0; n < 2 && s->name[0] == '_'; n++)
            if (k->text_start[n] == 0 && strcmp(s->name, names[n]) == 0)
                k->text_start[n] = s->start;
    }
}

static void *read_kallsyms(void *reader)
{
    struct slw_kernel_reader *k = reader;

    k->readable = slw_file_read("/proc/kallsyms", MAX_KALLSYMS, &k->text, NULL, NULL) >= 0;
    if (k->readable)
        k->rc = slw_symtab_add_kallsyms(&k->table, k->text, &k->hidden);
    if (k->rc == 0) {
        find_text(k); /* before only one name of each address is left */
        k->rc = slw_symtab_finish(&k->table, MAX_FUNCTION_BYTES);
    }
    return NULL;
}

static void reader_free(struct slw_kernel_reader *k)
{
    slw_symtab_release(&k->table);
    free(k->text);
    free(k);
}

void slw_symbols_expect_kernel(struct slw_symbols *s)
{
    sigset_t all, before;

    if (s->kernel.loaded || s->reader || !same_machine(s))
        return;
    struct slw_kernel_reader *k = calloc(1, sizeof(*k));
    if (!k)
        return;             /* told when it is needed */
    (void)sigfillset(&all); /* signals are for the program's own thread */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&k->thread, NULL, read_kallsyms, k);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        free(k);
    else
        s->reader = k;
}

void slw_symbols_forget_kernel(struct slw_symbols *s)
{
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
    return k->text_start[0] == s->kernel_text || k->text_start[1] == s->kernel_text;
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

int slw_symbols_load_kernel(struct slw_symbols *s)
{
    struct slw_kernel_reader *k = s->reader;

    s->kernel.loaded = true;
    s->reader = NULL;
    if (!same_machine(s)) {
        s->kernel.problem = SLW_SYMBOLS_ELSEWHERE;
        return 0;
    }
    if (k) {
        (void)pthread_join(k->thread, NULL);
    } else {
        k = calloc(1, sizeof(*k));
        if (!k)
            return -SLW_E_NOMEM;
        (void)read_kallsyms(k);
    }
    int rc = take(s, k);
    reader_free(k);
    return rc;
}
