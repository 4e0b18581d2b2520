/* SPDX-License-Identifier: MIT */
#include "analyzer/perfdata.h"
#include "tests/unit/cmocka_int.h"
#include "tests/unit/perf_image_int.h"

#include <stdio.h>
#include <stdlib.h>

#define USER   PERF_RECORD_MISC_USER
#define UNPACK ((uint64_t)1 << 20)

static const struct image_attr clock_attr = {.type = PERF_TYPE_SOFTWARE,
                                             .config = PERF_COUNT_SW_CPU_CLOCK,
                                             .period = 997,
                                             .sample_type = IMAGE_SAMPLE_TYPE,
                                             .flags = IMAGE_ID_ALL | IMAGE_FREQ};

/* What was handed out, in order. */
struct seen {
    struct slw_perf_record records[64];
    uint64_t chain[64][8];
    char text[64][32];
    size_t count, samples;
};

static int collect(void *ctx, const struct slw_perf_record *r)
{
    struct seen *s = ctx;

    if (r->kind == SLW_PERF_SAMPLE)
        s->samples++;
    if (s->count == 64)
        return 0;
    s->records[s->count] = *r;
    if (r->kind == SLW_PERF_SAMPLE)
        for (uint64_t i = 0; i < r->sample.chain.count && i < 8; i++)
            s->chain[s->count][i] = slw_perf_value(&r->sample.chain, i);
    if (r->kind == SLW_PERF_COMM)
        (void)snprintf(s->text[s->count], 32, "%s", r->comm.name);
    if (r->kind == SLW_PERF_MMAP)
        (void)snprintf(s->text[s->count], 32, "%s", r->mmap.path);
    s->count++;
    return 0;
}

static struct slw_perfdata *open_image(const struct image *i)
{
    struct slw_perfdata *pd = NULL;
    struct slw_error err = {0};
    int rc = slw_perfdata_open_bytes(i->out.data, i->out.length, UNPACK, &pd, &err);

    if (rc < 0)
        print_message("%s (%s)\n", err.text, err.where);
    assert_int_equal(rc, 0);
    return pd;
}

static void expect_refusal(const struct image *i, enum slw_code code, const char *text,
                           const char *where)
{
    struct slw_perfdata *pd = NULL;
    struct slw_error err = {0};

    assert_int_equal(slw_perfdata_open_bytes(i->out.data, i->out.length, UNPACK, &pd, &err),
                     -(int)code);
    assert_null(pd);
    assert_non_null(strstr(err.text, text));
    assert_string_equal(err.where, where);
}

static const uint64_t chain[] = {(uint64_t)PERF_CONTEXT_USER, 0x1010, 0x1020, 0x1030};

static void put_story(struct image *i)
{
    put_comm(i, 7, 7, "client", 10, true);
    put_mmap(i, USER, 7, 0x1000, 0x1000, 0, "/bin/client", 20);
    put_sample(i, USER, 7, 8, 30, 1001, chain, 4, 0x1010);
    put_fork(i, 9, 7, 9, 7, 40);
    put_sample(i, USER, 9, 9, 50, 1002, chain, 2, 0x1010);
}

static void expect_story(const struct image *i)
{
    struct slw_perfdata *pd = open_image(i);
    struct seen s = {0};

    assert_int_equal(slw_perfdata_event_count(pd), 1);
    assert_string_equal(slw_perfdata_event(pd, 0)->name, "cpu-clock");
    assert_int_equal(slw_perfdata_event(pd, 0)->attr.period_or_freq, 997);
    assert_true(slw_perfdata_event(pd, 0)->attr.flags & SLW_PERF_ATTR_FREQ);
    assert_int_equal(slw_perfdata_event(pd, 0)->sample_count, 2);
    assert_int_equal(slw_perfdata_each(pd, collect, &s), 0);
    assert_int_equal(s.count, 5);
    assert_string_equal(s.text[0], "client");
    assert_true(s.records[0].comm.exec);
    assert_string_equal(s.text[1], "/bin/client");
    assert_int_equal(s.records[1].mmap.start, 0x1000);
    assert_int_equal(s.records[1].time, 20);
    assert_int_equal(s.records[2].tid, 8);
    assert_int_equal(s.records[2].sample.period, 1001);
    assert_int_equal(s.records[2].sample.chain.count, 4);
    assert_int_equal(s.chain[2][3], 0x1030);
    assert_int_equal(s.records[3].fork.ppid, 7);
    assert_int_equal(s.records[4].time, 50);
    assert_string_equal(slw_perfdata_damage(pd)->reason, "");
    slw_perfdata_close(pd);
}

