/* SPDX-License-Identifier: MIT */
/* Names for a profile of addresses: of this very program, which knows where its functions are. */
#include "analyzer/naming.h"

#include "tests/unit/cmocka_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((noinline)) static int a_static_function(int n)
{
    return n * 3 + 1;
}

/* Where code of this process lies in its file. */
static uint64_t file_offset(uintptr_t address, char ret_path[512])
{
    char line[1024];
    FILE *maps = fopen("/proc/self/maps", "r");
    uint64_t found = 0;

    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps)) {
        uint64_t start, end, offset;

        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %*s %511s", &start, &end,
                   &offset, ret_path) == 4 &&
            address >= start && address < end) {
            found = address - start + offset;
            break;
        }
    }
    (void)fclose(maps);
    assert_true(found > 0);
    return found;
}

static uint32_t add(struct slw_stacks *s, const char *path, uint64_t address)
{
    const struct slw_mapping m = {.path = path, .build_id = ""};
    struct slw_frame f = {
        .function = "", .linkage = "", .file = "", .address = address, .kind = SLW_FRAME_USER};
    uint32_t id = 0;

    assert_int_equal(slw_stacks_add_mapping(s, &m, &f.mapping), 0);
    assert_int_equal(slw_stacks_add_frame(s, &f, &id), 0);
    return id;
}

static bool has_function(const struct slw_stacks *s, const char *name)
{
    for (uint32_t i = 0; i < slw_stacks_frame_count(s); i++)
        if (strcmp(slw_stacks_frame(s, i).function, name) == 0)
            return true;
    return false;
}

static void static_functions_have_names_and_others_a_place(void **state)
{
    const struct slw_column column = {"slots", "slots", {.source = SLW_SOURCE_SIMULATED}};
    const struct slw_naming_options opts = {0};
    struct slw_stacks *raw = NULL, *named = NULL;
    struct slw_run *run = NULL;
    char path[512], place[600];
    int (*volatile function)(int) = a_static_function;
    const uint64_t offset = file_offset((uintptr_t)function, path);
    const uint64_t nine = 9, one = 1;
    const char *slash = strrchr(path, '/');

    (void)state;
    assert_int_equal(slw_run_new(&run, NULL), 0);
    assert_int_equal(slw_stacks_new(&column, 1, &raw, NULL), 0);
    const uint32_t frames[] = {add(raw, path, offset), add(raw, path, 8)};
    const uint32_t jit[] = {add(raw, "/tmp/perf-999999999.map", 0x1234)};
    assert_int_equal(slw_stacks_add(raw, frames, 2, SLW_NO_THREAD, &nine), 0);
    assert_int_equal(slw_stacks_add(raw, jit, 1, SLW_NO_THREAD, &one), 0);
    assert_int_equal(slw_stacks_name(raw, &opts, run, &named, NULL), 0);
    assert_true(has_function(named, "a_static_function"));
    (void)snprintf(place, sizeof(place), "%s+0x8", slash + 1); /* no symbol covers the header */
    assert_true(has_function(named, place));
    assert_int_equal(slw_stacks_count(named), 2);
    assert_int_equal(slw_stacks_total(named, 0), 10);
    assert_int_equal(function(1), 4);
    slw_stacks_free(raw);
    slw_stacks_free(named);
    slw_run_free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(static_functions_have_names_and_others_a_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
