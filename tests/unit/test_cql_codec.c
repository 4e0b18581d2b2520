/* SPDX-License-Identifier: MIT */
/* The codec of the CQL native protocol: known answers, and every message there and back, whole and
 * cut at every byte. */
#include "tests/unit/cmocka_int.h"
#include "workloads/cql/compress.h"
#include "workloads/cql/crc.h"
#include "workloads/cql/message.h"

#include <stdlib.h>
#include <string.h>

/* ---- checksums ---- */

/* Computed by cassandra.segment of the DataStax Python driver 3.25. */
static void crc24_has_known_answers(void **state)
{
    static const struct {
        uint8_t bytes[5];
        size_t length;
        uint32_t crc;
    } known[] = {
        {{0}, 3, 0x7de777},          {{1}, 3, 0x15876f},
        {{1, 0, 2}, 3, 0xac5672},    {{0xff, 0xff, 1}, 3, 0xfe9138},
        {{0x32, 0, 2}, 3, 0xeeffa5}, {{5, 4, 3, 2, 1}, 5, 0x55cd12},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        assert_int_equal(slw_cql_crc24(known[i].bytes, known[i].length), known[i].crc);
}

static void crc32_has_a_known_answer(void **state)
{
    (void)state;
    assert_int_equal(slw_cql_crc32((const uint8_t *)"123456789", 9), 0xe2a261a7);
}

/* ---- frames ---- */

static void next_is(struct slw_cql_decoder *d, struct slw_cql_envelope *m)
{
    struct slw_error err = {0};

    if (slw_cql_decoder_next(d, m, &err) != 1)
        fail_msg("no message: %s", err.text);
}

static int next_fails(struct slw_cql_decoder *d)
{
    struct slw_cql_envelope m;
    struct slw_error err = {0};
    int rc = 1;

    while (rc > 0)
        rc = slw_cql_decoder_next(d, &m, &err);
    assert_true(rc == 0 || err.text[0]);
    return rc;
}

static void feed(struct slw_cql_decoder *d, const void *bytes, size_t length)
{
    assert_int_equal(slw_cql_decoder_feed(d, bytes, length, NULL), 0);
}

/* An OPTIONS of v5 in a frame, as the Python driver sends it. */
static const uint8_t framed_options[] = {0x09, 0x00, 0x02, 0xa4, 0xc8, 0xc1, 0x05, 0x00, 0x00, 0x00,
                                         0x05, 0x00, 0x00, 0x00, 0x00, 0x10, 0x86, 0x28, 0x4d};

static void a_frame_is_as_others_write_it(void **state)
{
    struct slw_cql_encoder e = {.format = SLW_CQL_FRAMES, .version = 5};
    struct slw_cql_decoder d = {.format = SLW_CQL_FRAMES};
    struct slw_cql_envelope m;

    (void)state;
    (void)slw_cql_encoder_begin(&e, 0, SLW_CQL_OPTIONS);
    slw_cql_encoder_end(&e);
    assert_int_equal(e.out.length, 0);
    slw_cql_encoder_flush(&e);
    assert_int_equal(e.out.length, sizeof(framed_options));
    assert_memory_equal(e.out.data, framed_options, sizeof(framed_options));
    feed(&d, framed_options, sizeof(framed_options));
    next_is(&d, &m);
    assert_int_equal(m.opcode, SLW_CQL_OPTIONS);
    assert_int_equal(m.length, 0);
    assert_int_equal(next_fails(&d), 0);
    slw_cql_encoder_release(&e);
    slw_cql_decoder_release(&d);
}

static void a_changed_bit_of_a_frame_is_seen(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 8 * sizeof(framed_options); bit++) {
        struct slw_cql_decoder d = {.format = SLW_CQL_FRAMES};
        uint8_t bytes[sizeof(framed_options)];

        memcpy(bytes, framed_options, sizeof(bytes));
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        feed(&d, bytes, sizeof(bytes));
        assert_int_equal(next_fails(&d), -SLW_E_FORMAT);
        slw_cql_decoder_release(&d);
    }
}

static const size_t sizes[] = {0, 1, 63, 64, 1000, 131000, 131061, 131062, 131063, 262144, 700001};
#define SIZE_COUNT (sizeof(sizes) / sizeof(sizes[0]))

static char byte_of(size_t size, size_t i)
{
    return (char)(size % 2 ? i * 2654435761u >> 13 : i / 100); /* noise, or what packs well */
}

