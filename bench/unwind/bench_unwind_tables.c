/* SPDX-License-Identifier: MIT */
/* What the tables of some files cost the first time and the second: bench_unwind_tables CACHE
 * FILE... prints a line of JSON for each, times in ns: to make the table from the open file, to
 * keep it, and to load it again. Not for: what it costs beside them to walk stacks
 * (bench_unwind.py). */
#include "analyzer/elf_file.h"
#include "analyzer/unwind/cfi_cache.h"
#include "analyzer/unwind/cfi_image.h"

#include <stdio.h>
#include <time.h>

static unsigned long long now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (unsigned long long)t.tv_sec * 1000000000ULL + (unsigned long long)t.tv_nsec;
}

static int measure(const char *cache, const char *path)
{
    struct slw_elf elf = {.fd = -1};
    struct slw_cfi_table made, loaded;
    char build_id[SLW_BUILD_ID_HEX_BYTES];
    unsigned long long begin = now_ns();

    if (slw_elf_open(path, &elf) < 0)
        return 1;
    slw_elf_build_id(&elf, build_id);
    int rc = slw_cfi_compile_image(&elf, &made, NULL);
    slw_elf_close(&elf);
    if (rc < 0)
        return 1;
    unsigned long long compiled = now_ns();
    bool kept = slw_cfi_cache_store(cache, build_id, &made, NULL) == 0;
    unsigned long long stored = now_ns();
    bool found = slw_cfi_cache_load(cache, build_id, &loaded);
    unsigned long long end = now_ns();
    printf(
        "{\"rows\": %u, \"make_ns\": %llu, \"keep_ns\": %llu, \"load_ns\": %llu, \"kept\": %s}\n",
        made.row_count, compiled - begin, stored - compiled, end - stored,
        kept && found ? "true" : "false");
    if (found)
        slw_cfi_table_release(&loaded);
    slw_cfi_table_release(&made);
    return 0;
}

int main(int argc, char **argv)
{
    int wrong = argc < 3;

    for (int i = 2; i < argc; i++)
        wrong |= measure(argv[1], argv[i]);
    return wrong;
}
