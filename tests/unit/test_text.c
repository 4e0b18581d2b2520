/* SPDX-License-Identifier: MIT */
#include "analyzer/format.h"
#include "analyzer/text.h"
#include "tests/unit/cmocka_int.h"

#include <math.h>
#include <string.h>

static void assert_clean(const char *in, const char *expected)
{
    struct slw_buf b = {0};
    slw_text_clean(&b, in);
    assert_string_equal(b.data ? b.data : "", expected);
    slw_buf_release(&b);
}

static void controls_are_written_out(void **state)
{
    (void)state;
    assert_clean("a\033[31mb", "a\\x1b[31mb");
    assert_clean("one\ntwo\r\t\x7f", "one\\x0atwo\\x0d\\x09\\x7f");
    assert_clean("\xc2\x9b"
                 "31m",
                 "\\x9b31m"); /* C1 CSI */
    assert_clean("rtl\xe2\x80\xae"
                 "gnp",
                 "rtl\\u{202e}gnp");
    assert_clean("zero\xe2\x80\x8bwidth", "zero\\u{200b}width");
}

static void bytes_that_are_no_utf8_are_written_out(void **state)
{
    (void)state;
    assert_clean("\xff", "\\xff");
    assert_clean("\xc3(", "\\xc3(");
    assert_clean("\xe2\x82", "\\xe2\\x82");
    assert_clean("\xc0\xaf", "\\xc0\\xaf");          /* overlong '/' */
    assert_clean("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* surrogate */
    assert_clean("\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80");
    assert_clean("grün 数据", "grün 数据");
}

static void assert_fit(const char *in, size_t columns, const char *expected)
{
    struct slw_buf b = {0};
    slw_text_fit(&b, in, columns);
    assert_string_equal(b.data ? b.data : "", expected);
    assert_true(slw_text_columns(expected) <= columns);
    slw_buf_release(&b);
}

static void long_names_lose_their_middle(void **state)
{
    (void)state;
    assert_fit("short", 5, "short");
    assert_fit("abcdefghij", 5, "ab…ij");
    assert_fit("abcdefghij", 1, "…");
    assert_fit("数据数据", 5, "数…据");
    assert_fit("\033\033", 4, "\\x…b");
}

static void cells_have_exactly_their_width(void **state)
{
    (void)state;
    struct slw_buf b = {0};
    slw_text_cell(&b, "数据数据", 6);
    assert_int_equal(slw_text_columns(b.data), 6);
    slw_buf_release(&b);
}

static void wrapping_keeps_every_word_and_the_width(void **state)
{
    (void)state;
    const char *text = "one two three averyveryveryverylongword four";
    struct slw_buf b = {0};
    slw_text_wrap(&b, text, 12, 2);
    assert_string_equal(b.data, "one two\n  three\n  averyveryv\n  eryverylon\n  gword four");
    slw_buf_release(&b);
}

static void assert_ns(uint64_t ns, const char *expected)
{
    struct slw_buf b = {0};
    slw_format_ns(&b, ns);
    assert_string_equal(b.data, expected);
    slw_buf_release(&b);
}

static void times_use_the_unit_that_fits(void **state)
{
    (void)state;
    assert_ns(0, "0 ns");
    assert_ns(999, "999 ns");
    assert_ns(1500, "1.50 us");
    assert_ns(12345678, "12.3 ms");
    assert_ns(999600000, "1.00 s");
    assert_ns(UINT64_C(123456789012), "123 s");
}

static void numbers_are_grouped_and_never_nan(void **state)
{
    (void)state;
    struct slw_buf b = {0};
    const struct slw_figure nan_figure = {.value = (double)NAN},
                            absent = {.absent = "not supported"};
    slw_format_integer(&b, 1234567);
    slw_buf_putc(&b, ' ');
    slw_format_integer(&b, 999);
    slw_buf_putc(&b, ' ');
    slw_format_figure(&b, &nan_figure);
    slw_buf_putc(&b, ' ');
    slw_format_figure(&b, &absent);
    assert_string_equal(b.data, "1,234,567 999 not a number not supported");
    slw_buf_release(&b);
}

static void small_shares_are_not_0(void **state)
{
    (void)state;
    struct slw_buf b = {0};
    slw_format_percent(&b, 0.0001);
    slw_buf_putc(&b, ' ');
    slw_format_percent(&b, 0.071);
    slw_buf_putc(&b, ' ');
    slw_format_percent(&b, 0.714);
    assert_string_equal(b.data, "<0.1 % 7.1 % 71 %");
    slw_buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(controls_are_written_out),
        cmocka_unit_test(bytes_that_are_no_utf8_are_written_out),
        cmocka_unit_test(long_names_lose_their_middle),
        cmocka_unit_test(cells_have_exactly_their_width),
        cmocka_unit_test(wrapping_keeps_every_word_and_the_width),
        cmocka_unit_test(times_use_the_unit_that_fits),
        cmocka_unit_test(numbers_are_grouped_and_never_nan),
        cmocka_unit_test(small_shares_are_not_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