static void put_sized(struct slw_cql_encoder *e, size_t k)
{
    struct slw_buf *b = slw_cql_encoder_begin(e, (int16_t)k, SLW_CQL_RESULT);

    for (size_t i = 0; i < sizes[k]; i++)
        slw_buf_putc(b, byte_of(sizes[k], i));
    slw_cql_encoder_end(e);
}

static void is_sized(const struct slw_cql_envelope *m, size_t k)
{
    assert_int_equal(m->stream, (int)k);
    assert_int_equal(m->length, sizes[k]);
    for (size_t i = 0; i < sizes[k]; i++)
        if ((char)m->body[i] != byte_of(sizes[k], i))
            fail_msg("byte %zu of %zu differs", i, sizes[k]);
}

static void there_and_back(enum slw_cql_format format, size_t piece)
{
    struct slw_cql_encoder e = {.format = format, .version = 0x85};
    struct slw_cql_decoder d = {.format = format, .response = true};
    struct slw_cql_envelope m;
    size_t k = 0;

    e.version = format <= SLW_CQL_ENVELOPES_LZ4 ? 0x84 : 0x85;
    for (size_t i = 0; i < SIZE_COUNT; i++)
        put_sized(&e, i);
    slw_cql_encoder_flush(&e);
    assert_false(slw_cql_encoder_failed(&e));
    for (size_t at = 0; at < e.out.length; at += piece) {
        const size_t left = e.out.length - at;

        feed(&d, e.out.data + at, left < piece ? left : piece);
        while (slw_cql_decoder_next(&d, &m, NULL) > 0)
            is_sized(&m, k++);
    }
    assert_int_equal(k, SIZE_COUNT);
    slw_cql_encoder_release(&e);
    slw_cql_decoder_release(&d);
}

static void all_formats_carry_all_sizes(void **state)
{
    (void)state;
    for (int format = SLW_CQL_ENVELOPES; format <= SLW_CQL_FRAMES_LZ4; format++) {
        there_and_back((enum slw_cql_format)format, SIZE_MAX / 2);
        there_and_back((enum slw_cql_format)format, 65537);
        there_and_back((enum slw_cql_format)format, 1009);
    }
}

static void lz4_makes_it_shorter(void **state)
{
    struct slw_cql_encoder e = {.format = SLW_CQL_FRAMES_LZ4, .version = 0x85};

    (void)state;
    if (!slw_cql_lz4_available())
        skip();
    put_sized(&e, 9);
    assert_true(e.out.length < sizes[9] / 20);
    slw_cql_encoder_release(&e);
}

