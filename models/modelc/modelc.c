/* SPDX-License-Identifier: MIT */
/* Build tool: modelc IN.json OUT.c checks a model file, with the files beside it that it builds on,
 * and writes it, without white space, as a C array with its match table. prose.json is written the
 * same way, and what is in a folder cores/ is a core (core.h): OUT.core is the form that a carrier
 * of the simulated tier reads. Not installed, not part of slotwise. */
#include "models/builtin.h"
#include "models/core.h"
#include "models/model_int.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <assert.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_string(struct slw_buf *b, const char *s)
{
    if (!s) {
        slw_buf_puts(b, "0");
        return;
    }
    slw_buf_putc(b, '"');
    for (; *s; s++)
        slw_buf_printf(b, "\\%03o", (unsigned)(unsigned char)*s);
    slw_buf_putc(b, '"');
}

static void put_match(struct slw_buf *b, const struct slw_model_match *m)
{
    slw_buf_puts(b, "{");
    put_string(b, m->vendor);
    slw_buf_printf(b, ", %d, %d, %d, %d, %d, %d, %d}", m->family, m->model, m->model_high,
                   m->stepping_low, m->stepping_high, m->implementer, m->part);
}

static void put_tables(struct slw_buf *b, const struct slw_model *m)
{
    if (m->match_count > 0)
        slw_buf_puts(b, "static const struct slw_model_match matches[] = {\n");
    for (size_t i = 0; i < m->match_count; i++) {
        put_match(b, &m->matches[i]);
        slw_buf_puts(b, i + 1 < m->match_count ? ",\n" : "};\n");
    }
    if (m->relative_count > 0)
        slw_buf_puts(b, "static const struct slw_model_relative relatives[] = {\n");
    for (size_t i = 0; i < m->relative_count; i++) {
        slw_buf_puts(b, "{");
        put_match(b, &m->relatives[i].match);
        slw_buf_puts(b, ", ");
        put_string(b, m->relatives[i].why);
        slw_buf_puts(b, i + 1 < m->relative_count ? "},\n" : "}};\n");
    }
}

static void put_nodes(struct slw_buf *b, const struct slw_model *m)
{
    if (m->node_count > 0)
        slw_buf_puts(b, "static const char *const nodes[] = {\n");
    for (size_t i = 0; i < m->node_count; i++) {
        put_string(b, m->nodes[i].name);
        slw_buf_puts(b, i + 1 < m->node_count ? ",\n" : "};\n");
    }
}

static void put_bytes(struct slw_buf *b, const char *bytes, size_t length)
{
    slw_buf_puts(b, "static const unsigned char json[] = {");
    for (size_t i = 0; i < length; i++)
        slw_buf_printf(b, "%s%u,", i % 24 ? "" : "\n", (unsigned)(unsigned char)bytes[i]);
    slw_buf_puts(b, "\n};\n");
}

static void put_builtin(struct slw_buf *b, const struct slw_model *m, size_t json_length)
{
    slw_buf_printf(b, "extern const struct slw_builtin slw_builtin_%s;\n", m->name);
    slw_buf_printf(b, "const struct slw_builtin slw_builtin_%s = {", m->name);
    put_string(b, m->name);
    slw_buf_puts(b, ", ");
    put_string(b, m->arch);
    slw_buf_puts(b, ", ");
    put_string(b, m->pmu);
    slw_buf_printf(b, ", %s, %zu, %s, %zu, %s, %zu, json, %zu};\n",
                   m->match_count ? "matches" : "0", m->match_count,
                   m->relative_count ? "relatives" : "0", m->relative_count,
                   m->node_count ? "nodes" : "0", m->node_count, json_length);
}

/* The file is registered by its name, so what is inside must bear it. */
static int check_file_name(const char *path, const char *name, const char *what,
                           struct slw_error *err)
{
    const char *base = strrchr(path, '/');
    const size_t length = strlen(name);

    base = base ? base + 1 : path;
    if (strncmp(base, name, length) == 0 && strcmp(base + length, ".json") == 0)
        return 0;
    slw_error_at(err, "%s:1:1", path);
    return slw_fail(err, SLW_E_FORMAT, "the %s is called '%s', its file must be %s.json", what,
                    name, name);
}

static int emit(const char *text, size_t length, const struct slw_model *m, const char *out,
                struct slw_error *err)
{
    struct slw_buf b = {0};
    json_t *json = json_loadb(text, length, 0, NULL);
    char *SLW_AUTO(free) compact = json ? json_dumps(json, JSON_COMPACT) : NULL;

    json_decref(json);
    if (!compact)
        return slw_fail(err, SLW_E_NOMEM, "out of memory");
    slw_buf_puts(&b, "/* Written by modelc. */\n#include \"models/builtin.h\"\n");
    put_tables(&b, m);
    put_nodes(&b, m);
    put_bytes(&b, compact, strlen(compact));
    put_builtin(&b, m, strlen(compact));
    const int rc = slw_buf_failed(&b) ? slw_fail(err, SLW_E_NOMEM, "out of memory")
                                      : slw_file_write(out, b.data, b.length, err);
    slw_buf_release(&b);
    return rc;
}

