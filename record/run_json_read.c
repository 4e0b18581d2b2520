/* SPDX-License-Identifier: MIT */
#include "base/arena.h"
#include "base/buf.h"
#include "record/run_dir.h"
#include "record/run_json_int.h"
#include "record/text.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Arguments of one command: ARG_MAX is 2 MiB on Linux, a longer list is not a command line. */
#define MAX_ARGUMENTS 1000000

/* Where in the document we are: a chain on the stack, made text only when something is wrong. */
struct place {
    const struct place *up;
    const char *key; /* NULL: element `index` of a list */
    size_t index;
};

struct reader {
    struct slw_run *run;     /* NULL for tables without lists */
    struct slw_arena *arena; /* of the strings */
    const char *name;        /* of the file */
    struct slw_error *err;
};

static int read_fields(const struct reader *r, const struct place *at,
                       const struct slw_field *fields, const json_t *j, char *object);

static void print_place(struct slw_buf *out, const struct place *at)
{
    if (!at)
        return;
    print_place(out, at->up);
    if (at->key)
        slw_buf_printf(out, "%s%s", at->up ? "." : "", at->key);
    else
        slw_buf_printf(out, "[%zu]", at->index);
}

static int bad(const struct reader *r, const struct place *at, enum slw_code code, const char *what)
{
    struct slw_buf path = {0};

    print_place(&path, at);
    int rc = slw_fail(r->err, code, "%s: %s", path.data ? path.data : "top level", what);
    slw_error_at(r->err, "%s: %s", r->name, path.data ? path.data : "top level");
    slw_buf_release(&path);
    return rc;
}

static const char *type_name(const json_t *j)
{
    switch (json_typeof(j)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a fraction";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a truth value";
    case JSON_NULL:
        break;
    }
    return "null";
}

static int expected(const struct reader *r, const struct place *at, const char *what,
                    const json_t *j)
{
    char text[128];

    (void)snprintf(text, sizeof(text), "expected %s, found %s", what, type_name(j));
    return bad(r, at, SLW_E_FORMAT, text);
}

static int no_memory(const struct reader *r)
{
    return slw_fail(r->err, SLW_E_NOMEM, "no memory for %s", r->name);
}

/* A copy in the run's arena, escapes undone. */
static int read_text(const struct reader *r, const struct place *at, const json_t *j,
                     const char **ret_text)
{
    if (!json_is_string(j))
        return expected(r, at, "a string", j);
    char *text = slw_arena_strdup(r->arena, json_string_value(j));
    if (!text)
        return no_memory(r);
    slw_text_unescape(text);
    *ret_text = text;
    return 0;
}

/* Digits only, as the writer makes them past the range of a JSON integer. */
static bool parse_digits(const char *s, uint64_t *ret_value)
{
    char *end;

    if (*s < '0' || *s > '9')
        return false;
    errno = 0;
    unsigned long long value = strtoull(s, &end, 10);
    if (errno != 0 || *end)
        return false;
    *ret_value = value;
    return true;
}

static int read_u64(const struct reader *r, const struct place *at, const json_t *j,
                    uint64_t *ret_value)
{
    if (json_is_string(j) && parse_digits(json_string_value(j), ret_value))
        return 0;
    if (!json_is_integer(j))
        return expected(r, at, "integer", j);
    if (json_integer_value(j) < 0)
        return bad(r, at, SLW_E_FORMAT, "expected integer of 0 or more, found a negative one");
    *ret_value = (uint64_t)json_integer_value(j);
    return 0;
}

static int read_int(const struct reader *r, const struct place *at, const json_t *j, int min,
                    int max, int *ret_value)
{
    char text[96];

    if (!json_is_integer(j))
        return expected(r, at, "integer", j);
    json_int_t value = json_integer_value(j);
    if (value < min || value > max) {
        (void)snprintf(text, sizeof(text), "%lld is not within %d to %d", (long long)value, min,
                       max);
        return bad(r, at, SLW_E_FORMAT, text);
    }
    *ret_value = (int)value;
    return 0;
}