static void what_was_not_agreed_on_is_refused(void **state)
{
    static const uint8_t packed[] = {4, 1, 0, 0, 7, 0, 0, 0, 4, 0, 0, 0, 0};
    static const uint8_t response[] = {0x84, 0, 0, 0, 2, 0, 0, 0, 0};
    static const uint8_t version[] = {66, 0, 0, 9, 5, 0, 0, 0, 0};
    static const uint8_t large[] = {4, 0, 0, 0, 7, 0x7f, 0xff, 0xff, 0xff};
    static const uint8_t claims[] = {4, 1, 0, 0, 7, 0, 0, 0, 5, 0x0f, 0xff, 0xff, 0xff, 0};
    const struct {
        const uint8_t *bytes;
        size_t length;
        enum slw_cql_format format;
        int code;
    } cases[] = {
        {packed, sizeof(packed), SLW_CQL_ENVELOPES, SLW_E_FORMAT},
        {response, sizeof(response), SLW_CQL_ENVELOPES, SLW_E_FORMAT},
        {version, sizeof(version), SLW_CQL_ENVELOPES, SLW_E_VERSION},
        {large, sizeof(large), SLW_CQL_ENVELOPES, SLW_E_LIMIT},
        {claims, sizeof(claims), SLW_CQL_ENVELOPES_LZ4, SLW_E_FORMAT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slw_cql_decoder d = {.format = cases[i].format};

        feed(&d, cases[i].bytes, cases[i].length);
        assert_int_equal(next_fails(&d), -cases[i].code);
        slw_cql_decoder_release(&d);
    }
}

/* ---- messages: written, read, and read when they are cut ---- */

static void is_bad_when_cut(const struct slw_buf *b, bool (*read)(struct slw_cql_in *in))
{
    for (size_t length = 0; length < b->length; length++) {
        char *exact = malloc(length + 1); /* so that a sanitizer sees what is read beyond */
        assert_non_null(exact);
        memcpy(exact, b->data, length);
        struct slw_cql_in in = slw_cql_in(exact, length);
        if (read(&in))
            fail_msg("%zu of %zu bytes are enough", length, b->length);
        free(exact);
    }
    struct slw_cql_in in = slw_cql_in(b->data, b->length);
    assert_true(read(&in));
    assert_int_equal(slw_cql_left(&in), 0);
}

static bool read_startup(struct slw_cql_in *in)
{
    struct slw_cql_startup s;

    if (!slw_cql_get_startup(in, &s))
        return false;
    assert_true(s.cql_version && s.lz4 && !s.other_compression);
    return true;
}

static void startup_there_and_back(void **state)
{
    struct slw_buf b = {0};

    (void)state;
    slw_cql_put_startup(&b, true);
    is_bad_when_cut(&b, read_startup);
    slw_buf_release(&b);
}

static uint8_t version_now;
static const struct slw_cql_value three[] = {
    {(const uint8_t *)"abc", 3}, {NULL, SLW_CQL_NULL}, {NULL, SLW_CQL_UNSET}};

static void are_three(struct slw_cql_values v)
{
    struct slw_cql_text name;

    assert_int_equal(v.count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct slw_cql_value x = slw_cql_values_next(&v, &name);

        assert_int_equal(x.length, three[i].length);
        if (x.length > 0)
            assert_memory_equal(x.bytes, three[i].bytes, (size_t)x.length);
        assert_int_equal(name.length, 0);
    }
}

static bool read_execute(struct slw_cql_in *in)
{
    struct slw_cql_parameters p;
    const struct slw_cql_text id = slw_cql_get_short_bytes(in);
    const struct slw_cql_text metadata =
        version_now >= 5 ? slw_cql_get_short_bytes(in) : SLW_CQL_TEXT("meta");

    if (!slw_cql_get_parameters(in, version_now, &p))
        return false;
    assert_true(slw_cql_same(id, "id") && slw_cql_same(metadata, "meta"));
    assert_int_equal(p.consistency, 6);
    assert_int_equal(p.serial_consistency, 8);
    assert_int_equal(p.page_size, 77);
    assert_int_equal(p.timestamp, 1234567890123);
    assert_int_equal(p.paging_state.length, 2);
    are_three(p.values);
    return true;
}

static void execute_there_and_back(void **state)
{
    const struct slw_cql_parameters p = {
        .consistency = 6,
        .serial_consistency = 8,
        .flags = SLW_CQL_Q_VALUES | SLW_CQL_Q_PAGE_SIZE | SLW_CQL_Q_PAGING_STATE |
                 SLW_CQL_Q_SERIAL | SLW_CQL_Q_TIMESTAMP | SLW_CQL_Q_SKIP_METADATA,
        .page_size = 77,
        .paging_state = {(const uint8_t *)"PS", 2},
        .timestamp = 1234567890123,
    };

    (void)state;
    for (version_now = 4; version_now <= 5; version_now++) {
        struct slw_buf b = {0};

        slw_cql_put_execute(&b, version_now, SLW_CQL_TEXT("id"), SLW_CQL_TEXT("meta"));
        slw_cql_put_parameters(&b, version_now, &p, three, 3);
        is_bad_when_cut(&b, read_execute);
        slw_buf_release(&b);
    }
}

static bool read_batch(struct slw_cql_in *in)
{
    struct slw_cql_batch_statement s;
    struct slw_cql_parameters p;
    uint8_t type = 9;
    uint16_t count = 0;

    if (!slw_cql_get_batch(in, &type, &count))
        return false;
    for (uint16_t i = 0; i < count; i++) {
        if (!slw_cql_get_batch_statement(in, &s))
            return false;
        assert_true(s.prepared && slw_cql_same(s.text, "id"));
        are_three(s.values);
    }
    if (!slw_cql_get_batch_end(in, version_now, &p))
        return false;
    assert_int_equal(type, SLW_CQL_UNLOGGED);
    assert_int_equal(count, 2);
    assert_int_equal(p.consistency, 1);
    assert_int_equal(p.timestamp, -5);
    return true;
}

static void batch_there_and_back(void **state)
{
    const int64_t timestamp = -5;

    (void)state;
    for (version_now = 4; version_now <= 5; version_now++) {
        struct slw_buf b = {0};

        slw_cql_put_batch(&b, SLW_CQL_UNLOGGED, 2);
        slw_cql_put_batch_prepared(&b, SLW_CQL_TEXT("id"), three, 3);
        slw_cql_put_batch_prepared(&b, SLW_CQL_TEXT("id"), three, 3);
        slw_cql_put_batch_end(&b, version_now, 1, &timestamp);
        is_bad_when_cut(&b, read_batch);
        slw_buf_release(&b);
    }
}

/* Section 4.1.2: SASL PLAIN as PasswordAuthenticator reads it. */
static void credentials_are_two_words_after_nul(void **state)
{
    struct slw_buf b = {0};

    (void)state;
    slw_cql_put_credentials(&b, SLW_CQL_TEXT("me"), SLW_CQL_TEXT("pw"));
    assert_int_equal(b.length, 10);
    assert_memory_equal(b.data, "\0\0\0\6\0me\0pw", 10);
    slw_buf_release(&b);
}

static bool read_timeout(struct slw_cql_in *in)
{
    struct slw_cql_failure f;

    if (!slw_cql_get_failure(in, &f))
        return false;
    assert_int_equal(f.code, SLW_CQL_E_WRITE_TIMEOUT);
    assert_true(slw_cql_same(f.text, "slow") && slw_cql_same(f.write_type, "BATCH"));
    return true;
}

static bool read_unprepared(struct slw_cql_in *in)
{
    struct slw_cql_failure f;

    if (!slw_cql_get_failure(in, &f))
        return false;
    assert_true(slw_cql_same(f.id, "which"));
    return true;
}

static void errors_there_and_back(void **state)
{
    struct slw_buf timeout = {0}, unprepared = {0};

    (void)state;
    slw_cql_put_failure(&timeout, SLW_CQL_E_WRITE_TIMEOUT, SLW_CQL_TEXT("slow"));
    slw_cql_put_short(&timeout, 1);
    slw_cql_put_int(&timeout, 0);
    slw_cql_put_int(&timeout, 1);
    slw_cql_put_string(&timeout, SLW_CQL_TEXT("BATCH"));
    is_bad_when_cut(&timeout, read_timeout);
    slw_cql_put_failure(&unprepared, SLW_CQL_E_UNPREPARED, SLW_CQL_TEXT(""));
    slw_cql_put_short_bytes(&unprepared, SLW_CQL_TEXT("which"));
    is_bad_when_cut(&unprepared, read_unprepared);
    assert_string_equal(slw_cql_code_text(SLW_CQL_E_OVERLOADED), "overloaded");
    assert_string_equal(slw_cql_code_text(0x7777), "error");
    slw_buf_release(&timeout);
    slw_buf_release(&unprepared);
}

static void put_columns(struct slw_buf *b)
{
    slw_cql_put_string(b, SLW_CQL_TEXT("ks"));
    slw_cql_put_string(b, SLW_CQL_TEXT("t"));
    slw_cql_put_string(b, SLW_CQL_TEXT("id"));
    slw_cql_put_type(b, (struct slw_cql_type){.id = SLW_CQL_BIGINT});
    slw_cql_put_string(b, SLW_CQL_TEXT("tags"));
    slw_cql_put_type(b, (struct slw_cql_type){SLW_CQL_MAP, {SLW_CQL_VARCHAR, SLW_CQL_INT}});
}

static void are_columns(struct slw_cql_metadata m)
{
    struct slw_cql_column c;

    assert_int_equal(m.column_count, 2);
    assert_true(slw_cql_get_column(&m, &c) && slw_cql_same(c.name, "id"));
    assert_true(slw_cql_same(c.keyspace, "ks") && slw_cql_same(c.table, "t"));
    assert_int_equal(c.type.id, SLW_CQL_BIGINT);
    assert_true(slw_cql_get_column(&m, &c) && slw_cql_same(c.name, "tags"));
    assert_int_equal(c.type.id, SLW_CQL_MAP);
    assert_int_equal(c.type.element[1], SLW_CQL_INT);
}

static bool read_rows(struct slw_cql_in *in)
{
    struct slw_cql_rows r;

    if (!slw_cql_get_rows(in, &r))
        return false;
    are_columns(r.metadata);
    assert_int_equal(r.metadata.paging_state.length, 4);
    assert_int_equal(r.row_count, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(slw_cql_get_bytes(&r.content).length, 3);
        assert_int_equal(slw_cql_get_bytes(&r.content).length, SLW_CQL_NULL);
    }
    return true;
}

static void rows_there_and_back(void **state)
{
    struct slw_buf b = {0};

    (void)state;
    slw_cql_put_int(&b, SLW_CQL_M_GLOBAL | SLW_CQL_M_MORE);
    slw_cql_put_int(&b, 2);
    slw_cql_put_bytes(&b, "next", 4);
    put_columns(&b);
    slw_cql_put_int(&b, 2);
    for (int i = 0; i < 2; i++) {
        slw_cql_put_value(&b, three[0]);
        slw_cql_put_value(&b, three[1]);
    }
    is_bad_when_cut(&b, read_rows);
    slw_buf_release(&b);
}

static bool read_prepared(struct slw_cql_in *in)
{
    struct slw_cql_prepared p;

    if (!slw_cql_get_prepared(in, version_now, &p))
        return false;
    assert_true(slw_cql_same(p.id, "id"));
    assert_true(slw_cql_same(p.metadata_id, version_now >= 5 ? "meta" : ""));
    are_columns(p.bound);
    assert_int_equal(p.result.column_count, 0);
    return true;
}

static void prepared_there_and_back(void **state)
{
    (void)state;
    for (version_now = 4; version_now <= 5; version_now++) {
        struct slw_buf b = {0};

        slw_cql_put_short_bytes(&b, SLW_CQL_TEXT("id"));
        if (version_now >= 5)
            slw_cql_put_short_bytes(&b, SLW_CQL_TEXT("meta"));
        slw_cql_put_int(&b, SLW_CQL_M_GLOBAL);
        slw_cql_put_int(&b, 2);
        slw_cql_put_int(&b, 1);
        slw_cql_put_short(&b, 0);
        put_columns(&b);
        slw_cql_put_int(&b, SLW_CQL_M_NONE);
        slw_cql_put_int(&b, 0);
        is_bad_when_cut(&b, read_prepared);
        slw_buf_release(&b);
    }
}

static void impossible_lengths_are_bad(void **state)
{
    struct slw_buf value = {0}, rows = {0}, deep = {0};
    struct slw_cql_rows r;

    (void)state;
    slw_cql_put_int(&value, -3);
    struct slw_cql_in in = slw_cql_in(value.data, value.length);
    (void)slw_cql_get_value(&in);
    assert_true(in.bad);
    slw_cql_put_int(&rows, SLW_CQL_M_NONE);
    slw_cql_put_int(&rows, 0); /* rows without columns would take no bytes */
    slw_cql_put_int(&rows, 2000000000);
    in = slw_cql_in(rows.data, rows.length);
    assert_false(slw_cql_get_rows(&in, &r));
    slw_cql_put_int(&deep, 0);
    slw_cql_put_int(&deep, 1);
    for (int i = 0; i < 3; i++)
        slw_cql_put_string(&deep, SLW_CQL_TEXT("x"));
    for (int i = 0; i < 100000; i++)
        slw_cql_put_short(&deep, SLW_CQL_LIST);
    in = slw_cql_in(deep.data, deep.length);
    assert_false(slw_cql_get_rows(&in, &r));
    slw_buf_release(&value);
    slw_buf_release(&rows);
    slw_buf_release(&deep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc24_has_known_answers),
        cmocka_unit_test(crc32_has_a_known_answer),
        cmocka_unit_test(a_frame_is_as_others_write_it),
        cmocka_unit_test(a_changed_bit_of_a_frame_is_seen),
        cmocka_unit_test(all_formats_carry_all_sizes),
        cmocka_unit_test(lz4_makes_it_shorter),
        cmocka_unit_test(what_was_not_agreed_on_is_refused),
        cmocka_unit_test(startup_there_and_back),
        cmocka_unit_test(execute_there_and_back),
        cmocka_unit_test(batch_there_and_back),
        cmocka_unit_test(credentials_are_two_words_after_nul),
        cmocka_unit_test(errors_there_and_back),
        cmocka_unit_test(rows_there_and_back),
        cmocka_unit_test(prepared_there_and_back),
        cmocka_unit_test(impossible_lengths_are_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