/* The files beside the one that is compiled: the model it is based on, and prose.json. */
struct beside {
    const char *path;
    char origins[2][1024];
    char *texts[2];
    size_t count;
};

static int get_beside(void *context, const char *name, struct slw_model_text *ret_text,
                      struct slw_error *err)
{
    struct beside *b = context;
    const char *slash = strrchr(b->path, '/');
    size_t length = 0;

    assert(b->count < 2);
    char *origin = b->origins[b->count];
    (void)snprintf(origin, sizeof(b->origins[0]), "%.*s%s.json",
                   slash ? (int)(slash + 1 - b->path) : 0, b->path, name);
    const int rc = slw_file_read(origin, SLW_MODEL_MAX_BYTES, &b->texts[b->count], &length, err);
    if (rc < 0)
        return rc;
    *ret_text =
        (struct slw_model_text){.text = b->texts[b->count++], .length = length, .origin = origin};
    return 0;
}

static int compile_model(const char *path, const char *text, size_t length, const char *out,
                         struct slw_error *err)
{
    struct beside beside = {.path = path};
    const struct slw_model_library library = {.get = get_beside, .context = &beside};
    struct slw_model *m = NULL;
    int rc = slw_model_parse_with(text, length, path, &library, &m, err);

    if (rc >= 0)
        rc = check_file_name(path, m->name, "model", err);
    if (rc >= 0)
        rc = emit(text, length, m, out, err);
    slw_model_free(m);
    free(beside.texts[0]);
    free(beside.texts[1]);
    return rc;
}

/* Embedded as a model is, though it matches nothing. */
static int compile_prose(const char *path, const char *text, size_t length, const char *out,
                         struct slw_error *err)
{
    static const struct slw_model prose = {.name = "prose", .arch = "", .pmu = ""};
    struct slw_json_doc doc = {.text = text, .length = length, .origin = path, .err = err};
    int rc = slw_load_json(&doc, &doc.own);

    if (rc >= 0)
        rc = slw_prose_check(&doc);
    json_decref(doc.own);
    return rc < 0 ? rc : emit(text, length, &prose, out, err);
}

static int emit_core(const char *text, size_t length, const struct slw_core *core, const char *out,
                     struct slw_error *err)
{
    struct slw_buf b = {0};

    if (strlen(out) > 5 && strcmp(out + strlen(out) - 5, ".core") == 0) {
        slw_core_text(core, &b);
    } else {
        slw_buf_puts(&b, "/* Written by modelc. */\n#include \"models/core_builtin.h\"\n");
        slw_buf_puts(&b, "static const char *const like[] = {");
        for (size_t i = 0; i < core->like_count; i++) {
            put_string(&b, core->like[i]);
            slw_buf_puts(&b, ", ");
        }
        slw_buf_puts(&b, "0};\n");
        put_bytes(&b, text, length);
        slw_buf_printf(&b, "extern const struct slw_core_builtin slw_core_builtin_%s;\n",
                       core->name);
        slw_buf_printf(&b, "const struct slw_core_builtin slw_core_builtin_%s = {", core->name);
        put_string(&b, core->name);
        slw_buf_printf(&b, ", like, json, %zu};\n", length);
    }
    const int rc = slw_buf_failed(&b) ? slw_fail(err, SLW_E_NOMEM, "out of memory")
                                      : slw_file_write(out, b.data, b.length, err);
    slw_buf_release(&b);
    return rc;
}

static int compile_core(const char *path, const char *text, size_t length, const char *out,
                        struct slw_error *err)
{
    struct slw_core *core = NULL;
    int rc = slw_core_parse(text, length, path, &core, err);

    if (rc >= 0)
        rc = check_file_name(path, core->name, "core", err);
    if (rc >= 0)
        rc = emit_core(text, length, core, out, err);
    slw_core_free(core);
    return rc;
}

static bool is_in_cores(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash && slash - path >= 5 && strncmp(slash - 5, "cores", 5) == 0;
}

static int compile(const char *path, const char *out, struct slw_error *err)
{
    const char *slash = strrchr(path, '/');
    char *SLW_AUTO(free) text = NULL;
    size_t length = 0;
    const int rc = slw_file_read(path, (size_t)4 << 20, &text, &length, err);

    if (rc < 0)
        return rc;
    if (strcmp(slash ? slash + 1 : path, "prose.json") == 0)
        return compile_prose(path, text, length, out, err);
    if (is_in_cores(path))
        return compile_core(path, text, length, out, err);
    return compile_model(path, text, length, out, err);
}

int main(int argc, char **argv)
{
    struct slw_error err = {0};

    if (argc != 3) {
        (void)fprintf(stderr, "usage: modelc IN.json OUT.c\n");
        return slw_code_exit_status(SLW_E_USAGE);
    }
    if (compile(argv[1], argv[2], &err) >= 0)
        return 0;
    (void)fprintf(stderr, "%s%serror: %s\n", err.where, *err.where ? ": " : "", err.text);
    return slw_code_exit_status(err.code);
}
