/* SPDX-License-Identifier: MIT */
#include "record/gzip_int.h"
#include "record/pprof_int.h"
#include "tests/unit/run_fixture_int.h"

static struct slw_buf packed(const struct slw_stacks *s, const struct slw_run *run)
{
    struct slw_buf out = {0};
    struct slw_error err = {0};

    if (slw_stacks_to_pprof(s, run, &out, &err) < 0)
        fail_msg("%s", err.text);
    return out;
}

static struct slw_stacks *unpacked(const void *bytes, size_t length)
{
    struct slw_stacks *s = NULL;
    struct slw_error err = {0};

    if (slw_stacks_from_pprof(bytes, length, &s, &err) < 0)
        fail_msg("%s (%s)", err.text, err.where);
    return s;
}

static void stacks_come_back_the_same(void **state)
{
    (void)state;
    struct slw_stacks *s = rich_stacks();
    struct slw_run *run = rich_run();
    struct slw_buf bytes = packed(s, run), plain = {0};
    struct slw_stacks *again = unpacked(bytes.data, bytes.length);

    assert_same_stacks(s, again);
    slw_stacks_free(again);
    assert_int_equal(slw_gunzip(bytes.data, bytes.length, 1 << 20, &plain, NULL), 0);
    again = unpacked(plain.data, plain.length);
    assert_same_stacks(s, again);
    slw_stacks_free(again);
    slw_stacks_free(s);
    slw_run_free(run);
    slw_buf_release(&bytes);
    slw_buf_release(&plain);
}

static void equal_profiles_are_equal_files(void **state)
{
    (void)state;
    struct slw_stacks *s = rich_stacks(), *t = rich_stacks();
    struct slw_buf a = packed(s, NULL), b = {0};
    struct slw_stacks *again = unpacked(a.data, a.length);

    slw_buf_puts(&b, "before");
    assert_int_equal(slw_stacks_to_pprof(t, NULL, &b, NULL), 0);
    assert_int_equal(a.length + 6, b.length);
    assert_memory_equal(a.data, b.data + 6, a.length);
    assert_memory_equal(a.data + 4, "\0\0\0\0", 4); /* no time stamp in the gzip header */
    struct slw_buf c = packed(again, NULL);
    struct slw_stacks *thrice = unpacked(c.data, c.length);
    assert_same_stacks(s, thrice);
    slw_stacks_free(s);
    slw_stacks_free(t);
    slw_stacks_free(again);
    slw_stacks_free(thrice);
    slw_buf_release(&a);
    slw_buf_release(&b);
    slw_buf_release(&c);
}

/* The message as protobuf-c sees it; free with perftools__profiles__profile__free_unpacked. */
static Perftools__Profiles__Profile *message_of(const struct slw_stacks *s)
{
    struct slw_buf bytes = packed(s, NULL), plain = {0};

    assert_int_equal(slw_gunzip(bytes.data, bytes.length, 1 << 20, &plain, NULL), 0);
    Perftools__Profiles__Profile *p = perftools__profiles__profile__unpack(
        NULL, plain.length, (const uint8_t *)(const void *)plain.data);
    assert_non_null(p);
    slw_buf_release(&bytes);
    slw_buf_release(&plain);
    return p;
}

static struct slw_stacks *stacks_of(const Perftools__Profiles__Profile *p)
{
    size_t length = protobuf_c_message_get_packed_size(&p->base);
    uint8_t *bytes = malloc(length + 1);

    protobuf_c_message_pack(&p->base, bytes);
    struct slw_stacks *s = unpacked(bytes, length);
    free(bytes);
    return s;
}

static void inlined_frames_share_a_location(void **state)
{
    (void)state;
    struct slw_stacks *s = rich_stacks();
    Perftools__Profiles__Profile *p = message_of(s);
    const Perftools__Profiles__Location *l = p->location[1];

    assert_int_equal(p->sample[0]->n_location_id, 3);
    assert_int_equal(l->n_line, 2);
    assert_int_equal(l->line[0]->line, 3);
    assert_int_equal(l->line[1]->line, 9);
    assert_true(p->mapping[0]->has_inline_frames);
    assert_false(p->mapping[1]->has_inline_frames);
    perftools__profiles__profile__free_unpacked(p, NULL);
    slw_stacks_free(s);
}