static int read_enum(const struct reader *r, const struct place *at, const struct slw_field *f,
                     const json_t *j, int *ret_value)
{
    struct slw_buf text = {0};

    if (!json_is_string(j))
        return expected(r, at, "a string", j);
    for (int i = 0; f->names[i]; i++)
        if (strcmp(f->names[i], json_string_value(j)) == 0) {
            *ret_value = i;
            return 0;
        }
    slw_buf_puts(&text, "expected one of");
    for (int i = 0; f->names[i]; i++)
        slw_buf_printf(&text, " \"%s\"", f->names[i]);
    int rc = bad(r, at, SLW_E_FORMAT, text.data ? text.data : "unknown word");
    slw_buf_release(&text);
    return rc;
}

static int read_maybe(const struct reader *r, const struct place *at, const json_t *j,
                      struct slw_maybe_u64 *ret_maybe)
{
    struct slw_maybe_u64 maybe = {0};
    const struct place absent_at = {.up = at, .key = "absent"};
    int rc;

    if (!json_is_object(j)) {
        rc = read_u64(r, at, j, &maybe.value);
    } else {
        const json_t *reason = json_object_get(j, "absent");
        if (!reason)
            return bad(r, at, SLW_E_FORMAT, "expected integer or {\"absent\": reason}");
        rc = read_text(r, &absent_at, reason, &maybe.absent);
    }
    if (rc == 0)
        *ret_maybe = maybe;
    return rc;
}

static int read_texts(const struct reader *r, const struct place *at, const struct slw_field *f,
                      const json_t *j, char *object)
{
    size_t count = json_array_size(j);

    if (!json_is_array(j))
        return expected(r, at, "a list of strings", j);
    if (count > MAX_ARGUMENTS)
        return bad(r, at, SLW_E_LIMIT, "too many strings");
    const char **texts = slw_arena_array(r->arena, count, sizeof(*texts));
    if (!texts)
        return no_memory(r);
    for (size_t i = 0; i < count; i++) {
        const struct place here = {.up = at, .index = i};
        int rc = read_text(r, &here, json_array_get(j, i), &texts[i]);
        if (rc < 0)
            return rc;
    }
    memcpy(object + f->offset, &texts, sizeof(texts));
    memcpy(object + f->other, &count, sizeof(count));
    return 0;
}

/* Lists that share their count must be of one length. */
static int read_numbers(const struct reader *r, const struct place *at, const struct slw_field *f,
                        const json_t *j, char *object)
{
    size_t count = json_array_size(j), other = 0;

    if (!json_is_array(j))
        return expected(r, at, "a list of integers", j);
    if (count == 0)
        return bad(r, at, SLW_E_FORMAT, "must not be empty");
    if (count > SLW_MAX_INTERVALS)
        return bad(r, at, SLW_E_LIMIT, "too many integers");
    memcpy(&other, object + f->other, sizeof(other));
    if (other != 0 && other != count)
        return bad(r, at, SLW_E_FORMAT, "is not as long as the list before it");
    uint64_t *numbers = slw_arena_array(r->arena, count + 1, sizeof(*numbers));
    if (!numbers)
        return no_memory(r);
    for (size_t i = 0; i < count; i++) {
        const struct place here = {.up = at, .index = i};
        int rc = read_u64(r, &here, json_array_get(j, i), &numbers[i]);
        if (rc < 0)
            return rc;
    }
    memcpy(object + f->offset, &numbers, sizeof(numbers));
    memcpy(object + f->other, &count, sizeof(count));
    return 0;
}

static int read_real(const struct reader *r, const struct place *at, const json_t *j,
                     double *ret_value)
{
    if (!json_is_number(j))
        return expected(r, at, "a number", j);
    *ret_value = json_number_value(j);
    return 0;
}

