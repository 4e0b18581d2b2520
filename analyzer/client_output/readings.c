/* SPDX-License-Identifier: MIT */
/* Readings: appending them, from rows of "label: number". */
#include "analyzer/client_output/client_output_int.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define REQUESTS "requests"

static struct slw_client_reading *find(struct slw_client_readings *r, const char *key)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->all[i].key, key) == 0)
            return &r->all[i];
    return NULL;
}

bool slw_client_readings_find(const struct slw_client_readings *r, const char *key,
                              double *ret_value)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->all[i].key, key) == 0) {
            *ret_value = r->all[i].value;
            return true;
        }
    return false;
}

int slw_readings_add(struct slw_client_readings *readings, const struct slw_client_reading *reading,
                     struct slw_error *err)
{
    struct slw_client_reading *place = find(readings, reading->key);

    if (!place && readings->count == SLW_MAX_READINGS)
        return slw_fail(err, SLW_E_LIMIT, "more than %d numbers in the output of the client",
                        SLW_MAX_READINGS);
    if (!place)
        place = &readings->all[readings->count++];
    *place = *reading;
    return 0;
}

void slw_readings_leave_out(struct slw_client_readings *r, const char *fmt, ...)
{
    const size_t used = strlen(r->left_out);
    const size_t separator = used && used + 3 < sizeof(r->left_out) ? 2 : 0;
    va_list ap;

    if (separator)
        memcpy(r->left_out + used, "; ", 3);
    va_start(ap, fmt);
    (void)vsnprintf(r->left_out + used + separator, sizeof(r->left_out) - used - separator, fmt,
                    ap);
    va_end(ap);
}

static bool is_count(const struct slw_output_row *row)
{
    return row->number == SLW_ROW_COUNT || row->number == SLW_ROW_GROUPED_COUNT;
}

int slw_reading_put(struct slw_output_sink *s, const struct slw_output_row *row,
                    const struct slw_decimal *number, struct slw_error *err)
{
    struct slw_client_reading reading = {
        .better = row->better,
        .step = is_count(row) ? 0 : number->step,
        .value = number->value,
    };
    const size_t named = strlen(s->prefix);

    (void)snprintf(reading.key, sizeof(reading.key), "client_%s%s", s->prefix, row->key);
    if (named)
        (void)snprintf(reading.title, sizeof(reading.title), "%.*s: %s, by %s", (int)(named - 1),
                       s->prefix, row->title, s->client);
    else
        (void)snprintf(reading.title, sizeof(reading.title), "%s, by %s", row->title, s->client);
    (void)snprintf(reading.unit, sizeof(reading.unit), "%s", row->unit);
    return slw_readings_add(s->readings, &reading, err);
}

int slw_reading_put_requests(struct slw_output_sink *s, const char *what, double count,
                             struct slw_error *err)
{
    struct slw_client_reading reading = {
        .key = REQUESTS, .unit = REQUESTS, .better = SLW_BETTER_NEITHER, .value = count};

    if (!(count >= 0) || count > 9e15) /* past what a double counts one by one */
        return 0;
    (void)snprintf(reading.title, sizeof(reading.title), "%s, by %s", what, s->client);
    return slw_readings_add(s->readings, &reading, err);
}

/* "(including failures)" and what else stands between a label and its number. */
static void skip_to_number(struct slw_line *l)
{
    slw_line_skip_blanks(l);
    if (l->length && *l->text == '(' && memchr(l->text, ')', l->length))
        (void)slw_line_field(l, ')');
    slw_line_skip_blanks(l);
    while (l->length && (*l->text == ':' || *l->text == '='))
        (void)slw_line_field(l, *l->text);
    slw_line_skip_blanks(l);
}

static bool read_number(const struct slw_output_row *row, struct slw_line *line,
                        struct slw_decimal *ret_number)
{
    switch (row->number) {
    case SLW_ROW_GROUPED:
    case SLW_ROW_GROUPED_COUNT:
        return slw_line_grouped(line, ret_number);
    case SLW_ROW_DURATION:
        return slw_line_duration(line, ret_number);
    case SLW_ROW_COUNT:
        return slw_line_decimal(line, 1, ret_number) && ret_number->whole;
    case SLW_ROW_DECIMAL:
        break;
    }
    return slw_line_decimal(line, row->scale ? row->scale : 1, ret_number);
}

int slw_rows_read(const struct slw_output_row *rows, size_t count, struct slw_line line,
                  struct slw_output_sink *s, struct slw_error *err)
{
    for (size_t i = 0; i < count; i++) {
        struct slw_line rest = line;
        struct slw_decimal number;

        if (!slw_line_skip_any_case(&rest, rows[i].label))
            continue;
        skip_to_number(&rest);
        if (!read_number(&rows[i], &rest, &number))
            continue;
        const int rc = slw_reading_put(s, &rows[i], &number, err);
        return rc < 0 ? rc : 1;
    }
    return 0;
}