/* pprof tools choose by type alone. */
static void column_types_are_distinct(void **state)
{
    (void)state;
    static const char *const types[] = {"cpu-clock-samples", "cpu-clock", "cycles-samples",
                                        "cycles"};
    struct slw_stacks *s = rich_stacks();
    Perftools__Profiles__Profile *p = message_of(s);

    for (size_t i = 0; i < 4; i++)
        assert_string_equal(p->string_table[p->sample_type[i]->type], types[i]);
    assert_string_equal(p->string_table[p->default_sample_type], "cpu-clock");
    perftools__profiles__profile__free_unpacked(p, NULL);
    slw_stacks_free(s);
}

/* Another tool rewrote our profile with other location ids: the lists of ids no longer hold. */
static void renumbered_locations_lose_only_the_exceptions(void **state)
{
    (void)state;
    struct slw_stacks *s = rich_stacks();
    Perftools__Profiles__Profile *p = message_of(s);

    for (size_t i = 0; i < p->n_location; i++)
        p->location[i]->id += 1000;
    for (size_t i = 0; i < p->n_sample; i++)
        for (size_t k = 0; k < p->sample[i]->n_location_id; k++)
            p->sample[i]->location_id[k] += 1000;
    struct slw_stacks *again = stacks_of(p);

    assert_provenance(&slw_stacks_column(again, 3)->from, &slw_stacks_column(s, 3)->from);
    assert_int_equal(slw_stacks_total(again, 1), slw_stacks_total(s, 1));
    const struct slw_frame kernel = slw_stacks_frame(again, slw_stacks_get(again, 0).frames[0]);
    assert_int_equal(kernel.kind, SLW_FRAME_KERNEL);
    const struct slw_frame odd = slw_stacks_frame(again, slw_stacks_get(again, 1).frames[1]);
    assert_string_equal(odd.function, HOSTILE);
    assert_int_equal(odd.kind, SLW_FRAME_USER); /* by its module; it was SLW_FRAME_OTHER */
    perftools__profiles__profile__free_unpacked(p, NULL);
    slw_stacks_free(again);
    slw_stacks_free(s);
}

/* ---- other writers ---- */

struct foreign {
    Perftools__Profiles__Profile p;
    Perftools__Profiles__ValueType type, *types[2];
    Perftools__Profiles__Sample sample[2], *samples[2];
    Perftools__Profiles__Location location, *locations[1];
    Perftools__Profiles__Line line, *lines[1];
    Perftools__Profiles__Function function, *functions[1];
    Perftools__Profiles__Mapping mapping, *mappings[1];
    Perftools__Profiles__Label label, *labels[1];
    uint64_t ids[2];
    int64_t value[1];
    char *strings[5];
};

