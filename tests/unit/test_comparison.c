/* SPDX-License-Identifier: MIT */
#include "tests/compare_fixture.h"
#include <stdio.h>
static void shows(void **state)
{
    (void)state;
    struct versus v = versus_batching(20);
    versus_gates(&v, "cpu_per_request>+3%,p99>+5%,requests_per_flush<-10%");
    char *text = versus_render(&v, "term", &(struct slw_render_options){0});
    puts(text);
    free(text);
    text = versus_render(&v, "json", &(struct slw_render_options){0});
    (void)!fwrite(text, 1, 6000, stdout);
    free(text);
    versus_free(&v);
}
int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(shows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