static void file_and_pipe_tell_the_same_in_both_byte_orders(void **state)
{
    static const uint32_t sizes[] = {64, 72, 80, 96, 112, 128, 136, 152, 200};

    (void)state;
    for (unsigned k = 0; k < 4 * sizeof(sizes) / sizeof(sizes[0]); k++) {
        struct image i = {.swap = k & 1};
        uint32_t size = sizes[k / 4];
        if (k & 2) {
            pipe_header(&i);
            pipe_attr(&i, &clock_attr, size, 100);
        } else {
            file_header(&i, &clock_attr, 1, size, 100);
        }
        put_story(&i);
        if (!(k & 2))
            file_end(&i);
        expect_story(&i);
        slw_buf_release(&i.out);
    }
}

static void compressed_records_unpack_even_when_split(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 4; k++) {
        struct image inner = {0}, i = {0};
        ZSTD_CCtx *stream = ZSTD_createCCtx();
        put_story(&inner);
        size_t half = k & 2 ? inner.out.length / 2 + 5 : inner.out.length;
        file_header(&i, &clock_attr, 1, 128, 100);
        put_compressed(&i, stream, inner.out.data, half, k & 1);
        if (half < inner.out.length)
            put_compressed(&i, stream, inner.out.data + half, inner.out.length - half, k & 1);
        file_end(&i);
        expect_story(&i);
        ZSTD_freeCCtx(stream);
        slw_buf_release(&inner.out);
        slw_buf_release(&i.out);
    }
}

static void compressed_garbage_is_damage_and_a_bomb_is_refused(void **state)
{
    struct image i = {0}, bomb = {0};
    struct slw_perfdata *pd = NULL;
    static char zeros[4 << 20];

    (void)state;
    pipe_header(&i);
    pipe_attr(&i, &clock_attr, 128, 1);
    put_story(&i);
    begin_record(&i, SLW_PERF_RECORD_COMPRESSED, 0);
    put64(&i, 0x1234567812345678);
    end_record(&i);
    pd = open_image(&i);
    assert_int_equal(slw_perfdata_event(pd, 0)->sample_count, 2);
    assert_int_equal(slw_perfdata_damage(pd)->unreadable_bytes, 8);
    slw_perfdata_close(pd);
    slw_buf_release(&i.out);

    ZSTD_CCtx *stream = ZSTD_createCCtx();
    pipe_header(&bomb);
    pipe_attr(&bomb, &clock_attr, 128, 1);
    put_compressed(&bomb, stream, zeros, sizeof(zeros), false);
    assert_int_equal(slw_perfdata_open_bytes(bomb.out.data, bomb.out.length, UNPACK, &pd, NULL),
                     -SLW_E_LIMIT);
    ZSTD_freeCCtx(stream);
    slw_buf_release(&bomb.out);
}

static void records_come_in_time_order_and_equals_stay_put(void **state)
{
    struct image i = {0};
    struct seen s = {0};
    static const uint64_t times[] = {50, 60, 10, 20, 30, 55, 20, 5, 60};
    static const uint64_t sorted[] = {5, 10, 20, 20, 30, 50, 55, 60, 60};

    (void)state;
    pipe_header(&i);
    pipe_attr(&i, &clock_attr, 128, 1);
    for (uint32_t k = 0; k < 9; k++)
        put_sample(&i, USER, 1, k, times[k], 1, chain, 1, 0x1);
    put_comm(&i, 1, 1, "before", 0, false); /* stamped 0: was there before all samples */
    struct slw_perfdata *pd = open_image(&i);
    assert_int_equal(slw_perfdata_each(pd, collect, &s), 0);
    assert_int_equal(s.records[0].kind, SLW_PERF_COMM);
    for (size_t k = 0; k < 9; k++)
        assert_int_equal(s.records[k + 1].time, sorted[k]);
    assert_int_equal(s.records[3].tid, 3); /* of the two at 20, the one that was written first */
    assert_int_equal(s.records[4].tid, 6);
    slw_perfdata_close(pd);
    slw_buf_release(&i.out);
}