/* One function in one location, no slotwise header, ids far from dense. */
static void foreign_init(struct foreign *f)
{
    static char empty[] = "", cpu[] = "cpu", ns[] = "nanoseconds",
                name[] = "main.main\xef\xbf\xbd"
                         "ff",
                key[] = "bytes";
    memset(f, 0, sizeof(*f));
    perftools__profiles__profile__init(&f->p);
    perftools__profiles__value_type__init(&f->type);
    perftools__profiles__sample__init(&f->sample[0]);
    perftools__profiles__location__init(&f->location);
    perftools__profiles__line__init(&f->line);
    perftools__profiles__function__init(&f->function);
    perftools__profiles__mapping__init(&f->mapping);
    perftools__profiles__label__init(&f->label);
    char *strings[] = {empty, cpu, ns, name, key};
    memcpy(f->strings, strings, sizeof(strings));
    f->p.string_table = f->strings;
    f->p.n_string_table = 5;
    f->type.type = 1;
    f->type.unit = 2;
    f->types[0] = f->types[1] = &f->type;
    f->p.sample_type = f->types;
    f->p.n_sample_type = 1;
    f->function.id = 999;
    f->function.system_name = 3; /* no name: the linker's will do */
    f->functions[0] = &f->function;
    f->p.function = f->functions;
    f->p.n_function = 1;
    f->line.function_id = 999;
    f->line.line = -5;
    f->lines[0] = &f->line;
    f->location.id = UINT64_MAX;
    f->location.line = f->lines;
    f->location.n_line = 1;
    f->locations[0] = &f->location;
    f->p.location = f->locations;
    f->p.n_location = 1;
    f->mapping.id = 7;
    f->mappings[0] = &f->mapping;
    f->p.mapping = f->mappings;
    f->p.n_mapping = 1;
    f->label.key = 4;
    f->label.num = 4096;
    f->labels[0] = &f->label;
    f->ids[0] = f->ids[1] = UINT64_MAX;
    f->value[0] = 10;
    f->sample[0].location_id = f->ids;
    f->sample[0].n_location_id = 2;
    f->sample[0].value = f->value;
    f->sample[0].n_value = 1;
    f->sample[0].label = f->labels;
    f->sample[0].n_label = 1;
    f->sample[1] = f->sample[0];
    f->sample[1].n_label = 0;
    f->samples[0] = &f->sample[0];
    f->samples[1] = &f->sample[1];
    f->p.sample = f->samples;
    f->p.n_sample = 2;
}

static void other_writers_are_read(void **state)
{
    (void)state;
    struct foreign f;
    foreign_init(&f);
    struct slw_stacks *s = stacks_of(&f.p);

    assert_int_equal(slw_stacks_count(s), 1);
    assert_int_equal(slw_stacks_total(s, 0), 20);
    const struct slw_stack stack = slw_stacks_get(s, 0);
    assert_int_equal(stack.depth, 2);
    assert_int_equal(stack.thread, SLW_NO_THREAD);
    const struct slw_frame frame = slw_stacks_frame(s, stack.frames[0]);
    assert_string_equal(frame.function, "main.main\xef\xbf\xbd"
                                        "ff"); /* not our escape */
    assert_string_equal(frame.linkage, "");
    assert_int_equal(frame.line, 0);
    assert_int_equal(frame.kind, SLW_FRAME_OTHER);
    assert_string_equal(slw_stacks_column(s, 0)->event, "cpu");
    assert_string_equal(slw_stacks_column(s, 0)->unit, "nanoseconds");
    assert_true(slw_stacks_column(s, 0)->from.imported);
    slw_stacks_free(s);
}

static void locations_without_lines_are_unresolved_frames(void **state)
{
    (void)state;
    struct foreign f;
    foreign_init(&f);
    f.location.n_line = 0;
    f.location.mapping_id = 7;
    f.location.address = 0x4711;
    f.mapping.filename = 3;
    struct slw_stacks *s = stacks_of(&f.p);
    const struct slw_frame frame = slw_stacks_frame(s, slw_stacks_get(s, 0).frames[0]);

    assert_string_equal(frame.function, "");
    assert_int_equal(frame.address, 0x4711);
    assert_int_equal(frame.kind, SLW_FRAME_USER);
    slw_stacks_free(s);
}

static void expect_refused(struct foreign *f, enum slw_code code, const char *text)
{
    size_t length = protobuf_c_message_get_packed_size(&f->p.base);
    uint8_t *bytes = malloc(length + 1);
    struct slw_stacks *s = NULL;
    struct slw_error err = {0};

    protobuf_c_message_pack(&f->p.base, bytes);
    assert_int_equal(slw_stacks_from_pprof(bytes, length, &s, &err), -(int)code);
    assert_null(s);
    if (!strstr(err.text, text))
        fail_msg("'%s' does not say '%s'", err.text, text);
    free(bytes);
}