static int read_reals(const struct reader *r, const struct place *at, const struct slw_field *f,
                      const json_t *j, char *object)
{
    const size_t count = json_array_size(j);

    if (!json_is_array(j))
        return expected(r, at, "a list of numbers", j);
    if (count > SLW_MAX_ROUNDS)
        return bad(r, at, SLW_E_LIMIT, "more values than a run has rounds");
    double *reals = slw_arena_array(r->arena, count + 1, sizeof(*reals));
    if (!reals)
        return no_memory(r);
    for (size_t i = 0; i < count; i++) {
        const struct place here = {.up = at, .index = i};
        const json_t *value = json_array_get(j, i);
        const char *text = json_string_value(value);
        int rc = 0;

        if (text && strcmp(text, SLW_FIELD_NO_REAL) == 0)
            reals[i] = (double)NAN;
        else
            rc = read_real(r, &here, value, &reals[i]);
        if (rc < 0)
            return rc;
    }
    memcpy(object + f->offset, &reals, sizeof(reals));
    memcpy(object + f->other, &count, sizeof(count));
    return 0;
}

static int read_element(const struct reader *r, const struct place *at,
                        const struct slw_field_list *list, const json_t *j)
{
    union slw_field_element element;
    const char *problem;

    memset(&element, 0, sizeof(element));
    assert(list->element_bytes <= sizeof(element));
    int rc = read_fields(r, at, list->fields, j, (char *)&element);
    if (rc < 0)
        return rc;
    problem = list->check ? list->check(&element) : NULL;
    if (problem)
        return bad(r, at, SLW_E_FORMAT, problem);
    return list->add(r->run, &element, r->err);
}