/* Cut an image after every byte: what was whole before the cut must be handed out. */
static void cut_everywhere(struct image *i, size_t header, const size_t *sample_ends,
                           size_t sample_count)
{
    for (size_t cut = 0; cut < i->out.length; cut++) {
        char *copy = malloc(cut + 1); /* exactly sized: ASan sees a read past the cut */
        struct slw_perfdata *pd = NULL;
        struct slw_error err = {0};
        size_t whole = 0;
        struct seen s = {0};

        memcpy(copy, i->out.data, cut);
        for (size_t k = 0; k < sample_count; k++)
            whole += sample_ends[k] <= cut;
        int rc = slw_perfdata_open_bytes(copy, cut, UNPACK, &pd, &err);
        if (rc == 0) {
            assert_int_equal(slw_perfdata_each(pd, collect, &s), 0);
            assert_int_equal(s.samples, whole);
            slw_perfdata_close(pd);
        } else {
            assert_int_equal(rc, -SLW_E_FORMAT);
            assert_int_equal(whole, 0);
            assert_true(err.where[0] != '\0');
        }
        assert_true(rc == 0 || cut < header || whole == 0);
        free(copy);
    }
}

static void a_file_cut_anywhere_keeps_its_earlier_samples(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 4; k++) {
        struct image i = {.swap = k & 1};
        size_t ends[3];
        if (k & 2) {
            pipe_header(&i);
            pipe_attr(&i, &clock_attr, 128, 1);
        } else {
            file_header(&i, &clock_attr, 1, 128, 1);
        }
        size_t header = i.out.length;
        for (uint64_t n = 0; n < 3; n++) {
            put_comm(&i, 7, 7, "client", 10 * n + 1, false);
            put_sample(&i, USER, 7, 7, 10 * n + 2, 5, chain, 4, 0x1010);
            ends[n] = i.out.length;
        }
        put_fork(&i, 9, 7, 9, 7, 40);
        if (!(k & 2))
            file_end(&i);
        cut_everywhere(&i, header, ends, 3);
        slw_buf_release(&i.out);
    }
}

static void a_cut_file_says_so(void **state)
{
    struct image i = {0};

    (void)state;
    file_header(&i, &clock_attr, 1, 128, 1);
    put_story(&i);
    file_end(&i);
    i.out.length -= 8;
    struct slw_perfdata *pd = open_image(&i);
    assert_non_null(strstr(slw_perfdata_damage(pd)->reason, "cut off"));
    assert_true(slw_perfdata_damage(pd)->unreadable_bytes > 0);
    slw_perfdata_close(pd);
    slw_buf_release(&i.out);
}

static void a_killed_recorder_leaves_what_it_wrote(void **state)
{
    struct image i = {0};

    (void)state;
    file_header(&i, &clock_attr, 1, 128, 1);
    put_story(&i); /* and the size of the data section stays 0 */
    struct slw_perfdata *pd = open_image(&i);
    assert_int_equal(slw_perfdata_event(pd, 0)->sample_count, 2);
    assert_true(slw_perfdata_damage(pd)->unfinished);
    slw_perfdata_close(pd);
    slw_buf_release(&i.out);
}

