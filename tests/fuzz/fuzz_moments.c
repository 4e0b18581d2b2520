/* SPDX-License-Identifier: MIT */
/* Any bytes as the times of samples of a small profile. What is accepted must be written and read
 * back with the same sums. */
#include "record/run_dir.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* main calls work, in a thread of a name and in none. */
static struct slw_stacks *profile(void)
{
    const struct slw_column columns[] = {
        {"cpu-clock", "count", {SLW_SOURCE_SOFTWARE, false, NULL}},
        {"cpu-clock", "nanoseconds", {SLW_SOURCE_SOFTWARE, false, NULL}}};
    const struct slw_mapping map = {"/bin/x", "", 0, 0, 0};
    const struct slw_frame frames[] = {{.function = "work", .mapping = 0},
                                       {.function = "main", .mapping = 0}};
    const struct slw_thread thread = {"x", 1, 1};
    const uint64_t weights[] = {1, 1000};
    struct slw_stacks *s = NULL;
    uint32_t ids[2], id;

    if (slw_stacks_new(columns, 2, &s, NULL) < 0 || slw_stacks_add_mapping(s, &map, &id) < 0 ||
        slw_stacks_add_frame(s, &frames[0], &ids[0]) < 0 ||
        slw_stacks_add_frame(s, &frames[1], &ids[1]) < 0 ||
        slw_stacks_add_thread(s, &thread, &id) < 0 || slw_stacks_add(s, ids, 2, id, weights) < 0 ||
        slw_stacks_add(s, ids, 2, SLW_NO_THREAD, weights) < 0)
        abort();
    return s;
}

static uint64_t weight_of(const struct slw_moments *m)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < slw_moments_count(m); i++)
        sum += slw_moments_get(m, i)->weight;
    return sum;
}

static void check(const struct slw_moments *m, const struct slw_stacks *s)
{
    struct slw_moments *again = NULL;
    struct slw_buf bytes = {0};

    if (slw_moments_to_pprof(m, &bytes, NULL) < 0 ||
        slw_moments_from_pprof(bytes.data, bytes.length, s, &again, NULL) < 0 ||
        weight_of(m) != weight_of(again) || slw_moments_count(m) != slw_moments_count(again))
        abort();
    slw_moments_free(again);
    slw_buf_release(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_stacks *s = profile();
    struct slw_moments *m = NULL;
    struct slw_error err = {0};

    if (slw_moments_from_pprof(data, size, s, &m, &err) == 0)
        check(m, s);
    else if (!err.text[0])
        abort();
    slw_moments_free(m);
    slw_stacks_free(s);
    return 0;
}
