/* SPDX-License-Identifier: MIT */
#include "record/run_dir.h"
#include "record/run_json_int.h"
#include "record/text.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* NULL when out of memory. */
static json_t *text_json(const char *s)
{
    struct slw_buf escaped = {0};
    json_t *j = NULL;

    slw_text_escape(&escaped, s);
    if (!slw_buf_failed(&escaped))
        j = json_stringn_nocheck(escaped.data ? escaped.data : "", escaped.length);
    slw_buf_release(&escaped);
    return j;
}

/* JSON integers of most readers are signed; a larger count stays exact as a string of digits. */
static json_t *u64_json(uint64_t value)
{
    char digits[32];

    if (value <= INT64_MAX)
        return json_integer((json_int_t)value);
    (void)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
    return json_string(digits);
}

static json_t *absent_json(const char *reason)
{
    json_t *j = json_object();

    if (json_object_set_new(j, "absent", text_json(reason)) < 0) {
        json_decref(j);
        return NULL;
    }
    return j;
}

static json_t *texts_json(const char *const *texts, size_t count)
{
    json_t *j = json_array();

    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(j, text_json(texts[i])) < 0) {
            json_decref(j);
            return NULL;
        }
    return j;
}

static const char *enum_name(const struct slw_field *f, int value)
{
    int known = 0;

    while (f->names[known])
        known++;
    assert(value >= 0 && value < known);
    return f->names[value];
}

/* A count that breaks an invariant is still told, but not as a number: a reader would have to
 * refuse the whole run for it. */
static json_t *element_json(const struct slw_field_list *list, const void *element)
{
    const char *problem = list->check ? list->check(element) : NULL;
    char reason[160];

    if (!problem || !list->add) /* arrays hold no counts */
        return slw_fields_to_json(list->fields, element);
    struct slw_count c = *(const struct slw_count *)element;
    if (!c.absent) {
        (void)snprintf(reason, sizeof(reason),
                       "inconsistent: %s (raw %llu, enabled %llu, running %llu)", problem,
                       (unsigned long long)c.raw, (unsigned long long)c.enabled_ns,
                       (unsigned long long)c.running_ns);
        c.absent = reason;
    }
    return slw_fields_to_json(list->fields, &c);
}

static json_t *list_json(const struct slw_field_list *list, const char *elements, size_t count)
{
    json_t *j = json_array();

    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(j, element_json(list, elements + i * list->element_bytes)) < 0) {
            json_decref(j);
            return NULL;
        }
    return j;
}

static int int_at(const char *object, size_t offset)
{
    int value;

    memcpy(&value, object + offset, sizeof(value));
    return value;
}

static uint64_t u64_at(const char *object, size_t offset)
{
    uint64_t value;

    memcpy(&value, object + offset, sizeof(value));
    return value;
}

static const char *text_at(const char *object, size_t offset)
{
    const char *value;

    memcpy(&value, object + offset, sizeof(value));
    return value;
}

static size_t size_at(const char *object, size_t offset)
{
    size_t value;

    memcpy(&value, object + offset, sizeof(value));
    return value;
}

static double real_at(const char *object, size_t offset)
{
    double value;

    memcpy(&value, object + offset, sizeof(value));
    return value;
}

/* Is there something to write for this field? */
static bool has_value(const struct slw_field *f, const char *object, bool absent)
{
    int value;

    switch (f->kind) {
    case SLW_FIELD_TEXT:
    case SLW_FIELD_ABSENT:
        return text_at(object, f->offset) != NULL;
    case SLW_FIELD_REASON:
        return text_at(object, f->offset) && !text_at(object, f->other);
    case SLW_FIELD_STAMP:
        return u64_at(object, f->offset) != 0;
    case SLW_FIELD_COUNTED:
        return !absent;
    case SLW_FIELD_INT:
        value = int_at(object, f->offset);
        return value != f->unknown && value >= f->min && value <= f->max;
    case SLW_FIELD_MARK:
        return object[f->offset] != 0;
    case SLW_FIELD_REAL:
        return isfinite(real_at(object, f->offset)) && real_at(object, f->offset) != 0;
    case SLW_FIELD_SOME:
    case SLW_FIELD_SOME_NUMBERS:
    case SLW_FIELD_ARRAY:
        return size_at(object, f->other) > 0;
    case SLW_FIELD_EXIT:
        value = int_at(object, f->other);
        return value == SLW_EXIT_STATUS || value == SLW_EXIT_SIGNAL;
    case SLW_FIELD_NAME:
    case SLW_FIELD_TEXTS:
    case SLW_FIELD_NUMBERS:
    case SLW_FIELD_REALS:
    case SLW_FIELD_U64:
    case SLW_FIELD_MAYBE:
    case SLW_FIELD_FLAG:
    case SLW_FIELD_ENUM:
    case SLW_FIELD_OBJECT:
    case SLW_FIELD_LIST:
        return true;
    case SLW_FIELD_END:
        break;
    }
    return false;
}

