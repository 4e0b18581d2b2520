/* SPDX-License-Identifier: MIT */
/* Samples of simple layouts are decoded at once: what comes of it is what comes of asking for field
 * after field, whatever fields there are, and records that are cut anywhere are refused by both.
 * The seed is printed; give it as the first argument to repeat a failure. */
#include "analyzer/perfdata_int.h"
#include "tests/unit/cmocka_int.h"
#include "tests/unit/perf_image_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LAYOUTS 200
#define SAMPLES 40 /* of each */

static uint64_t seed;

/* xorshift64*. Source: Vigna 2016. */
static uint32_t below(uint32_t limit)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (uint32_t)((seed * UINT64_C(2685821657736338717)) >> 33) % limit;
}

static struct image_attr random_attr(void)
{
    static const uint64_t optional[] = {PERF_SAMPLE_IDENTIFIER, PERF_SAMPLE_TIME,
                                        PERF_SAMPLE_ID,         PERF_SAMPLE_CPU,
                                        PERF_SAMPLE_PERIOD,     PERF_SAMPLE_CALLCHAIN};
    struct image_attr a = {.type = PERF_TYPE_SOFTWARE,
                           .config = PERF_COUNT_SW_CPU_CLOCK,
                           .period = 997,
                           .sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID,
                           .flags = below(2) ? IMAGE_FREQ : 0};

    for (size_t i = 0; i < sizeof(optional) / sizeof(optional[0]); i++)
        a.sample_type |= below(2) ? optional[i] : 0;
    if (a.sample_type & PERF_SAMPLE_IDENTIFIER) /* told twice is not simple */
        a.sample_type &= ~(uint64_t)PERF_SAMPLE_ID;
    return a;
}

static void assert_same_values(const struct slw_perf_values *a, const struct slw_perf_values *b)
{
    assert_int_equal(a->count, b->count);
    assert_true(a->bytes == b->bytes);
    assert_int_equal(a->swap, b->swap);
}

static void assert_same(const struct slw_perf_record *a, const struct slw_perf_record *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->misc, b->misc);
    assert_true(a->time == b->time);
    assert_int_equal(a->pid, b->pid);
    assert_int_equal(a->tid, b->tid);
    assert_int_equal(a->cpu, b->cpu);
    assert_int_equal(a->event, b->event);
    assert_true(a->sample.ip == b->sample.ip);
    assert_true(a->sample.id == b->sample.id);
    assert_true(a->sample.period == b->sample.period);
    assert_int_equal(a->sample.has_ip, b->sample.has_ip);
    assert_int_equal(a->sample.has_period, b->sample.has_period);
    assert_int_equal(a->sample.has_chain, b->sample.has_chain);
    assert_int_equal(a->sample.read_count, b->sample.read_count);
    assert_int_equal(a->sample.branch_count, b->sample.branch_count);
    assert_int_equal(a->sample.stack_user_bytes, b->sample.stack_user_bytes);
    assert_same_values(&a->sample.chain, &b->sample.chain);
}

/* Bytes of nothing in particular, with a small number where a chain may say how long it is. */
static uint32_t fill(const struct slw_perf_layout *l, uint8_t *body, uint32_t capacity)
{
    const uint64_t depth = below(20);

    for (uint32_t i = 0; i < capacity; i++)
        body[i] = (uint8_t)below(256);
    memcpy(body + l->bytes, &depth, sizeof(depth));
    return below(3) ? l->bytes + (uint32_t)(8 + 8 * depth) : below(capacity);
}

static void one_layout(const struct slw_perfdata *pd)
{
    struct slw_perf_record at_once = {.misc = 0};
    uint8_t body[512];
    bool blank = false;

    for (int i = 0; i < SAMPLES; i++) {
        const uint32_t length = fill(&pd->layouts[0], body, sizeof(body));
        const struct slw_perf_raw raw = {.type = PERF_RECORD_SAMPLE,
                                         .misc = (uint16_t)below(8),
                                         .size = length + 8,
                                         .body = {.at = body, .end = body + length}};
        struct slw_perf_record by_field = {
            .misc = raw.misc, .pid = -1, .tid = -1, .cpu = -1, .kind = SLW_PERF_SAMPLE};
        const bool fits = slw_perf_decode_sample(pd, &raw, &by_field);

        assert_int_equal(slw_perf_decode_simple(pd, &raw, 0, blank, &at_once), fits);
        if (fits)
            assert_same(&at_once, &by_field);
        blank = blank || fits;
    }
}

static void decoded_at_once_or_by_field_it_is_the_same(void **state)
{
    (void)state;
    for (int n = 0; n < LAYOUTS; n++) {
        const struct image_attr attr = random_attr();
        struct image i = {.swap = false};
        struct slw_perfdata *pd = NULL;

        pipe_header(&i);
        pipe_attr(&i, &attr, 128, 1);
        put_comm(&i, 7, 7, "client", 0, 1);
        assert_int_equal(slw_perfdata_open_bytes(i.out.data, i.out.length, 1 << 20, &pd, NULL), 0);
        assert_true(pd->layouts[0].simple);
        one_layout(pd);
        slw_perfdata_close(pd);
        slw_buf_release(&i.out);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoded_at_once_or_by_field_it_is_the_same)};

    seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL) | 1;
    printf("seed %llu\n", (unsigned long long)seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
