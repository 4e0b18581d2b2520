/* SPDX-License-Identifier: MIT */
#include "models/json_cursor.h"

#include "models/json_pos.h"

#include "base/parse.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct slw_json slw_json_member(const struct slw_json *at, const char *key)
{
    return (struct slw_json){.up = at, .key = key, .value = json_object_get(at->value, key)};
}

struct slw_json slw_json_element(const struct slw_json *at, size_t index)
{
    return (struct slw_json){.up = at, .index = index, .value = json_array_get(at->value, index)};
}

/* The element of `up`, an array in one file, that is `at` in the merged document: the value itself,
 * or the one of the same name. */
static struct slw_json same_element(const struct slw_json *up, const struct slw_json *at)
{
    const char *name = json_string_value(json_object_get(at->value, "name"));
    const size_t count = json_array_size(up->value);

    for (size_t i = 0; i < count; i++) {
        const json_t *e = json_array_get(up->value, i);
        const char *other = json_string_value(json_object_get(e, "name"));
        if (e == at->value || (name && other && strcmp(name, other) == 0))
            return slw_json_element(up, i);
    }
    return slw_json_element(up, name ? count : at->index);
}

/* Retrace `at` in doc's own file. Returns how many of the steps exist there. */
static size_t retrace(const struct slw_json_doc *doc, const struct slw_json *at,
                      struct slw_json *steps, size_t *ret_count)
{
    if (!at->up) {
        steps[0] = (struct slw_json){.value = doc->own};
        *ret_count = 1;
        return 1;
    }
    const size_t reached = retrace(doc, at->up, steps, ret_count);
    const size_t here = *ret_count;
    assert(here < SLW_JSON_MAX_DEPTH);
    steps[here] =
        at->key ? slw_json_member(&steps[here - 1], at->key) : same_element(&steps[here - 1], at);
    *ret_count = here + 1;
    return reached + (steps[here].value != NULL);
}

/* The file that says what is at `at`: of those in which it stands, the last to have its say. */
static const struct slw_json_doc *find_doc(const struct slw_json_doc *doc,
                                           const struct slw_json *at)
{
    const struct slw_json_doc *best = doc;
    struct slw_json steps[SLW_JSON_MAX_DEPTH];
    size_t most = 0, count;

    for (const struct slw_json_doc *d = doc; d; d = d->base) {
        const size_t reached = retrace(d, at, steps, &count);
        if (reached > most) {
            most = reached;
            best = d;
        }
    }
    return best;
}

enum place { AT_VALUE, AT_KEY, IN_STRING };

static void say_where(const struct slw_json_doc *doc, const struct slw_json *at, enum place place,
                      size_t decoded)
{
    const struct slw_json_doc *d = doc;
    struct slw_json steps[SLW_JSON_MAX_DEPTH];
    unsigned line, column;
    size_t count;

    if (doc->base) {
        d = find_doc(doc, at);
        (void)retrace(d, at, steps, &count);
        at = &steps[count - 1];
    }
    size_t offset = slw_json_offset(d->text, d->length, at, place == AT_KEY);
    if (place == IN_STRING)
        offset = slw_json_string_offset(d->text, d->length, offset, decoded);
    slw_json_line_column(d->text, offset, &line, &column);
    slw_error_at(doc->err, "%s:%u:%u", d->origin, line, column);
}

int slw_json_fail(const struct slw_json_doc *doc, const struct slw_json *at, enum slw_code code,
                  const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    const int rc = slw_vfail(doc->err, code, fmt, ap);
    va_end(ap);
    say_where(doc, at, AT_VALUE, 0);
    return rc;
}

int slw_json_fail_key(const struct slw_json_doc *doc, const struct slw_json *at, enum slw_code code,
                      const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    const int rc = slw_vfail(doc->err, code, fmt, ap);
    va_end(ap);
    say_where(doc, at, AT_KEY, 0);
    return rc;
}

void slw_json_where_in(const struct slw_json_doc *doc, const struct slw_json *at, size_t offset)
{
    say_where(doc, at, IN_STRING, offset);
}

static bool is_known(const char *key, const char *const *known)
{
    for (size_t i = 0; known[i]; i++)
        if (strcmp(key, known[i]) == 0)
            return true;
    return false;
}

int slw_json_keys(const struct slw_json_doc *doc, const struct slw_json *at,
                  const char *const *known)
{
    const char *key;
    json_t *value;

    if (!json_is_object(at->value))
        return slw_json_fail(doc, at, SLW_E_FORMAT, "an object is needed here");
    json_object_foreach(at->value, key, value)
    {
        const struct slw_json member = slw_json_member(at, key);

        if (!is_known(key, known))
            return slw_json_fail_key(doc, &member, SLW_E_FORMAT, "unknown key '%.64s'", key);
    }
    return 0;
}