static json_t *maybe_json(const char *object, size_t offset)
{
    struct slw_maybe_u64 maybe;

    memcpy(&maybe, object + offset, sizeof(maybe));
    return maybe.absent ? absent_json(maybe.absent) : u64_json(maybe.value);
}

static json_t *texts_field_json(const struct slw_field *f, const char *object)
{
    const char *const *texts;

    memcpy(&texts, object + f->offset, sizeof(texts));
    return texts_json(texts, size_at(object, f->other));
}

static json_t *numbers_json(const struct slw_field *f, const char *object)
{
    json_t *j = json_array();
    const uint64_t *numbers;

    memcpy(&numbers, object + f->offset, sizeof(numbers));
    for (size_t i = 0; i < size_at(object, f->other); i++)
        if (json_array_append_new(j, u64_json(numbers[i])) < 0) {
            json_decref(j);
            return NULL;
        }
    return j;
}

/* What is not finite was not measured. */
static json_t *reals_json(const struct slw_field *f, const char *object)
{
    json_t *j = json_array();
    const double *reals;

    memcpy(&reals, object + f->offset, sizeof(reals));
    for (size_t i = 0; i < size_at(object, f->other); i++)
        if (json_array_append_new(j, isfinite(reals[i]) ? json_real(reals[i])
                                                        : json_string(SLW_FIELD_NO_REAL)) < 0) {
            json_decref(j);
            return NULL;
        }
    return j;
}

static json_t *value_json(const struct slw_field *f, const char *object)
{
    switch (f->kind) {
    case SLW_FIELD_NAME:
    case SLW_FIELD_TEXT:
    case SLW_FIELD_ABSENT:
    case SLW_FIELD_REASON:
        assert(text_at(object, f->offset));
        return text_json(text_at(object, f->offset));
    case SLW_FIELD_TEXTS:
        return texts_field_json(f, object);
    case SLW_FIELD_NUMBERS:
    case SLW_FIELD_SOME_NUMBERS:
        return numbers_json(f, object);
    case SLW_FIELD_REALS:
        return reals_json(f, object);
    case SLW_FIELD_REAL:
        return json_real(real_at(object, f->offset));
    case SLW_FIELD_U64:
    case SLW_FIELD_STAMP:
    case SLW_FIELD_COUNTED:
        return u64_json(u64_at(object, f->offset));
    case SLW_FIELD_MAYBE:
        return maybe_json(object, f->offset);
    case SLW_FIELD_INT:
    case SLW_FIELD_EXIT:
        return json_integer(int_at(object, f->offset));
    case SLW_FIELD_FLAG:
    case SLW_FIELD_MARK:
        return json_boolean(object[f->offset]);
    case SLW_FIELD_ENUM:
        return json_string(enum_name(f, int_at(object, f->offset)));
    case SLW_FIELD_OBJECT:
        return slw_fields_to_json(f->fields, object + f->offset);
    case SLW_FIELD_LIST:
    case SLW_FIELD_SOME:
    case SLW_FIELD_ARRAY:
        return list_json(f->list, text_at(object, f->offset), size_at(object, f->other));
    case SLW_FIELD_END:
        break;
    }
    return NULL;
}

static int add_fields(json_t *j, const struct slw_field *fields, const char *object)
{
    bool absent = false;

    for (const struct slw_field *f = fields; f->kind != SLW_FIELD_END; f++) {
        if (!has_value(f, object, absent))
            continue;
        absent = absent || f->kind == SLW_FIELD_ABSENT;
        if (json_object_set_new_nocheck(j, f->key, value_json(f, object)) < 0)
            return -1;
    }
    return 0;
}

int slw_fields_into_json(json_t *j, const struct slw_field *fields, const void *object)
{
    return add_fields(j, fields, object);
}

json_t *slw_fields_to_json(const struct slw_field *fields, const void *object)
{
    json_t *j = json_object();

    if (j && add_fields(j, fields, object) == 0)
        return j;
    json_decref(j);
    return NULL;
}

static int append(const char *bytes, size_t length, void *data)
{
    struct slw_buf *out = data;

    slw_buf_put(out, bytes, length);
    return slw_buf_failed(out) ? -1 : 0;
}

int slw_document_write(json_t *j, const char *name, struct slw_buf *out, struct slw_error *err)
{
    int rc = j ? json_dump_callback(j, append, out, JSON_INDENT(2)) : -1;

    json_decref(j);
    slw_buf_putc(out, '\n');
    if (rc < 0 || slw_buf_failed(out))
        return slw_fail(err, SLW_E_NOMEM, "no memory to write %s", name);
    return 0;
}

int slw_run_to_json(const struct slw_run *run, struct slw_buf *out, struct slw_error *err)
{
    json_t *j = json_object();

    if (json_object_set_new(j, "schema", json_integer(SLW_RUN_SCHEMA)) < 0 ||
        add_fields(j, slw_run_fields, (const char *)run) < 0) {
        json_decref(j);
        j = NULL;
    }
    return slw_document_write(j, SLW_RUN_JSON, out, err);
}
