/* SPDX-License-Identifier: MIT */
/* Where a test program itself is mapped, from /proc/self/maps, as a recorder would tell it. */
#ifndef SLW_TESTS_UNIT_OWN_MAPPING_INT_H
#define SLW_TESTS_UNIT_OWN_MAPPING_INT_H

#include "tests/unit/cmocka_int.h"

#include <stdint.h>
#include <stdio.h>

struct own_mapping {
    uint64_t start, length, offset, inode;
    uint32_t major, minor;
    char path[512];
};

static inline struct own_mapping own_mapping(uint64_t address)
{
    struct own_mapping m = {0};
    unsigned long long start, end, offset, inode;
    char line[1024];
    FILE *f = fopen("/proc/self/maps", "re");

    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        if (sscanf(line, "%llx-%llx %*s %llx %x:%x %llu %511s", &start, &end, &offset, &m.major,
                   &m.minor, &inode, m.path) == 7 &&
            address >= start && address < end) {
            m.start = start;
            m.length = end - start;
            m.offset = offset;
            m.inode = inode;
            break;
        }
    assert_int_equal(fclose(f), 0);
    assert_true(m.start != 0);
    return m;
}

#endif
