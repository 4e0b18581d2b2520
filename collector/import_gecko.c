/* SPDX-License-Identifier: MIT */
#include "collector/import_gecko.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool slw_gecko_is_thread(const json_t *thread)
{
    return json_object_get(json_object_get(thread, "stackTable"), "schema") != NULL;
}

json_t *slw_gecko_libs(const json_t *libs)
{
    const char *text = json_string_value(libs);

    if (json_is_array(libs))
        return json_deep_copy(libs);
    json_t *list = text ? json_loads(text, 0, NULL) : NULL;
    return list ? list : json_array();
}

/* One column of rows, in the order of rows; what is not there is null. NULL: no memory. */
static json_t *column(const json_t *table, const char *name)
{
    const json_t *rows = json_object_get(table, "data");
    const json_t *place = json_object_get(json_object_get(table, "schema"), name);
    const json_int_t index = json_is_integer(place) ? json_integer_value(place) : -1;
    json_t *values = json_array();

    for (size_t i = 0; values && i < json_array_size(rows); i++) {
        json_t *value = index < 0 ? NULL : json_array_get(json_array_get(rows, i), (size_t)index);
        if (json_array_append_new(values, value ? json_incref(value) : json_null()) < 0) {
            json_decref(values);
            values = NULL;
        }
    }
    return values;
}

/* ---- places in code ---- */

/* Where the functions of a thread are put together. */
struct functions {
    const json_t *strings, *libs;
    json_t *names; /* the strings, and those of functions and files behind them */
    json_t *name, *file, *resource, *line, *address; /* columns by frame */
    bool failed;
};

/* Text becomes a string of the thread. */
static json_t *intern(struct functions *f, const char *text, size_t length)
{
    json_t *string = json_stringn(text, length);

    f->failed |= json_array_append_new(f->names, string) < 0;
    return json_integer((json_int_t)json_array_size(f->names) - 1);
}

static void put(struct functions *f, json_t *to, json_t *value)
{
    f->failed |= json_array_append_new(to, value) < 0;
}

static uint64_t number(const json_t *object, const char *name)
{
    const json_int_t value = json_integer_value(json_object_get(object, name));

    return value > 0 ? (uint64_t)value : 0;
}

/* The library whose mapping holds the address; -1: none does. */
static json_int_t library_at(const json_t *libs, uint64_t address)
{
    for (size_t i = 0; i < json_array_size(libs); i++) {
        const json_t *lib = json_array_get(libs, i);
        if (address >= number(lib, "start") && address < number(lib, "end"))
            return (json_int_t)i;
    }
    return -1;
}

static json_int_t library_called(const json_t *libs, const char *name, size_t length)
{
    for (size_t i = 0; i < json_array_size(libs); i++) {
        const char *own = json_string_value(json_object_get(json_array_get(libs, i), "name"));
        if (own && strlen(own) == length && memcmp(own, name, length) == 0)
            return (json_int_t)i;
    }
    return -1;
}

/* What the text of a place says. */
struct place {
    const char *name, *file;
    size_t name_length, file_length;
    json_int_t lib;
    uint64_t address, line;
};

static bool is_address(const char *text, uint64_t *ret_address)
{
    char *end;

    if (strncmp(text, "0x", 2) != 0 || strlen(text) > 18)
        return false;
    *ret_address = strtoull(text + 2, &end, 16);
    return *end == '\0' && end > text + 2;
}

static void place_native(const json_t *libs, uint64_t address, struct place *p)
{
    p->lib = library_at(libs, address);
    p->address = address;
    if (p->lib >= 0) {
        const json_t *lib = json_array_get(libs, (size_t)p->lib);
        p->address = address - (number(lib, "start") - number(lib, "offset"));
    }
}

/* "function (in library)", and perhaps " + 12" behind it. */
static bool place_symbolicated(const json_t *libs, const char *text, struct place *p)
{
    const char *in = strstr(text, " (in "), *end = in ? strrchr(in, ')') : NULL;

    if (!end || (end[1] != '\0' && strncmp(end + 1, " + ", 3) != 0))
        return false;
    p->name = text;
    p->name_length = (size_t)(in - text);
    p->lib = library_called(libs, in + 5, (size_t)(end - in) - 5);
    return true;
}

/* The number behind the last ':' before *end, which is moved there; false: none. */
static bool take_number(const char *begin, const char **end, uint64_t *ret_number)
{
    const char *at = *end;

    while (at > begin && at[-1] >= '0' && at[-1] <= '9')
        at--;
    if (at == *end || at == begin || at[-1] != ':')
        return false;
    *ret_number = strtoull(at, NULL, 10);
    *end = at - 1;
    return true;
}