static void a_record_of_size_zero_stops_the_walk(void **state)
{
    (void)state;
    for (unsigned samples_first = 0; samples_first < 2; samples_first++) {
        struct image i = {0};
        char where[32];
        pipe_header(&i);
        pipe_attr(&i, &clock_attr, 128, 1);
        put_comm(&i, 1, 1, "a", 1, false);
        if (samples_first)
            put_story(&i);
        size_t at = i.out.length;
        begin_record(&i, PERF_RECORD_SAMPLE, USER); /* never ended: size 0 */
        put_zeros(&i, 24);
        (void)snprintf(where, sizeof(where), "offset 0x%zx", at);
        if (samples_first) {
            struct slw_perfdata *pd = open_image(&i);
            assert_int_equal(slw_perfdata_damage(pd)->first_offset, at);
            assert_int_equal(slw_perfdata_damage(pd)->unreadable_bytes, 32);
            slw_perfdata_close(pd);
        } else {
            expect_refusal(&i, SLW_E_FORMAT, "record of size 0", where);
        }
        slw_buf_release(&i.out);
    }
}

static void what_is_no_perf_data_is_refused(void **state)
{
    struct image i = {0};

    (void)state;
    slw_buf_puts(&i.out, "short");
    expect_refusal(&i, SLW_E_FORMAT, "unknown format", "offset 0x0");
    slw_buf_puts(&i.out, " no more, but still no perf.data at all");
    expect_refusal(&i, SLW_E_FORMAT, "unknown format", "offset 0x0");
    i.out.length = 0;
    slw_buf_puts(&i.out, "PERFFILE and more than a header's worth of bytes");
    expect_refusal(&i, SLW_E_FORMAT, "version 1", "offset 0x0");
    slw_buf_release(&i.out);
}

/* Every field at once, each holding its own number. */
#define ALL_FIELDS                                                                                 \
    (PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |                \
     PERF_SAMPLE_ADDR | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU |                 \
     PERF_SAMPLE_PERIOD | PERF_SAMPLE_READ | PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_RAW |             \
     PERF_SAMPLE_BRANCH_STACK | PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER |                   \
     PERF_SAMPLE_WEIGHT | PERF_SAMPLE_DATA_SRC | PERF_SAMPLE_TRANSACTION | PERF_SAMPLE_REGS_INTR | \
     PERF_SAMPLE_PHYS_ADDR | PERF_SAMPLE_CGROUP | PERF_SAMPLE_DATA_PAGE_SIZE |                     \
     PERF_SAMPLE_CODE_PAGE_SIZE | PERF_SAMPLE_AUX)

static void put_full_sample(struct image *i)
{
    begin_record(i, PERF_RECORD_SAMPLE, USER);
    put64(i, 100); /* IDENTIFIER */
    put64(i, 0xa1);
    put32(i, 11);
    put32(i, 12);
    put64(i, 0xa3);
    put64(i, 0xa4);
    put64(i, 100);
    put64(i, 0xa6);
    put32(i, 3);
    put32(i, 0);
    put64(i, 0xa8);
    put64(i, 2); /* READ: two values, enabled, running, { value, id, lost } each */
    put64(i, 1);
    put64(i, 1);
    for (uint64_t k = 0; k < 2; k++) {
        put64(i, 0xb0 + k);
        put64(i, 100 + k);
        put64(i, 0);
    }
    put64(i, 1); /* CALLCHAIN */
    put64(i, 0xc0);
    put32(i, 12); /* RAW */
    put_zeros(i, 12);
    put64(i, 1); /* BRANCH_STACK with hw_idx */
    put64(i, 0);
    put_zeros(i, 24);
    put64(i, 2); /* REGS_USER: two of them */
    put64(i, 0xd0);
    put64(i, 0xd1);
    put64(i, 16); /* STACK_USER: 8 of 16 bytes were there */
    put_zeros(i, 16);
    put64(i, 8);
    put_zeros(i, 24); /* WEIGHT, DATA_SRC, TRANSACTION */
    put64(i, 2);      /* REGS_INTR: one */
    put64(i, 0);
    put_zeros(i, 32); /* PHYS_ADDR, CGROUP, DATA_PAGE_SIZE, CODE_PAGE_SIZE */
    put64(i, 8);      /* AUX */
    put64(i, 0);
    end_record(i);
}

