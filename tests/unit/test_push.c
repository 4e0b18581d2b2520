/* SPDX-License-Identifier: MIT */
/* Pushing without a server: URLs and secrets, what answers mean, what waits on the disk. The
 * servers are in tests/system/test_push.py. */
#include "push/encode.h"
#include "push/push.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- endpoints ---- */

static struct slw_push_endpoint endpoint(const char *url)
{
    struct slw_push_endpoint e = {0};
    struct slw_error err = {0};

    if (slw_push_endpoint_init(url, SLW_PUSH_PROFILE, NULL, &e, &err) < 0)
        fail_msg("%s: %s", url, err.text);
    return e;
}

static void a_url_says_what_kind_of_server_it_is(void **state)
{
    static const struct {
        const char *url, *kind, *whole;
    } cases[] = {
        {"http://h:4040", "pyroscope", "http://h:4040/push.v1.PusherService/Push"},
        {"HTTPS://h/", "pyroscope", "https://h/push.v1.PusherService/Push"},
        {"http://h/a/ingest", "ingest", "http://h/a/ingest"},
        {"http://[::1]:1/ingest/", "ingest", "http://[::1]:1/ingest"},
        {"http://h/parca.profilestore.v1alpha1.ProfileStoreService/WriteRaw", "parca",
         "http://h/parca.profilestore.v1alpha1.ProfileStoreService/WriteRaw"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slw_push_endpoint e = endpoint(cases[i].url);

        assert_string_equal(e.kind->name, cases[i].kind);
        assert_string_equal(e.url, cases[i].whole);
        assert_null(e.user);
        slw_push_endpoint_release(&e);
    }
}

static void secrets_are_taken_out_of_the_url(void **state)
{
    struct slw_push_endpoint e = endpoint("http://us%40r:p:a%2fss@@host:1/x");

    (void)state;
    assert_string_equal(e.user, "us@r");
    assert_string_equal(e.password, "p:a/ss@");
    assert_string_equal(e.url, "http://host:1/x/push.v1.PusherService/Push");
    slw_push_endpoint_release(&e);
    e = endpoint("http://token@host");
    assert_string_equal(e.user, "token");
    assert_string_equal(e.password, "");
    slw_push_endpoint_release(&e);
}

static void what_is_no_url_is_refused_without_repeating_it(void **state)
{
    static const char *const bad[] = {"",
                                      "host",
                                      "ftp://secret",
                                      "http://",
                                      "http:///path",
                                      "http://:1/",
                                      "http://a b",
                                      "http://a\nb",
                                      "http://secret%@h",
                                      "http://secret%0a@h",
                                      "http://h?secret",
                                      "http://h#secret",
                                      "http://secret\xc3\xa9",
                                      "http://u:se/secret@h",
                                      "http://secret@",
                                      "http://u:secret@:80/"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct slw_push_endpoint e;
        struct slw_error err = {0};

        assert_int_equal(slw_push_endpoint_init(bad[i], SLW_PUSH_PROFILE, NULL, &e, &err),
                         -SLW_E_USAGE);
        assert_null(strstr(err.text, "secret"));
        assert_null(strstr(err.hint, "secret"));
    }
}

static void headers_are_lines_of_name_and_value(void **state)
{
    struct slw_push_endpoint e = endpoint("http://h");
    struct slw_error err = {0};
    struct slw_buf many = {0};

    (void)state;
    assert_int_equal(slw_push_endpoint_add_headers(&e, "# a\n\nX-A: 1\r\nB:2", "f", &err), 0);
    assert_int_equal(e.header_count, 2);
    assert_string_equal(e.headers[0], "X-A: 1");
    assert_string_equal(e.headers[1], "B:2");
    assert_int_equal(slw_push_endpoint_add_headers(&e, "ok: 1\nse cret: 1", "f", &err),
                     -SLW_E_FORMAT);
    assert_string_equal(err.where, "f:2");
    assert_null(strstr(err.text, "cret"));
    for (int i = 0; i <= SLW_PUSH_MAX_HEADERS; i++)
        slw_buf_puts(&many, "x: y\n");
    assert_int_equal(slw_push_endpoint_add_headers(&e, many.data, "f", NULL), -SLW_E_LIMIT);
    slw_buf_release(&many);
    slw_push_endpoint_release(&e);
}

static void secrets_in_what_a_server_says_become_stars(void **state)
{
    struct slw_push_endpoint e = endpoint("http://user:hunter22@h");
    char text[] = "hunter22 dXNlcjpodW50ZXIyMg== Bearer tok-1 tok-1 user tok";

    (void)state;
    assert_int_equal(slw_push_endpoint_add_headers(&e, "A: Bearer tok-1\n", "f", NULL), 0);
    slw_push_endpoint_scrub(&e, text);
    assert_string_equal(text, "******** ******************** ************ ***** user tok");
    slw_push_endpoint_release(&e);
}

/* ---- labels and requests ---- */

static void labels_are_those_every_server_takes(void **state)
{
    static const char *const good[] = {"a", "_", "A_9", "_a"};
    static const char *const bad[] = {"", "9", "a-b", "__name__", "a b", "\xc3\xa9", "a\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(slw_push_label_check(good[i], "v", NULL), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(slw_push_label_check(bad[i], "v", NULL), -SLW_E_USAGE);
    assert_int_equal(slw_push_label_check("a", "", NULL), -SLW_E_USAGE);
    assert_int_equal(slw_push_label_check("a", "b\tc", NULL), -SLW_E_USAGE);
}

static void every_kind_introduces_itself_and_makes_requests(void **state)
{
    const struct slw_push_label label = {"env", "prod"};
    const struct slw_push_item item = {.service = "s",
                                       .instance = "i",
                                       .labels = &label,
                                       .label_count = 1,
                                       .data = "data",
                                       .length = 4};

    (void)state;
    for (size_t i = 0; i < slw_push_kind_count; i++) {
        const struct slw_push_kind *k = slw_push_kinds[i];
        struct slw_push_request r = {0};

        assert_ptr_equal(slw_push_kind_find(k->name), k);
        assert_true(k->summary[0] && k->ending[0] == '/' && k->content_type[0]);
        assert_true(strcmp(k->method, "POST") == 0 || strcmp(k->method, "PUT") == 0);
        assert_int_equal(k->request(&item, &r, NULL), 0);
        assert_true(r.body.length >= 4 && !slw_buf_failed(&r.body) && !slw_buf_failed(&r.suffix));
        slw_push_request_release(&r);
    }
    assert_null(slw_push_kind_find("no such kind"));
}

static void encodings_are_those_of_their_documents(void **state)
{
    static const char *const base64[] = {
        "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"}; /* RFC 4648, section 10 */
    char three_hundred[300] = "";
    struct slw_buf b = {0};

    (void)state;
    for (size_t i = 0; i < 7; i++) {
        slw_push_put_base64(&b, "foobar", i, 0);
        assert_string_equal(b.data ? b.data : "", base64[i]);
        slw_buf_release(&b);
    }
    slw_push_put_base64(&b, "\xfb\xff\xfe", 3, 1);
    assert_string_equal(b.data, "-__-");
    slw_buf_release(&b);
    slw_push_put_percent(&b, "a-Z_.~ /\xc3\xa9%");
    assert_string_equal(b.data, "a-Z_.~%20%2F%C3%A9%25");
    slw_buf_release(&b);
    slw_push_put_json(&b, "a\"\\\n\xff");
    assert_string_equal(b.data, "\"a\\\"\\\\\\u000a\xef\xbf\xbd"
                                "ff\"");
    slw_buf_release(&b);
    slw_push_put_field(&b, 2, three_hundred, sizeof(three_hundred));
    assert_int_equal(b.length, 303);
    assert_memory_equal(b.data, "\x12\xac\x02", 3);
    slw_buf_release(&b);
}

/* ---- answers ---- */

static void answers_mean_what_their_documents_say(void **state)
{
    static const struct {
        int status, grpc;
        bool is_grpc, broken;
        enum slw_send_fate fate;
        bool again;
    } cases[] = {
        {200, -1, false, false, SLW_SEND_TAKEN, false},
        {202, -1, false, false, SLW_SEND_TAKEN, false},
        {0, -1, false, false, SLW_SEND_LATER, true},
        {0, -1, false, true, SLW_SEND_LATER, false},
        {302, -1, false, false, SLW_SEND_REFUSED, false},
        {400, -1, false, false, SLW_SEND_REFUSED, false},
        {401, -1, false, false, SLW_SEND_LATER, false},
        {403, -1, false, false, SLW_SEND_LATER, false},
        {408, -1, false, false, SLW_SEND_LATER, true},
        {413, -1, false, false, SLW_SEND_REFUSED, false},
        {429, -1, false, false, SLW_SEND_LATER, true},
        {500, -1, false, false, SLW_SEND_LATER, true},
        {501, -1, false, false, SLW_SEND_REFUSED, false},
        {503, -1, false, false, SLW_SEND_LATER, true},
        {200, 0, true, false, SLW_SEND_TAKEN, false},
        {200, -1, true, false, SLW_SEND_LATER, true},
        {200, 3, true, false, SLW_SEND_REFUSED, false},
        {200, 14, true, false, SLW_SEND_LATER, true},
        {200, 16, true, false, SLW_SEND_LATER, false},
        {404, -1, true, false, SLW_SEND_REFUSED, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct slw_http_answer a = {
            .status = cases[i].status, .grpc_status = cases[i].grpc, .broken = cases[i].broken};
        bool again;

        assert_int_equal(slw_send_judge(&a, cases[i].is_grpc, &again), cases[i].fate);
        assert_int_equal(again, cases[i].again);
    }
}

/* ---- what waits ---- */

static struct slw_push_entry entry(const char *kind, const char *suffix, const char *body)
{
    return (struct slw_push_entry){.kind = slw_push_kind_find(kind),
                                   .url = "http://h/ingest",
                                   .suffix = suffix,
                                   .body = body,
                                   .length = strlen(body)};
}

static void an_entry_is_read_as_it_was_written_or_not_at_all(void **state)
{
    const struct slw_push_entry e = entry("ingest", "?name=%22", "body\nof two lines");
    struct slw_push_entry back;
    struct slw_buf out = {0};

    (void)state;
    assert_int_equal(slw_push_entry_write(&e, &out, NULL), 0);
    assert_int_equal(slw_push_entry_read(out.data, out.length, &back, NULL), 0);
    assert_ptr_equal(back.kind, e.kind);
    assert_string_equal(back.url, e.url);
    assert_string_equal(back.suffix, e.suffix);
    assert_int_equal(back.length, e.length);
    assert_memory_equal(back.body, e.body, e.length);
    slw_push_entry_release(&back);
    for (size_t cut = 0; cut < out.length; cut++)
        assert_int_equal(slw_push_entry_read(out.data, cut, &back, NULL), -SLW_E_FORMAT);
    for (size_t i = 0; i < e.length; i++) {
        out.data[out.length - 1 - i] ^= 1;
        assert_int_equal(slw_push_entry_read(out.data, out.length, &back, NULL), -SLW_E_FORMAT);
        out.data[out.length - 1 - i] ^= 1;
    }
    slw_buf_release(&out);
}

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/slotwise-push-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[128];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static size_t files_in(const struct slw_push_spool *s, uint64_t *ret_bytes)
{
    struct slw_push_files files;

    assert_int_equal(slw_spool_list(s, &files, NULL), 0);
    free(files.files);
    *ret_bytes = files.bytes;
    return files.count;
}

static void the_oldest_go_when_there_is_no_room(void **state)
{
    char path[96];
    const struct slw_push_spool s = {.folder = path, .limit_bytes = 1000};
    char body[301] = "";
    size_t dropped, all = 0;
    uint64_t bytes;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/a/b", folder);
    memset(body, 'x', 300);
    assert_int_equal(files_in(&s, &bytes), 0); /* a folder that is not there */
    for (int i = 0; i < 6; i++) {
        const struct slw_push_entry e = entry("ingest", "", body);
        struct slw_push_slot slot;

        assert_int_equal(slw_spool_store(&s, &e, &slot, &dropped, NULL), 0);
        slw_spool_leave(&slot);
        all += dropped;
        assert_in_range(files_in(&s, &bytes), 1, 2);
        assert_in_range(bytes, 300, 1000);
    }
    assert_int_equal(all, 4);
}

static void what_somebody_is_sending_is_neither_taken_nor_dropped(void **state)
{
    char path[96], *bytes;
    const struct slw_push_spool s = {.folder = path, .limit_bytes = 600};
    const struct slw_push_entry e = entry("ingest", "", "0123456789");
    struct slw_push_slot mine, other, third;
    struct slw_push_entry read;
    size_t dropped;
    uint64_t sum;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/locks", folder);
    assert_int_equal(slw_spool_store(&s, &e, &mine, &dropped, NULL), 0);
    assert_int_equal(slw_spool_take(&s, mine.name, &other, &bytes, &read, NULL), -SLW_E_NOTFOUND);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(slw_spool_store(&s, &e, &third, &dropped, NULL), 0);
        slw_spool_leave(&third);
    }
    slw_spool_leave(&mine);
    assert_int_equal(slw_spool_take(&s, mine.name, &other, &bytes, &read, NULL), 0);
    assert_memory_equal(read.body, "0123456789", 10);
    slw_push_entry_release(&read);
    free(bytes);
    const size_t before = files_in(&s, &sum);
    slw_spool_remove(&s, &other);
    assert_int_equal(files_in(&s, &sum), before - 1);
}

static void of_what_replaces_only_the_newest_is_there(void **state)
{
    char path[96];
    const struct slw_push_spool s = {.folder = path, .limit_bytes = 10000};
    const struct slw_push_entry a = entry("pushgateway", "/a", "1"),
                                b = entry("pushgateway", "/b", "2");
    struct slw_push_slot older, newer;
    size_t dropped;
    uint64_t bytes;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/last", folder);
    assert_int_equal(slw_spool_store(&s, &a, &older, &dropped, NULL), 0);
    assert_int_equal(slw_spool_store(&s, &a, &newer, &dropped, NULL), 0);
    assert_int_equal(files_in(&s, &bytes), 1);
    slw_spool_remove(&s, &older); /* has the name no more: the newer one stays */
    assert_int_equal(files_in(&s, &bytes), 1);
    slw_spool_leave(&newer);
    assert_int_equal(slw_spool_store(&s, &b, &newer, &dropped, NULL), 0);
    assert_int_equal(files_in(&s, &bytes), 2);
    slw_spool_leave(&newer);
}

static void one_larger_than_the_limit_is_not_kept(void **state)
{
    char path[96];
    const struct slw_push_spool s = {.folder = path, .limit_bytes = 50};
    const struct slw_push_entry e = entry("ingest", "", "0123456789");
    struct slw_push_slot slot;
    size_t dropped;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/small", folder);
    assert_int_equal(slw_spool_store(&s, &e, &slot, &dropped, NULL), -SLW_E_LIMIT);
    assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_says_what_kind_of_server_it_is),
        cmocka_unit_test(secrets_are_taken_out_of_the_url),
        cmocka_unit_test(what_is_no_url_is_refused_without_repeating_it),
        cmocka_unit_test(headers_are_lines_of_name_and_value),
        cmocka_unit_test(secrets_in_what_a_server_says_become_stars),
        cmocka_unit_test(labels_are_those_every_server_takes),
        cmocka_unit_test(every_kind_introduces_itself_and_makes_requests),
        cmocka_unit_test(encodings_are_those_of_their_documents),
        cmocka_unit_test(answers_mean_what_their_documents_say),
        cmocka_unit_test(an_entry_is_read_as_it_was_written_or_not_at_all),
        cmocka_unit_test(the_oldest_go_when_there_is_no_room),
        cmocka_unit_test(what_somebody_is_sending_is_neither_taken_nor_dropped),
        cmocka_unit_test(of_what_replaces_only_the_newest_is_there),
        cmocka_unit_test(one_larger_than_the_limit_is_not_kept),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