/* "function (url:line:column)" of a script; not "operator() (int)". */
static bool place_script(const char *text, struct place *p)
{
    const char *open = strstr(text, " (");
    uint64_t last = 0, before = 0;

    if (!open || open == text)
        return false;
    const char *file = open + 2, *end = open + strlen(open) - 1;

    if (*end != ')')
        return false;
    const bool numbered = take_number(file, &end, &last);
    if (!numbered && !memchr(file, '/', (size_t)(end - file)))
        return false;
    if (numbered)
        p->line = take_number(file, &end, &before) ? before : last;
    p->name_length = (size_t)(open - text);
    p->file = file;
    p->file_length = (size_t)(end - file);
    return true;
}

static struct place read_place(const json_t *libs, const char *text)
{
    struct place p = {.name = text, .name_length = strlen(text), .file = "", .lib = -1};
    uint64_t address;

    if (is_address(text, &address)) {
        p.name_length = 0;
        place_native(libs, address, &p);
    } else if (!place_symbolicated(libs, text, &p)) {
        (void)place_script(text, &p);
    }
    return p;
}

/* ---- tables ---- */

static json_t *line_of(const json_t *told, uint64_t line)
{
    if (json_is_integer(told))
        return json_integer(json_integer_value(told));
    return line > 0 && line <= UINT32_MAX ? json_integer((json_int_t)line) : json_null();
}

static void put_frame(struct functions *f, const json_t *location, const json_t *line)
{
    const json_int_t index = json_is_integer(location) ? json_integer_value(location) : -1;
    const char *text =
        json_string_value(index < 0 ? NULL : json_array_get(f->strings, (size_t)index));
    const struct place p = read_place(f->libs, text ? text : "");

    put(f, f->name, intern(f, p.name, p.name_length));
    put(f, f->file, p.file_length ? intern(f, p.file, p.file_length) : json_null());
    put(f, f->resource, p.lib >= 0 ? json_integer(p.lib) : json_null());
    put(f, f->line, line_of(line, p.line));
    put(f, f->address, json_integer(p.address <= INT64_MAX ? (json_int_t)p.address : 0));
}

/* 0, 1, 2, ... */
static json_t *counting(size_t count)
{
    json_t *numbers = json_array();

    for (size_t i = 0; numbers && i < count; i++)
        if (json_array_append_new(numbers, json_integer((json_int_t)i)) < 0) {
            json_decref(numbers);
            return NULL;
        }
    return numbers;
}

static bool put_frames(struct functions *f, const json_t *table)
{
    json_t *locations = column(table, "location"), *lines = column(table, "line");

    f->failed = !locations || !lines || !f->names || !f->name || !f->file || !f->resource ||
                !f->line || !f->address;
    for (size_t i = 0; !f->failed && i < json_array_size(locations); i++)
        put_frame(f, json_array_get(locations, i), json_array_get(lines, i));
    json_decref(locations);
    json_decref(lines);
    return !f->failed;
}

/* A function for each frame. Takes all of f. */
static json_t *build(const json_t *thread, struct functions *f)
{
    const json_t *stacks = json_object_get(thread, "stackTable");
    const size_t count = json_array_size(f->name);
    json_t *made = json_pack(
        "{s:o,s:{s:o,s:o},s:{s:o,s:o,s:o},s:{s:o,s:o,s:o},s:{s:o},s:{s:o}}", "stringArray",
        f->names, "stackTable", "frame", column(stacks, "frame"), "prefix",
        column(stacks, "prefix"), "frameTable", "func", counting(count), "line", f->line, "address",
        f->address, "funcTable", "name", f->name, "fileName", f->file, "resource", f->resource,
        "resourceTable", "lib", counting(json_array_size(f->libs)), "samples", "stack",
        column(json_object_get(thread, "samples"), "stack"));

    static const char *const kept[] = {"name", "pid", "tid"};
    for (size_t i = 0; made && i < sizeof(kept) / sizeof(kept[0]); i++) {
        json_t *value = json_object_get(thread, kept[i]);
        if (value && json_object_set(made, kept[i], value) < 0) {
            json_decref(made);
            made = NULL;
        }
    }
    return made;
}

json_t *slw_gecko_thread(const json_t *thread, const json_t *libs)
{
    json_t *strings = json_object_get(thread, "stringTable");
    struct functions f = {.strings = strings,
                          .libs = libs,
                          .names = json_is_array(strings) ? json_copy(strings) : json_array(),
                          .name = json_array(),
                          .file = json_array(),
                          .resource = json_array(),
                          .line = json_array(),
                          .address = json_array()};

    if (put_frames(&f, json_object_get(thread, "frameTable")))
        return build(thread, &f);
    json_decref(f.names);
    json_decref(f.name);
    json_decref(f.file);
    json_decref(f.resource);
    json_decref(f.line);
    json_decref(f.address);
    return NULL;
}
