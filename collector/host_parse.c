/* SPDX-License-Identifier: MIT */
#include "collector/host_int.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A piece of somebody else's text. */
struct span {
    const char *at;
    size_t length;
};

static struct span trim(struct span s)
{
    while (s.length > 0 && isspace((unsigned char)s.at[0])) {
        s.at++;
        s.length--;
    }
    while (s.length > 0 && isspace((unsigned char)s.at[s.length - 1]))
        s.length--;
    return s;
}

static bool equals(struct span s, const char *text)
{
    return s.length == strlen(text) && memcmp(s.at, text, s.length) == 0;
}

/* Copy what can be shown: a name is printed to terminals and into reports. */
static void copy_clean(struct span s, char *out, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < s.length && n + 1 < size; i++)
        if (!iscntrl((unsigned char)s.at[i]))
            out[n++] = s.at[i];
    out[n] = '\0';
}

/* A non-negative int in decimal or 0x hexadecimal, or -1. */
static int int_of(struct span s)
{
    char text[24];
    char *end = NULL;

    s = trim(s);
    if (s.length == 0 || s.length >= sizeof(text) || !isdigit((unsigned char)s.at[0]))
        return -1;
    memcpy(text, s.at, s.length);
    text[s.length] = '\0';
    errno = 0;
    unsigned long long v = strtoull(text, &end, 0);
    return errno != 0 || *end != '\0' || v > INT_MAX ? -1 : (int)v;
}

static struct span next_line(struct span *rest)
{
    struct span line = *rest;
    const char *end = memchr(rest->at, '\n', rest->length);

    line.length = end ? (size_t)(end - rest->at) : rest->length;
    size_t used = line.length + (end ? 1 : 0);
    rest->at += used;
    rest->length -= used;
    return line;
}

static bool has_word(struct span s, const char *word)
{
    while (s.length > 0) {
        const char *blank = memchr(s.at, ' ', s.length);
        size_t length = blank ? (size_t)(blank - s.at) : s.length;

        if (equals((struct span){s.at, length}, word))
            return true;
        length += blank ? 1 : 0;
        s.at += length;
        s.length -= length;
    }
    return false;
}

static void take_number(struct span key, struct span value, struct slw_cpuinfo *info)
{
    const struct {
        const char *key;
        int *field;
    } numbers[] = {
        {"cpu family", &info->family},     {"model", &info->model},
        {"stepping", &info->stepping},     {"CPU implementer", &info->implementer},
        {"CPU part", &info->part},         {"CPU variant", &info->variant},
        {"CPU revision", &info->revision},
    };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (equals(key, numbers[i].key))
            *numbers[i].field = int_of(value);
}

static void take_text(struct span key, struct span value, struct slw_cpuinfo *info)
{
    if (equals(key, "vendor_id"))
        copy_clean(value, info->vendor, sizeof(info->vendor));
    else if (equals(key, "model name"))
        copy_clean(value, info->name, sizeof(info->name));
    else if (equals(key, "microcode"))
        copy_clean(value, info->microcode, sizeof(info->microcode));
    else if (equals(key, "flags"))
        info->hypervisor = has_word(value, "hypervisor");
}

void slw_host_parse_cpuinfo(const char *text, size_t length, struct slw_cpuinfo *ret_info)
{
    struct span rest = {text, length};

    *ret_info = (struct slw_cpuinfo){.family = -1,
                                     .model = -1,
                                     .stepping = -1,
                                     .implementer = -1,
                                     .part = -1,
                                     .variant = -1,
                                     .revision = -1};
    while (rest.length > 0) {
        struct span line = next_line(&rest);
        const char *colon = memchr(line.at, ':', line.length);

        if (trim(line).length == 0)
            return; /* a blank line ends the first processor */
        if (!colon)
            continue;
        struct span key = {line.at, (size_t)(colon - line.at)};
        struct span value = {colon + 1, line.length - key.length - 1};
        take_number(trim(key), trim(value), ret_info);
        take_text(trim(key), trim(value), ret_info);
    }
}