static const struct image_attr full_attr = {
    .sample_type = ALL_FIELDS,
    .read_format = PERF_FORMAT_GROUP | PERF_FORMAT_ID | PERF_FORMAT_TOTAL_TIME_ENABLED |
                   PERF_FORMAT_TOTAL_TIME_RUNNING | (1 << 4),
    .branch_sample_type = 1 << 17,
    .regs_user = 5,
    .regs_intr = 8,
    .stack_user = 16};

static void every_sample_field_is_found_in_its_place(void **state)
{
    (void)state;
    for (unsigned swap = 0; swap < 2; swap++) {
        struct image i = {.swap = swap};
        struct seen s = {0};
        const struct image_attr attrs[] = {full_attr, full_attr};
        file_header(&i, attrs, 2, 128, 100);
        put_full_sample(&i);
        file_end(&i);
        struct slw_perfdata *pd = open_image(&i);
        assert_int_equal(slw_perfdata_each(pd, collect, &s), 0);
        assert_int_equal(s.count, 1);
        const struct slw_perf_record *r = &s.records[0];
        assert_int_equal(r->sample.ip, 0xa1);
        assert_int_equal(r->pid, 11);
        assert_int_equal(r->tid, 12);
        assert_int_equal(r->time, 0xa3);
        assert_int_equal(r->sample.address, 0xa4);
        assert_int_equal(r->sample.stream_id, 0xa6);
        assert_int_equal(r->cpu, 3);
        assert_int_equal(r->sample.period, 0xa8);
        assert_int_equal(r->sample.read_count, 2);
        assert_int_equal(slw_perf_value(&r->sample.read, r->sample.read_stride), 0xb1);
        assert_int_equal(
            slw_perf_value(&r->sample.read, r->sample.read_stride + r->sample.read_id_index), 101);
        assert_int_equal(s.chain[0][0], 0xc0);
        assert_int_equal(r->sample.branch_count, 1);
        assert_int_equal(slw_perf_value(&r->sample.regs_user, 1), 0xd1);
        assert_int_equal(r->sample.stack_user_bytes, 8);
        slw_perfdata_close(pd);
        slw_buf_release(&i.out);
    }
}

/* Shorten the record word by word: it no longer holds what its type promises. */
static void a_sample_that_does_not_fit_its_record_is_damage(void **state)
{
    struct image whole = {0};
    const struct image_attr attrs[] = {full_attr, full_attr};

    (void)state;
    file_header(&whole, attrs, 2, 128, 100);
    size_t at = whole.out.length;
    put_full_sample(&whole);
    size_t length = whole.out.length - at;
    /* Without its first word, the id, it would belong to nobody: counted elsewhere. */
    for (size_t cut = 8; length - cut >= 16; cut += 8) {
        struct image i = {.data = whole.data};
        struct seen s = {0};
        slw_buf_put(&i.out, whole.out.data, whole.out.length - cut);
        patch16(&i, at + 6, (uint16_t)(length - cut));
        file_end(&i);
        struct slw_perfdata *pd = open_image(&i);
        assert_int_equal(slw_perfdata_each(pd, collect, &s), 0);
        assert_int_equal(s.count, 0);
        assert_int_equal(slw_perfdata_damage(pd)->unreadable_bytes, length - cut);
        assert_int_equal(slw_perfdata_damage(pd)->first_offset, at);
        assert_int_equal(slw_perfdata_each(pd, collect, &s), 0); /* counted once */
        assert_int_equal(slw_perfdata_damage(pd)->unreadable_bytes, length - cut);
        slw_perfdata_close(pd);
        slw_buf_release(&i.out);
    }
    slw_buf_release(&whole.out);
}

static void trace_payload_is_stepped_over(void **state)
{
    struct image i = {0};

    (void)state;
    pipe_header(&i);
    pipe_attr(&i, &clock_attr, 128, 1);
    begin_record(&i, SLW_PERF_RECORD_AUXTRACE, 0);
    put64(&i, 40); /* bytes behind the record */
    put_zeros(&i, 32);
    end_record(&i);
    put_zeros(&i, 40); /* would be records of size 0 */
    begin_record(&i, SLW_PERF_RECORD_HEADER_TRACING_DATA, 0);
    put32(&i, 5); /* padded to 8 */
    end_record(&i);
    put_zeros(&i, 8);
    put_story(&i);
    expect_story(&i);
    struct slw_perfdata *pd = open_image(&i);
    assert_int_equal(slw_perfdata_damage(pd)->trace_bytes, 40);
    slw_perfdata_close(pd);
    slw_buf_release(&i.out);
}

