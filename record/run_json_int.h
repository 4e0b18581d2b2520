/* SPDX-License-Identifier: MIT */
/* The fields of run.json as data: the writer and the reader walk the same tables, so that they
 * cannot disagree, and the tests compare the tables with docs/run.schema.json. Only for record/ and
 * its tests. */
#ifndef SLW_RECORD_RUN_JSON_INT_H
#define SLW_RECORD_RUN_JSON_INT_H

#include "base/buf.h"
#include "record/run.h"

enum slw_field_kind {
    SLW_FIELD_END,
    SLW_FIELD_NAME,         /* const char *, never NULL */
    SLW_FIELD_TEXT,         /* const char *; the key is missing when NULL */
    SLW_FIELD_TEXTS,        /* const char **, count in a size_t at `other` */
    SLW_FIELD_NUMBERS,      /* uint64_t *, count in a size_t at `other`, which others may share */
    SLW_FIELD_SOME_NUMBERS, /* the same; missing: none */
    SLW_FIELD_REALS,        /* double *, count in a size_t at `other`; NAN is the text "absent" */
    SLW_FIELD_REAL,         /* double, finite; the key is missing when it is 0 */
    SLW_FIELD_U64,          /* uint64_t */
    SLW_FIELD_STAMP,        /* uint64_t; the key is missing when 0 */
    SLW_FIELD_COUNTED,      /* uint64_t; the key is missing when the object is absent */
    SLW_FIELD_MAYBE,        /* struct slw_maybe_u64: a number or {"absent": reason} */
    SLW_FIELD_ABSENT,       /* const char *: why the COUNTED fields that follow are missing */
    SLW_FIELD_REASON,       /* const char *: why the TEXT at `other` is missing */
    SLW_FIELD_INT,          /* int within [min, max]; the key is missing when it is `unknown` */
    SLW_FIELD_EXIT,         /* int; only when the enum slw_exit_kind at `other` has a value */
    SLW_FIELD_FLAG,         /* bool */
    SLW_FIELD_MARK,         /* bool; the key is missing when false */
    SLW_FIELD_ENUM,         /* an enum, written as names[value] */
    SLW_FIELD_OBJECT,       /* a struct described by `fields` */
    SLW_FIELD_LIST,         /* an array of structs described by `list` */
    SLW_FIELD_SOME,         /* the same; the key is missing when it is empty */
    SLW_FIELD_ARRAY         /* SOME whose elements stand in the arena: its list needs no `add` */
};

#define SLW_FIELD_NO_REAL "absent" /* a REALS element that was not measured */

struct slw_field;

struct slw_field_list {
    const struct slw_field *fields;
    size_t element_bytes, max;
    const char *(*check)(const void *element); /* NULL or what is wrong with it */
    int (*add)(struct slw_run *run, const void *element, struct slw_error *err);
};

struct slw_field {
    const char *key;
    enum slw_field_kind kind;
    size_t offset, other; /* into the struct the table describes */
    int unknown, min, max;
    const char *const *names; /* NULL-terminated */
    const struct slw_field *fields;
    const struct slw_field_list *list;
};

/* Every key of run.json but "schema", in the order of the file; ends with SLW_FIELD_END. */
extern const struct slw_field slw_run_fields[];

/* The largest element of any list, with the alignment of all of them. */
union slw_field_element {
    struct slw_count count;
    struct slw_round round;
    struct slw_counted_task task;
    struct slw_time_slice interval;
    struct slw_time_series series;
    struct slw_sampling sampling;
    struct slw_printed printed;
    struct slw_connection connection;
    struct slw_latency latency;
    struct slw_waiting waiting;
    struct slw_waited_for waited_for;
    struct slw_stage stage;
    struct slw_unwinding unwinding;
    struct slw_observation observation;
    struct slw_label label;
    struct slw_model_ref model;
    struct slw_note note;
};

/* One column of a stack profile, a struct slw_column; the profile carries it in a comment. */
extern const struct slw_field slw_column_fields[];

struct json_t;
struct slw_arena;

/* The document, whose "schema" is 1 .. newest; free with json_decref. -SLW_E_FORMAT (not JSON, no
 * schema), -SLW_E_VERSION, -SLW_E_NOMEM. `name` is what errors call it. */
int slw_document_parse(const char *name, const char *text, size_t length, int newest,
                       struct json_t **ret_document, struct slw_error *err);

/* j, whose reference is taken, as bytes with a newline at the end. -SLW_E_NOMEM, also for NULL. */
int slw_document_write(struct json_t *j, const char *name, struct slw_buf *out,
                       struct slw_error *err);

/* A JSON object with these fields of `object`, new; NULL when out of memory. */
struct json_t *slw_fields_to_json(const struct slw_field *fields, const void *object);

/* Put the fields of `object` into j as well. 0, or -1 when out of memory. */
int slw_fields_into_json(struct json_t *j, const struct slw_field *fields, const void *object);

/* Fill `object` from j; strings and arrays are put into the arena. Tables with lists need a run and
 * are not for this. `name` is what errors call the document. */
int slw_fields_from_json(const char *name, struct slw_arena *arena, const struct slw_field *fields,
                         const struct json_t *j, void *object, struct slw_error *err);

/* As slw_run_from_json; `name` is what errors call the file. */
int slw_run_json_read(const char *name, const char *text, size_t length, struct slw_run **ret_run,
                      struct slw_error *err);

#endif
