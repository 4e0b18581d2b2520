/* SPDX-License-Identifier: MIT */
/* Whatever perf records here, our samples and weights per command, module and symbol equal those of
 * `perf report` on the same file, exactly. Skipped where perf or a compiler is missing or may not
 * sample.
 *
 * The one known difference is put aside: for stubs that jump to other functions perf 6.1 has no
 * name
 * (.plt.got), an empty one ("@plt", IFUNCs) or that of the symbol before them ("_init", in static
 * programs), where we have the target's; those rows are compared as one per module. */
#include "analyzer/samples.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STUB "<stub or unnamed>"

static const char program[] =
    "#include <stdlib.h>\n"
    "#include <string.h>\n"
    "#include <unistd.h>\n"
    "static volatile unsigned long sink;\n"
    "__attribute__((noinline)) void leaf(int n) { for (int i = 0; i < n; i++) sink += i; }\n"
    "__attribute__((noinline)) void middle(int n) { leaf(n); sink++; }\n"
    "static int cmp(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }\n"
    "int main(int argc, char **argv) {\n"
    "    static int a[4096];\n"
    "    (void)argv;\n"
    "    if (argc == 1 && fork() == 0) { execl(\"./b\", \"b\", \"x\", (char *)0); _exit(1); }\n"
    "    for (int k = 0; k < 120; k++) {\n"
    "        middle(100000);\n"
    "        for (int i = 0; i < 4096; i++) a[i] = rand();\n"
    "        qsort(a, 4096, sizeof(a[0]), cmp);\n"
    "        char *p = malloc(100000); memset(p, k, 100000); sink += p[k]; free(p);\n"
    "        (void)getppid();\n"
    "    }\n"
    "    return 0;\n"
    "}\n";

struct row {
    char key[512];
    uint64_t samples, weight;
};
struct rows {
    struct row *rows;
    size_t count, capacity;
};

static struct row *new_row(struct rows *t)
{
    if (t->count == t->capacity) {
        t->capacity = t->capacity ? 2 * t->capacity : 256;
        struct row *grown = realloc(t->rows, t->capacity * sizeof(*t->rows));
        if (!grown)
            abort();
        t->rows = grown;
    }
    return &t->rows[t->count++];
}

static void add_row(struct rows *t, const char *comm, const char *module, const char *symbol,
                    uint64_t samples, uint64_t weight)
{
    struct row r = {.samples = samples, .weight = weight};
    size_t length = strlen(symbol);
    bool stub = strncmp(symbol, "0x", 2) == 0 || strcmp(symbol, "_init") == 0 ||
                (length >= 4 && strcmp(symbol + length - 4, "@plt") == 0);

    (void)snprintf(r.key, sizeof(r.key), "%s | %s | %s", comm, module, stub ? STUB : symbol);
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->rows[i].key, r.key) == 0) {
            t->rows[i].samples += samples;
            t->rows[i].weight += weight;
            return;
        }
    *new_row(t) = r;
}

