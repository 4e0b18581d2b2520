/* SPDX-License-Identifier: MIT */
#include "collector/import_json.h"

#include "base/arena.h"
#include "record/text.h"

#include <math.h>
#include <string.h>

int slw_import_json_load(struct slw_stack_import *in, const void *bytes, size_t length,
                         json_t **ret_json)
{
    json_error_t error;
    json_t *json = json_loadb(bytes, length, 0, &error);

    if (json) {
        *ret_json = json;
        return 0;
    }
    if (json_error_code(&error) == json_error_out_of_memory)
        return slw_stack_import_stop(in, SLW_E_NOMEM, 0, "no memory for the JSON of the file");
    return slw_stack_import_stop(in, SLW_E_FORMAT,
                                 (size_t)(error.position > 0 ? error.position : 0),
                                 "%s (line %d, column %d)", error.text, error.line, error.column);
}

bool slw_import_json_index(const json_t *value, size_t count, size_t *ret_index)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        (uint64_t)json_integer_value(value) >= count)
        return false;
    *ret_index = (size_t)json_integer_value(value);
    return true;
}

bool slw_import_json_weight(const json_t *value, double scale, uint64_t *ret_weight)
{
    const bool whole = scale == 1.0;

    if (json_is_integer(value) && whole) {
        *ret_weight = (uint64_t)json_integer_value(value);
        return json_integer_value(value) >= 0;
    }
    if (!json_is_number(value))
        return false;
    const double weight = json_number_value(value) * scale;
    if (!(weight >= 0) || !(weight < 9.2e18) || (whole && weight != floor(weight)))
        return false;
    *ret_weight = (uint64_t)llround(weight);
    return true;
}

const char *slw_import_json_text(struct slw_stack_import *in, const json_t *value)
{
    const char *text = json_string_value(value);
    char *copy = slw_arena_strdup(in->arena, text ? text : "");

    if (copy)
        slw_text_unescape(copy);
    return copy;
}

bool slw_import_json_has(const void *head, size_t length, const char *word)
{
    const char *p = head, *end = p + length;

    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p < end && *p == '{' && memmem(p, (size_t)(end - p), word, strlen(word));
}