/* Undo the shell quoting os-release(5) allows: '...' or "..." with backslashes. */
static void unquote(struct span s, char ret_value[SLW_MAX_HOST_TEXT])
{
    char plain[SLW_MAX_HOST_TEXT];
    char quote = s.length >= 2 && (s.at[0] == '"' || s.at[0] == '\'') ? s.at[0] : '\0';
    size_t n = 0;

    if (quote && s.at[s.length - 1] == quote)
        s = (struct span){s.at + 1, s.length - 2};
    for (size_t i = 0; i < s.length && n < sizeof(plain); i++) {
        if (s.at[i] == '\\' && quote != '\'' && i + 1 < s.length)
            i++;
        plain[n++] = s.at[i];
    }
    copy_clean((struct span){plain, n}, ret_value, SLW_MAX_HOST_TEXT);
}

bool slw_host_parse_os_release(const char *text, size_t length, const char *key,
                               char ret_value[SLW_MAX_HOST_TEXT])
{
    struct span rest = {text, length};

    while (rest.length > 0) {
        struct span line = trim(next_line(&rest));
        const char *sign = memchr(line.at, '=', line.length);

        if (!sign || !equals((struct span){line.at, (size_t)(sign - line.at)}, key))
            continue;
        char value[SLW_MAX_HOST_TEXT];
        size_t used = (size_t)(sign - line.at) + 1;
        unquote((struct span){sign + 1, line.length - used}, value);
        if (!value[0])
            return false;
        memcpy(ret_value, value, sizeof(value));
        return true;
    }
    return false;
}

int slw_host_parse_cpu_list(const char *text)
{
    long long count = 0;

    for (;;) {
        char *end = NULL;

        if (!isdigit((unsigned char)*text))
            return -1;
        unsigned long long first = strtoull(text, &end, 10), last = first;
        if (*end == '-') {
            text = end + 1;
            if (!isdigit((unsigned char)*text))
                return -1;
            last = strtoull(text, &end, 10);
        }
        if (last < first || last >= SLW_MAX_CPUS)
            return -1;
        count += (long long)(last - first) + 1;
        if (count > SLW_MAX_CPUS)
            return -1;
        if (*end == '\0')
            return (int)count;
        if (*end != ',')
            return -1;
        text = end + 1;
    }
}

bool slw_host_parse_midr(const char *text, struct slw_cpuinfo *ret_info)
{
    char *end = NULL;

    if (text[0] != '0' || text[1] != 'x' || !isxdigit((unsigned char)text[2]))
        return false;
    errno = 0;
    unsigned long long midr = strtoull(text, &end, 16);
    if (errno != 0 || *end != '\0' || midr > UINT32_MAX)
        return false;
    ret_info->implementer = (int)(midr >> 24 & 0xff);
    ret_info->variant = (int)(midr >> 20 & 0xf);
    ret_info->part = (int)(midr >> 4 & 0xfff);
    ret_info->revision = (int)(midr & 0xf);
    return true;
}

const char *slw_host_hypervisor_name(const char signature[12])
{
    static const struct {
        char signature[13];
        const char *name;
    } known[] = {
        {"KVMKVMKVM\0\0\0", "KVM"},     {"Linux KVM Hv", "KVM"},   {"VMwareVMware", "VMware"},
        {"Microsoft Hv", "Hyper-V"},    {"XenVMMXenVMM", "Xen"},   {"TCGTCGTCGTCG", "QEMU TCG"},
        {"VBoxVBoxVBox", "VirtualBox"}, {"bhyve bhyve ", "bhyve"}, {" lrpepyh  vr", "Parallels"},
        {"ACRNACRNACRN", "ACRN"},       {"___ NVMM ___", "NVMM"},  {"OpenBSDVMM58", "OpenBSD VMM"},
        {"SRESRESRESRE", "LMHS"},       {"QNXQVMBSQG\0\0", "QNX"}, {"UnisysSpar64", "sPAR"},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (memcmp(known[i].signature, signature, 12) == 0)
            return known[i].name;
    return NULL;
}