#define REFUSED(change, code, text)                                                                \
    do {                                                                                           \
        struct foreign f;                                                                          \
        foreign_init(&f);                                                                          \
        change;                                                                                    \
        expect_refused(&f, code, text);                                                            \
    } while (0)

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static char word[] = "not empty", header[] = "slotwise profile {",
                newer[] = "slotwise profile {\"version\":2}";
    REFUSED(f.strings[0] = word, SLW_E_FORMAT, "string 0");
    REFUSED(f.p.n_sample_type = 0, SLW_E_FORMAT, "no sample types");
    REFUSED(f.type.type = 99, SLW_E_FORMAT, "string 99 is outside the table of 5");
    REFUSED(f.type.unit = -1, SLW_E_FORMAT, "string -1");
    REFUSED(f.mapping.filename = 5, SLW_E_FORMAT, "mapping 0");
    REFUSED(f.mapping.build_id = INT64_MAX, SLW_E_FORMAT, "mapping 0");
    REFUSED(f.mapping.id = 0, SLW_E_FORMAT, "mapping 0: has no id");
    REFUSED(f.function.name = 5, SLW_E_FORMAT, "function 0");
    REFUSED(f.line.function_id = 1, SLW_E_FORMAT, "location 0: there is no function 1");
    REFUSED(f.location.mapping_id = 1, SLW_E_FORMAT, "location 0: there is no mapping 1");
    REFUSED(f.ids[1] = 1, SLW_E_FORMAT, "sample 0: there is no location 1");
    REFUSED(f.value[0] = -1, SLW_E_RANGE, "negative");
    REFUSED(f.value[0] = INT64_MAX, SLW_E_RANGE, "out of range"); /* twice the same stack */
    REFUSED(f.sample[0].n_value = 0, SLW_E_FORMAT, "sample 0: has 0 values for 1");
    REFUSED(f.p.n_sample_type = 2, SLW_E_FORMAT, "sample 0: has 1 values for 2");
    REFUSED(f.label.key = 77, SLW_E_FORMAT, "label of sample 0");
    REFUSED((f.strings[4] = header, f.p.comment = &(int64_t){4}, f.p.n_comment = 1), SLW_E_FORMAT,
            "not JSON");
    REFUSED((f.strings[4] = newer, f.p.comment = &(int64_t){4}, f.p.n_comment = 1), SLW_E_VERSION,
            "newer");
}

static void ids_must_be_unique(void **state)
{
    (void)state;
    struct foreign f;
    foreign_init(&f);
    Perftools__Profiles__Location *twice[] = {&f.location, &f.location};
    f.p.location = twice;
    f.p.n_location = 2;
    expect_refused(&f, SLW_E_FORMAT, "location 1: id 18446744073709551615 is also that of");
}

static void what_is_no_profile_is_refused(void **state)
{
    (void)state;
    struct slw_stacks *s = NULL;
    assert_int_equal(slw_stacks_from_pprof("", 0, &s, NULL), -SLW_E_FORMAT);
    assert_int_equal(slw_stacks_from_pprof("\x1f", 1, &s, NULL), -SLW_E_FORMAT);
    assert_int_equal(slw_stacks_from_pprof("\x1f\x8b", 2, &s, NULL), -SLW_E_FORMAT);
    assert_int_equal(slw_stacks_from_pprof("main;f 17\n", 10, &s, NULL), -SLW_E_FORMAT);
    assert_null(s);
}

static void truncated_files_are_refused(void **state)
{
    (void)state;
    struct slw_stacks *s = rich_stacks(), *again = NULL;
    struct slw_buf bytes = packed(s, NULL);

    for (size_t n = 0; n < bytes.length; n++) {
        struct slw_error err = {0};
        assert_int_equal(slw_stacks_from_pprof(bytes.data, n, &again, &err), -SLW_E_FORMAT);
        assert_true(err.text[0] != '\0');
    }
    slw_buf_putc(&bytes, 'x'); /* nor is anything allowed to follow */
    assert_int_equal(slw_stacks_from_pprof(bytes.data, bytes.length, &again, NULL), -SLW_E_FORMAT);
    assert_null(again);
    slw_buf_release(&bytes);
    slw_stacks_free(s);
}