/* Columns are padded with blanks. */
static char *trimmed(char *s)
{
    while (*s == ' ')
        s++;
    for (size_t n = strlen(s); n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\n'); n--)
        s[n - 1] = '\0';
    return s;
}

/* period, samples, comm, module, "[.] symbol" */
static void add_perf_line(struct rows *t, char *line)
{
    char *fields[5] = {0}, *save = NULL;
    size_t n = 0;

    for (char *f = strtok_r(line, "\t", &save); f && n < 5; f = strtok_r(NULL, "\t", &save))
        fields[n++] = trimmed(f);
    if (n < 5 || strlen(fields[4]) < 4)
        return;
    add_row(t, fields[2], fields[3], fields[4] + 4, strtoull(fields[1], NULL, 10),
            strtoull(fields[0], NULL, 10));
}

static struct rows perf_rows(void)
{
    struct rows t = {0};
    char line[4096];
    FILE *f = popen("perf report -i perf.data --stdio -F period,sample,comm,dso,sym --no-children "
                    "-g none -w 0,0,20,0,0 -t '\t' --no-demangle 2>/dev/null",
                    "r");

    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        if (line[0] != '#' && line[0] != '\n')
            add_perf_line(&t, line);
    assert_int_equal(pclose(f), 0);
    return t;
}

static const char *short_name(const char *path)
{
    const char *slash = path[0] == '[' ? NULL : strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void add_stack(struct rows *t, const struct slw_stacks *s, size_t index)
{
    struct slw_stack stack = slw_stacks_get(s, index);
    struct slw_thread thread = slw_stacks_thread(s, stack.thread);
    char unnamed[32];

    assert_true(stack.depth > 0);
    struct slw_frame f = slw_stacks_frame(s, stack.frames[0]);
    (void)snprintf(unnamed, sizeof(unnamed), "0x%llx", (unsigned long long)f.address);
    add_row(t, thread.comm, short_name(slw_stacks_mapping(s, f.mapping).path),
            *f.function ? f.function : unnamed, stack.weights[0], stack.weights[1]);
}

static struct rows our_rows(void)
{
    const struct slw_samples_options opts = {.symbols = true};
    struct rows t = {0};
    struct slw_run *run = NULL;
    struct slw_stacks *stacks = NULL;
    struct slw_error err = {0};

    assert_int_equal(slw_run_new(&run, NULL), 0);
    if (slw_samples_load("perf.data", &opts, run, &stacks, &err) < 0)
        print_message("%s (%s)\n", err.text, err.where);
    assert_non_null(stacks);
    for (size_t i = 0; i < slw_stacks_count(stacks); i++)
        add_stack(&t, stacks, i);
    slw_stacks_free(stacks);
    slw_run_free(run);
    return t;
}

static int by_key(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    return strcmp(x->key, y->key);
}

static bool same_row(const struct row *a, const struct row *b)
{
    if (strcmp(a->key, b->key) == 0 && a->samples == b->samples && a->weight == b->weight)
        return true;
    print_message("ours %s: %llu / %llu\nperf %s: %llu / %llu\n", a->key,
                  (unsigned long long)a->samples, (unsigned long long)a->weight, b->key,
                  (unsigned long long)b->samples, (unsigned long long)b->weight);
    return false;
}

static void expect_equal(struct rows ours, struct rows theirs)
{
    uint64_t samples = 0;
    size_t different = 0;

    assert_true(ours.count > 0 && theirs.count > 0);
    qsort(ours.rows, ours.count, sizeof(*ours.rows), by_key);
    qsort(theirs.rows, theirs.count, sizeof(*theirs.rows), by_key);
    for (size_t i = 0; i < ours.count && i < theirs.count && different < 5; i++) {
        samples += ours.rows[i].samples;
        different += !same_row(&ours.rows[i], &theirs.rows[i]);
    }
    print_message("%zu rows, %llu samples\n", ours.count, (unsigned long long)samples);
    assert_int_equal(different, 0);
    assert_int_equal(ours.count, theirs.count);
    free(ours.rows);
    free(theirs.rows);
}

static bool runs(const char *command)
{
    return system(command) == 0;
}

static char dir[] = "/tmp/slw-agree-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(dir) || chdir(dir) < 0)
        return -1;
    FILE *f = fopen("p.c", "w");
    if (!f)
        return -1;
    (void)fputs(program, f);
    return fclose(f);
}

static int tear_down(void **state)
{
    char command[64];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf %s", dir);
    return chdir("/") < 0 || system(command) != 0;
}

/* Build the program twice (it executes its twin), record, compare. */
static void record_and_compare(const char *flags, const char *afterwards, const char *call_graph)
{
    char command[512];

    (void)snprintf(command, sizeof(command),
                   "cc -O1 -fno-omit-frame-pointer %s p.c -o a && %s cp a b", flags, afterwards);
    assert_true(runs(command));
    (void)snprintf(command, sizeof(command),
                   "perf record -q -e cpu-clock -F 4999 %s -o perf.data -- ./a 2>/dev/null",
                   call_graph);
    if (!runs(command))
        skip();
    expect_equal(our_rows(), perf_rows());
}

static void position_independent_programs_agree(void **state)
{
    (void)state;
    record_and_compare("-fPIE -pie", "", "-g");
}

static void fixed_address_programs_agree(void **state)
{
    (void)state;
    record_and_compare("-fno-pie -no-pie", "", "-g");
}

static void static_programs_agree(void **state)
{
    (void)state;
    record_and_compare("-static", "", "-g");
}

static void programs_in_one_segment_agree(void **state)
{
    (void)state;
    record_and_compare("-Wl,-z,noseparate-code", "", "-g");
}

/* Lines come from the separate debug file, and change no weight. */
static void hot_addresses_get_their_source_line(void **state)
{
    const struct slw_samples_options opts = {.symbols = true, .lines = true};
    struct slw_run *run = NULL;
    struct slw_stacks *stacks = NULL;
    size_t lines = 0;

    (void)state;
    record_and_compare("-g",
                       "objcopy --only-keep-debug a a.debug && strip a && objcopy "
                       "--add-gnu-debuglink=a.debug a &&",
                       "-g");
    assert_int_equal(slw_run_new(&run, NULL), 0);
    assert_int_equal(slw_samples_load("perf.data", &opts, run, &stacks, NULL), 0);
    assert_non_null(stacks);
    assert_int_equal(slw_stacks_total(stacks, 0), run->samplings[0].samples);
    assert_int_equal(slw_stacks_total(stacks, 1), run->samplings[0].weight);
    for (uint32_t i = 0; i < slw_stacks_frame_count(stacks); i++) {
        struct slw_frame f = slw_stacks_frame(stacks, i);
        if (strcmp(f.function, "leaf") != 0 || f.line == 0)
            continue;
        assert_int_equal(f.line, 5);
        assert_non_null(strstr(f.file, "p.c"));
        lines++;
    }
    assert_true(lines > 0);
    slw_stacks_free(stacks);
    slw_run_free(run);
}

static void recordings_without_call_chains_agree(void **state)
{
    (void)state;
    record_and_compare("", "", "");
}

static void compressed_recordings_agree(void **state)
{
    (void)state;
    record_and_compare("", "", "-g -z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(position_independent_programs_agree),
        cmocka_unit_test(fixed_address_programs_agree),
        cmocka_unit_test(static_programs_agree),
        cmocka_unit_test(hot_addresses_get_their_source_line),
        cmocka_unit_test(programs_in_one_segment_agree),
        cmocka_unit_test(recordings_without_call_chains_agree),
        cmocka_unit_test(compressed_recordings_agree),
    };
    if (!runs("perf --version >/dev/null 2>&1") || !runs("cc --version >/dev/null 2>&1") ||
        !runs("perf record -q -e cpu-clock -o /dev/null -- true >/dev/null 2>&1")) {
        print_message("skipped: perf or a compiler is missing, or perf may not sample\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
