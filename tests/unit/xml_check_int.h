/* SPDX-License-Identifier: MIT */
/* Is a document well-formed XML 1.0? A small strict reader for what slotwise writes: elements,
 * attributes, text, references and CDATA. It refuses what it does not know (DTD, instructions). */
#ifndef SLW_TESTS_XML_CHECK_INT_H
#define SLW_TESTS_XML_CHECK_INT_H

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define XML_MAX_DEPTH 64

struct xml_reader {
    const char *p, *end;
    struct {
        const char *name;
        size_t length;
    } open[XML_MAX_DEPTH];
    int depth;
    int roots;
};

/* One character, advanced over; false when it is not UTF-8 or not allowed in XML. */
static bool xml_char(struct xml_reader *r)
{
    const unsigned char *p = (const unsigned char *)r->p;
    const size_t left = (size_t)(r->end - r->p);
    uint32_t c = p[0];
    size_t length = c < 0x80 ? 1 : c >= 0xC2 && c < 0xE0 ? 2 : c >= 0xE0 && c < 0xF0 ? 3 : 4;

    if ((c >= 0x80 && c < 0xC2) || c > 0xF4 || left < length)
        return false;
    if (length > 1)
        c &= 0xFFU >> (length + 1);
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return false;
        c = c << 6 | (p[i] & 0x3FU);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    r->p += length;
    if (c < least[length])
        return false;
    return c == 9 || c == 10 || c == 13 || (c >= 0x20 && c <= 0xD7FF) ||
           (c >= 0xE000 && c <= 0xFFFD) || (c >= 0x10000 && c <= 0x10FFFF);
}

static bool xml_starts(const struct xml_reader *r, const char *what)
{
    const size_t length = strlen(what);

    return (size_t)(r->end - r->p) >= length && memcmp(r->p, what, length) == 0;
}

static bool xml_reference(struct xml_reader *r)
{
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (xml_starts(r, known[i])) {
            r->p += strlen(known[i]);
            return true;
        }
    return false;
}

static size_t xml_name(struct xml_reader *r)
{
    const char *start = r->p;

    if (r->p < r->end && isalpha((unsigned char)*r->p))
        while (r->p < r->end && (isalnum((unsigned char)*r->p) || strchr("-_:", *r->p)))
            r->p++;
    return (size_t)(r->p - start);
}

static void xml_space(struct xml_reader *r)
{
    while (r->p < r->end && isspace((unsigned char)*r->p))
        r->p++;
}

static bool xml_attribute(struct xml_reader *r)
{
    if (xml_name(r) == 0 || !xml_starts(r, "=\""))
        return false;
    r->p += 2;
    while (r->p < r->end && *r->p != '"') {
        if (*r->p == '<' || (*r->p == '&' ? !xml_reference(r) : !xml_char(r)))
            return false;
    }
    return r->p++ < r->end;
}

static bool xml_open(struct xml_reader *r)
{
    r->p++;
    const char *name = r->p;
    const size_t length = xml_name(r);

    if (length == 0 || r->depth == XML_MAX_DEPTH || (r->depth == 0 && r->roots++ > 0))
        return false;
    r->open[r->depth].name = name;
    r->open[r->depth++].length = length;
    for (;;) {
        const char *before = r->p;

        xml_space(r);
        if (xml_starts(r, "/>")) {
            r->p += 2;
            r->depth--;
            return true;
        }
        if (xml_starts(r, ">"))
            return r->p++ < r->end;
        if (r->p == before || !xml_attribute(r)) /* a blank must come before an attribute */
            return false;
    }
}

static bool xml_close(struct xml_reader *r)
{
    r->p += 2;
    const char *name = r->p;
    const size_t length = xml_name(r);

    if (r->depth == 0 || r->open[--r->depth].length != length ||
        memcmp(r->open[r->depth].name, name, length) != 0)
        return false;
    return xml_starts(r, ">") && r->p++;
}

static bool xml_cdata(struct xml_reader *r)
{
    r->p += strlen("<![CDATA[");
    while (!xml_starts(r, "]]>"))
        if (r->p >= r->end || !xml_char(r))
            return false;
    r->p += 3;
    return true;
}

static bool xml_item(struct xml_reader *r)
{
    if (xml_starts(r, "<![CDATA["))
        return r->depth > 0 && xml_cdata(r);
    if (xml_starts(r, "</"))
        return xml_close(r);
    if (*r->p == '<')
        return xml_open(r);
    if (r->depth == 0)
        return isspace((unsigned char)*r->p++);
    if (*r->p == '&')
        return xml_reference(r);
    return !xml_starts(r, "]]>") && xml_char(r);
}

/* The offset of the first fault, or -1 when the document is well-formed. */
static long long xml_check(const char *text, size_t length)
{
    struct xml_reader r = {.p = text, .end = text + length};

    while (r.p < r.end) {
        const char *at = r.p;

        if (!xml_item(&r))
            return at - text;
    }
    return r.depth == 0 && r.roots == 1 ? -1 : (long long)length;
}

#endif
