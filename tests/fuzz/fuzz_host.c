/* SPDX-License-Identifier: MIT */
/* The parsers of /proc and /etc text: the first byte chooses which. */
#include "collector/host_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse_text(const char *text, size_t length)
{
    char value[SLW_MAX_HOST_TEXT];
    struct slw_cpuinfo info;

    slw_host_parse_cpuinfo(text, length, &info);
    assert(memchr(info.name, '\0', sizeof(info.name)));
    assert(info.family >= -1 && info.part >= -1);
    if (slw_host_parse_os_release(text, length, "PRETTY_NAME", value))
        assert(value[0] && memchr(value, '\0', sizeof(value)));
}

static void parse_string(const char *text)
{
    struct slw_cpuinfo info = {0};
    int count = slw_host_parse_cpu_list(text);

    assert(count == -1 || (count > 0 && count <= SLW_MAX_CPUS));
    if (slw_host_parse_midr(text, &info))
        assert(info.part <= 0xfff && info.implementer <= 0xff);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A copy of the exact size, so that a byte read past the end is seen. */
    size_t length = size > 0 ? size - 1 : 0;
    char *text = malloc(length + 1);

    if (!text || size == 0) {
        free(text);
        return 0;
    }
    memcpy(text, data + 1, length);
    if (data[0] & 1) {
        char *exact = realloc(text, length ? length : 1);
        text = exact ? exact : text;
        parse_text(text, length);
    } else {
        text[length] = '\0';
        parse_string(text);
    }
    free(text);
    return 0;
}