static int read_list(const struct reader *r, const struct place *at,
                     const struct slw_field_list *list, const json_t *j)
{
    if (!json_is_array(j))
        return expected(r, at, "a list", j);
    if (json_array_size(j) > list->max)
        return bad(r, at, SLW_E_LIMIT, "too many elements");
    for (size_t i = 0; i < json_array_size(j); i++) {
        const struct place here = {.up = at, .index = i};
        int rc = read_element(r, &here, list, json_array_get(j, i));
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* The same into an array of the arena. */
static int read_array(const struct reader *r, const struct place *at, const struct slw_field *f,
                      const json_t *j, char *object)
{
    const struct slw_field_list *list = f->list;
    const size_t count = json_array_size(j);

    if (!json_is_array(j))
        return expected(r, at, "a list", j);
    if (count > list->max)
        return bad(r, at, SLW_E_LIMIT, "too many elements");
    char *elements = slw_arena_array(r->arena, count + 1, list->element_bytes);
    if (!elements)
        return no_memory(r);
    for (size_t i = 0; i < count; i++) {
        const struct place here = {.up = at, .index = i};
        char *element = elements + i * list->element_bytes;
        int rc = read_fields(r, &here, list->fields, json_array_get(j, i), element);
        const char *problem = rc == 0 && list->check ? list->check(element) : NULL;

        if (rc < 0 || problem)
            return rc < 0 ? rc : bad(r, &here, SLW_E_FORMAT, problem);
    }
    memcpy(object + f->offset, &elements, sizeof(elements));
    memcpy(object + f->other, &count, sizeof(count));
    return 0;
}

static int read_int_field(const struct reader *r, const struct place *at, const struct slw_field *f,
                          const json_t *j, char *object)
{
    int value = 0;
    int rc;

    if (f->kind == SLW_FIELD_ENUM)
        rc = read_enum(r, at, f, j, &value);
    else if (f->kind == SLW_FIELD_EXIT)
        rc = read_int(r, at, j, 0, INT_MAX, &value);
    else
        rc = read_int(r, at, j, f->min, f->max, &value);
    if (rc == 0)
        memcpy(object + f->offset, &value, sizeof(value));
    return rc;
}

static int read_flag(const struct reader *r, const struct place *at, const json_t *j, bool *ret)
{
    if (!json_is_boolean(j))
        return expected(r, at, "true or false", j);
    *ret = json_is_true(j);
    return 0;
}

static int read_value(const struct reader *r, const struct place *at, const struct slw_field *f,
                      const json_t *j, char *object)
{
    void *slot = object + f->offset;

    switch (f->kind) {
    case SLW_FIELD_NAME:
    case SLW_FIELD_TEXT:
    case SLW_FIELD_ABSENT:
    case SLW_FIELD_REASON:
        return read_text(r, at, j, slot);
    case SLW_FIELD_TEXTS:
        return read_texts(r, at, f, j, object);
    case SLW_FIELD_NUMBERS:
    case SLW_FIELD_SOME_NUMBERS:
        return read_numbers(r, at, f, j, object);
    case SLW_FIELD_REALS:
        return read_reals(r, at, f, j, object);
    case SLW_FIELD_REAL:
        return read_real(r, at, j, slot);
    case SLW_FIELD_U64:
    case SLW_FIELD_STAMP:
    case SLW_FIELD_COUNTED:
        return read_u64(r, at, j, slot);
    case SLW_FIELD_MAYBE:
        return read_maybe(r, at, j, slot);
    case SLW_FIELD_INT:
    case SLW_FIELD_EXIT:
    case SLW_FIELD_ENUM:
        return read_int_field(r, at, f, j, object);
    case SLW_FIELD_FLAG:
    case SLW_FIELD_MARK:
        return read_flag(r, at, j, slot);
    case SLW_FIELD_OBJECT:
        return read_fields(r, at, f->fields, j, slot);
    case SLW_FIELD_LIST:
    case SLW_FIELD_SOME:
        return read_list(r, at, f->list, j);
    case SLW_FIELD_ARRAY:
        return read_array(r, at, f, j, object);
    case SLW_FIELD_END:
        break;
    }
    return 0;
}

enum presence { OPTIONAL, REQUIRED, FORBIDDEN };

static enum presence presence_of(const struct slw_field *f, const char *object, bool absent)
{
    enum slw_exit_kind exit;
    const char *text;

    switch (f->kind) {
    case SLW_FIELD_COUNTED:
        return absent ? FORBIDDEN : REQUIRED;
    case SLW_FIELD_REASON:
        memcpy(&text, object + f->other, sizeof(text));
        return text ? FORBIDDEN : OPTIONAL;
    case SLW_FIELD_EXIT:
        memcpy(&exit, object + f->other, sizeof(exit));
        return exit == SLW_EXIT_STATUS || exit == SLW_EXIT_SIGNAL ? REQUIRED : FORBIDDEN;
    case SLW_FIELD_TEXT:
    case SLW_FIELD_STAMP:
    case SLW_FIELD_ABSENT:
    case SLW_FIELD_INT:
    case SLW_FIELD_MARK:
    case SLW_FIELD_REAL:
    case SLW_FIELD_SOME:
    case SLW_FIELD_SOME_NUMBERS:
    case SLW_FIELD_ARRAY:
        return OPTIONAL;
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
    case SLW_FIELD_END:
        break;
    }
    return REQUIRED;
}

/* A key that is missing where it may be. */
static void set_unknown(const struct slw_field *f, char *object)
{
    if (f->kind == SLW_FIELD_INT)
        memcpy(object + f->offset, &f->unknown, sizeof(f->unknown));
}

static int read_fields(const struct reader *r, const struct place *at,
                       const struct slw_field *fields, const json_t *j, char *object)
{
    bool absent = false;

    if (!json_is_object(j))
        return expected(r, at, "an object", j);
    for (const struct slw_field *f = fields; f->kind != SLW_FIELD_END; f++) {
        const struct place here = {.up = at, .key = f->key};
        const json_t *value = json_object_get(j, f->key);
        enum presence presence = presence_of(f, object, absent);

        if (!value && presence == REQUIRED)
            return bad(r, &here, SLW_E_FORMAT, "missing");
        if (value && presence == FORBIDDEN)
            return bad(r, &here, SLW_E_FORMAT, "must not stand next to what excludes it");
        if (!value) {
            set_unknown(f, object);
            continue;
        }
        int rc = read_value(r, &here, f, value, object);
        if (rc < 0)
            return rc;
        absent = absent || f->kind == SLW_FIELD_ABSENT;
    }
    return 0;
}

static int check_schema(const struct reader *r, const json_t *j, int newest)
{
    const struct place at = {.key = "schema"};
    const json_t *schema = json_object_get(j, "schema");
    char text[96];

    if (!json_is_object(j))
        return expected(r, NULL, "an object", j);
    if (!schema)
        return bad(r, &at, SLW_E_FORMAT, "missing");
    if (!json_is_integer(schema))
        return expected(r, &at, "integer", schema);
    if (json_integer_value(schema) > newest) {
        (void)snprintf(text, sizeof(text), "%lld is newer than %d, the newest this slotwise reads",
                       (long long)json_integer_value(schema), newest);
        return bad(r, &at, SLW_E_VERSION, text);
    }
    if (json_integer_value(schema) < 1)
        return bad(r, &at, SLW_E_FORMAT, "schemas start at 1");
    return 0;
}

static int read_document(struct reader *r, const json_t *j)
{
    int rc = slw_run_new(&r->run, r->err);

    if (rc == 0)
        r->arena = r->run->arena;
    if (rc == 0)
        rc = read_fields(r, NULL, slw_run_fields, j, (char *)r->run);
    if (rc < 0)
        return rc;
    if (r->run->model.name)
        r->run->model.absent = NULL;
    const char *problem = slw_run_check_series(r->run);
    const struct place at = {.key = "series"};
    return problem ? bad(r, &at, SLW_E_FORMAT, problem) : 0;
}

int slw_fields_from_json(const char *name, struct slw_arena *arena, const struct slw_field *fields,
                         const struct json_t *j, void *object, struct slw_error *err)
{
    const struct reader r = {.arena = arena, .name = name, .err = err};

    return read_fields(&r, NULL, fields, j, object);
}

static int syntax_error(const char *name, const json_error_t *why, struct slw_error *err)
{
    /* jansson says nothing at all when it could not allocate a value. */
    if (json_error_code(why) == json_error_out_of_memory || !why->text[0])
        return slw_fail(err, SLW_E_NOMEM, "no memory for %s", name);
    int rc = slw_fail(err, SLW_E_FORMAT, "not JSON: %s", why->text);
    slw_error_at(err, "%s:%d:%d", name, why->line, why->column);
    return rc;
}

int slw_document_parse(const char *name, const char *text, size_t length, int newest,
                       struct json_t **ret_document, struct slw_error *err)
{
    const struct reader r = {.name = name, .err = err};
    json_error_t why;
    json_t *j = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);

    if (!j)
        return syntax_error(name, &why, err);
    int rc = check_schema(&r, j, newest);
    if (rc < 0)
        json_decref(j);
    else
        *ret_document = j;
    return rc;
}

int slw_run_json_read(const char *name, const char *text, size_t length, struct slw_run **ret_run,
                      struct slw_error *err)
{
    struct reader r = {.name = name, .err = err};
    json_t *j = NULL;
    int rc = slw_document_parse(name, text, length, SLW_RUN_SCHEMA, &j, err);

    if (rc < 0)
        return rc;
    rc = read_document(&r, j);
    json_decref(j);
    if (rc < 0) {
        slw_run_free(r.run);
        return rc;
    }
    *ret_run = r.run;
    return 0;
}

int slw_run_from_json(const char *text, size_t length, struct slw_run **ret_run,
                      struct slw_error *err)
{
    return slw_run_json_read(SLW_RUN_JSON, text, length, ret_run, err);
}