static int absent(const struct slw_json_doc *doc, const struct slw_json *at, const char *key,
                  bool required)
{
    return required ? slw_json_fail(doc, at, SLW_E_FORMAT, "'%s' is missing", key) : 0;
}

int slw_json_string(const struct slw_json_doc *doc, const struct slw_json *at, const char *key,
                    bool required, const char **ret_string)
{
    const struct slw_json member = slw_json_member(at, key);

    if (!member.value)
        return absent(doc, at, key, required);
    if (!json_is_string(member.value) || json_string_length(member.value) == 0)
        return slw_json_fail(doc, &member, SLW_E_FORMAT, "'%s' must be a non-empty string", key);
    *ret_string = json_string_value(member.value);
    return 0;
}

int slw_json_bool(const struct slw_json_doc *doc, const struct slw_json *at, const char *key,
                  bool *ret_bool)
{
    const struct slw_json member = slw_json_member(at, key);

    if (!member.value)
        return 0;
    if (!json_is_boolean(member.value))
        return slw_json_fail(doc, &member, SLW_E_FORMAT, "'%s' must be true or false", key);
    *ret_bool = json_is_true(member.value);
    return 0;
}

int slw_json_number(const struct slw_json_doc *doc, const struct slw_json *at, const char *key,
                    bool required, double *ret_number)
{
    const struct slw_json member = slw_json_member(at, key);

    if (!member.value)
        return absent(doc, at, key, required);
    if (!json_is_number(member.value) || !isfinite(json_number_value(member.value)))
        return slw_json_fail(doc, &member, SLW_E_FORMAT, "'%s' must be a number", key);
    *ret_number = json_number_value(member.value);
    return 0;
}

int slw_json_code(const struct slw_json_doc *doc, const struct slw_json *at, uint64_t *ret_u64)
{
    const json_t *v = at->value;

    if (json_is_integer(v) && json_integer_value(v) >= 0) {
        *ret_u64 = (uint64_t)json_integer_value(v);
        return 0;
    }
    if (json_is_string(v) && strncmp(json_string_value(v), "0x", 2) == 0 &&
        slw_parse_u64(json_string_value(v), "code", 0, UINT64_MAX, ret_u64, NULL) >= 0)
        return 0;
    return slw_json_fail(doc, at, SLW_E_FORMAT,
                         "a whole number, or \"0x...\" in quotes, is needed here");
}

int slw_json_u64(const struct slw_json_doc *doc, const struct slw_json *at, const char *key,
                 uint64_t *ret_u64)
{
    const struct slw_json member = slw_json_member(at, key);

    return member.value ? slw_json_code(doc, &member, ret_u64) : 0;
}

int slw_json_int(const struct slw_json_doc *doc, const struct slw_json *at, const char *key,
                 bool required, int64_t min, int64_t max, int64_t *ret_int)
{
    const struct slw_json member = slw_json_member(at, key);
    uint64_t value = 0;

    if (!member.value)
        return absent(doc, at, key, required);
    const int rc = slw_json_code(doc, &member, &value);
    if (rc < 0)
        return rc;
    if (value > (uint64_t)max || (int64_t)value < min)
        return slw_json_fail(doc, &member, SLW_E_FORMAT, "'%s' must be from %lld to %lld", key,
                             (long long)min, (long long)max);
    *ret_int = (int64_t)value;
    return 0;
}

static int check_count(const struct slw_json_doc *doc, const struct slw_json *at, size_t count,
                       size_t min, size_t max)
{
    if (count < min)
        return slw_json_fail(doc, at, SLW_E_FORMAT, "at least %zu needed here", min);
    if (count > max)
        return slw_json_fail(doc, at, SLW_E_LIMIT, "more than %zu entries", max);
    return 0;
}

int slw_json_array(const struct slw_json_doc *doc, const struct slw_json *at, size_t min,
                   size_t max)
{
    if (!at->value && min == 0)
        return 0;
    if (!at->value)
        return slw_json_fail(doc, at->up, SLW_E_FORMAT, "'%s' is missing", at->key);
    if (!json_is_array(at->value))
        return slw_json_fail(doc, at, SLW_E_FORMAT, "an array is needed here");
    return check_count(doc, at, json_array_size(at->value), min, max);
}

int slw_json_object(const struct slw_json_doc *doc, const struct slw_json *at, size_t min,
                    size_t max)
{
    if (!at->value && min == 0)
        return 0;
    if (!at->value)
        return slw_json_fail(doc, at->up, SLW_E_FORMAT, "'%s' is missing", at->key);
    if (!json_is_object(at->value))
        return slw_json_fail(doc, at, SLW_E_FORMAT, "an object is needed here");
    return check_count(doc, at, json_object_size(at->value), min, max);
}