/* gzip carries a checksum of the content: no flipped bit there may pass. */
static void flipped_bits_are_refused(void **state)
{
    (void)state;
    struct slw_stacks *s = rich_stacks();
    struct slw_buf bytes = packed(s, NULL);
    size_t passed = 0;

    for (size_t bit = 0; bit < bytes.length * 8; bit++) {
        struct slw_stacks *again = NULL;
        if (bit / 8 >= 4 && bit / 8 < 10)
            continue; /* time stamp, flags and system of the gzip header mean nothing to us */
        bytes.data[bit / 8] = (char)(bytes.data[bit / 8] ^ 1 << bit % 8);
        int rc = slw_stacks_from_pprof(bytes.data, bytes.length, &again, NULL);
        bytes.data[bit / 8] = (char)(bytes.data[bit / 8] ^ 1 << bit % 8);
        if (rc == 0) /* the bits between the end of the deflate data and a byte boundary */
            assert_same_stacks(s, again);
        passed += rc == 0;
        slw_stacks_free(again);
    }
    assert_true(passed < 16);
    slw_buf_release(&bytes);
    slw_stacks_free(s);
}

/* 260 MiB of zeros in 260 KiB. */
static void a_compression_bomb_is_refused(void **state)
{
    (void)state;
    static const char zeros[1 << 20];
    struct slw_gzip *g = calloc(1, sizeof(*g));
    struct slw_buf bomb = {0};
    struct slw_stacks *s = NULL;
    struct slw_error err = {0};

    assert_int_equal(slw_gzip_init(g, &bomb), 0);
    for (int i = 0; i < 260; i++)
        slw_gzip_put(g, zeros, sizeof(zeros));
    assert_int_equal(slw_gzip_finish(g), 0);
    slw_gzip_release(g);
    free(g);
    assert_true(bomb.length < 1 << 19);
    assert_int_equal(slw_stacks_from_pprof(bomb.data, bomb.length, &s, &err), -SLW_E_LIMIT);
    assert_non_null(strstr(err.text, "unpack to more than"));
    slw_buf_release(&bomb);
}

static void gzip_members_are_concatenated(void **state)
{
    (void)state;
    struct slw_stacks *s = rich_stacks(), *again;
    Perftools__Profiles__Profile *p = message_of(s);
    size_t length = protobuf_c_message_get_packed_size(&p->base);
    uint8_t *bytes = malloc(length);
    struct slw_gzip *g = calloc(1, sizeof(*g));
    struct slw_buf out = {0};

    protobuf_c_message_pack(&p->base, bytes);
    for (int i = 0; i < 2; i++) {
        size_t half = length / 2;
        assert_int_equal(slw_gzip_init(g, &out), 0);
        slw_gzip_put(g, bytes + (i ? half : 0), i ? length - half : half);
        assert_int_equal(slw_gzip_finish(g), 0);
        slw_gzip_release(g);
    }
    again = unpacked(out.data, out.length);
    assert_same_stacks(s, again);
    perftools__profiles__profile__free_unpacked(p, NULL);
    free(bytes);
    free(g);
    slw_buf_release(&out);
    slw_stacks_free(again);
    slw_stacks_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stacks_come_back_the_same),
        cmocka_unit_test(equal_profiles_are_equal_files),
        cmocka_unit_test(inlined_frames_share_a_location),
        cmocka_unit_test(column_types_are_distinct),
        cmocka_unit_test(renumbered_locations_lose_only_the_exceptions),
        cmocka_unit_test(other_writers_are_read),
        cmocka_unit_test(locations_without_lines_are_unresolved_frames),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(ids_must_be_unique),
        cmocka_unit_test(what_is_no_profile_is_refused),
        cmocka_unit_test(truncated_files_are_refused),
        cmocka_unit_test(flipped_bits_are_refused),
        cmocka_unit_test(a_compression_bomb_is_refused),
        cmocka_unit_test(gzip_members_are_concatenated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