static void samples_of_nobody_are_counted_and_left_out(void **state)
{
    struct image i = {0};
    const struct image_attr a = {.sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP};
    const struct image_attr attrs[] = {a, a};
    static const uint64_t ids[] = {100, 101, 999, 101};

    (void)state;
    file_header(&i, attrs, 2, 128, 100);
    for (size_t k = 0; k < 4; k++) {
        begin_record(&i, PERF_RECORD_SAMPLE, USER);
        put64(&i, ids[k]);
        put64(&i, 0x10);
        end_record(&i);
    }
    file_end(&i);
    struct slw_perfdata *pd = open_image(&i);
    assert_int_equal(slw_perfdata_event(pd, 0)->sample_count, 1);
    assert_int_equal(slw_perfdata_event(pd, 1)->sample_count, 2);
    assert_int_equal(slw_perfdata_damage(pd)->unknown_events, 1);
    slw_perfdata_close(pd);
    slw_buf_release(&i.out);
}

static void pipe_features_name_host_command_and_events(void **state)
{
    struct image i = {0};

    (void)state;
    pipe_header(&i);
    pipe_attr(&i, &clock_attr, 128, 100);
    begin_record(&i, SLW_PERF_RECORD_HEADER_FEATURE, 0);
    put64(&i, SLW_PERF_HOSTNAME);
    put32(&i, 16);
    slw_buf_put(&i.out, "dbclient\0\0\0\0\0\0\0\0", 16);
    end_record(&i);
    begin_record(&i, SLW_PERF_RECORD_HEADER_FEATURE, 0);
    put64(&i, SLW_PERF_CMDLINE);
    put32(&i, 2);
    put32(&i, 4);
    slw_buf_put(&i.out, "a b\0", 4);
    put32(&i, 4);
    slw_buf_put(&i.out, "c\0\0\0", 4);
    end_record(&i);
    begin_record(&i, SLW_PERF_RECORD_EVENT_UPDATE, 0);
    put64(&i, 2);
    put64(&i, 100);
    put_text(&i, "cpu-clock:u", 8);
    end_record(&i);
    put_story(&i);
    struct slw_perfdata *pd = open_image(&i);
    const struct slw_perf_meta *m = slw_perfdata_meta(pd);
    assert_string_equal(m->hostname, "dbclient");
    assert_int_equal(m->argc, 2);
    assert_string_equal(m->argv[0], "a b");
    assert_string_equal(m->argv[1], "c");
    assert_string_equal(slw_perfdata_event(pd, 0)->name, "cpu-clock:u");
    slw_perfdata_close(pd);
    slw_buf_release(&i.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_and_pipe_tell_the_same_in_both_byte_orders),
        cmocka_unit_test(compressed_records_unpack_even_when_split),
        cmocka_unit_test(compressed_garbage_is_damage_and_a_bomb_is_refused),
        cmocka_unit_test(records_come_in_time_order_and_equals_stay_put),
        cmocka_unit_test(a_file_cut_anywhere_keeps_its_earlier_samples),
        cmocka_unit_test(a_cut_file_says_so),
        cmocka_unit_test(a_killed_recorder_leaves_what_it_wrote),
        cmocka_unit_test(a_record_of_size_zero_stops_the_walk),
        cmocka_unit_test(what_is_no_perf_data_is_refused),
        cmocka_unit_test(every_sample_field_is_found_in_its_place),
        cmocka_unit_test(a_sample_that_does_not_fit_its_record_is_damage),
        cmocka_unit_test(trace_payload_is_stepped_over),
        cmocka_unit_test(samples_of_nobody_are_counted_and_left_out),
        cmocka_unit_test(pipe_features_name_host_command_and_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
