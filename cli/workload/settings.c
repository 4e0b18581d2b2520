/* SPDX-License-Identifier: MIT */
/* From rows of settings to options, and from a command line to choices. */
#include "cli/suggest.h"
#include "cli/workload/workload_int.h"

#include "base/parse.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_REQUESTS 1000000000000U

#define DRIVER_ROW                                                                                 \
    {                                                                                              \
        .name = "driver", .kind = SLW_SETTING_TEXT, .value = "NAME", .otherwise = "sqlite",        \
        .text = "The database: one that 'slotwise workload list' names."                           \
    }
#define CONNECT_ROW                                                                                \
    {                                                                                              \
        .name = "connect", .kind = SLW_SETTING_TEXT, .value = "WHERE",                             \
        .text = "Server: HOST:PORT or the path of a socket; for sqlite the file (default: a "      \
                "private one that is removed)."                                                    \
    }
#define TABLE_ROW                                                                                  \
    {                                                                                              \
        .name = "table", .kind = SLW_SETTING_TEXT, .value = "NAME",                                \
        .otherwise = "slotwise_requests", .text = "Table, or prefix of keys; made anew."           \
    }

const struct slw_setting slw_run_settings[] = {
    DRIVER_ROW,
    CONNECT_ROW,
    TABLE_ROW,
    {.name = "keep",
     .kind = SLW_SETTING_FLAG,
     .text = "Do not make the table anew: add to what is there (see --first-id)."},
    {.name = "first-id",
     .kind = SLW_SETTING_NUMBER,
     .value = "N",
     .otherwise = "1",
     .low = 1,
     .high = UINT64_C(1) << 62,
     .text = "New rows get this id and those after it."},
    {.name = "requests",
     .kind = SLW_SETTING_NUMBER,
     .value = "N",
     .low = 1,
     .high = MAX_REQUESTS,
     .text = "Requests measured in each run."},
    {.name = "warm-up",
     .kind = SLW_SETTING_NUMBER,
     .value = "N",
     .low = 0,
     .high = MAX_REQUESTS,
     .text = "Requests before those that are not counted (default: a tenth)."},
    {.name = "runs",
     .kind = SLW_SETTING_NUMBER,
     .value = "N",
     .otherwise = "1",
     .low = 1,
     .high = SLW_MAX_RUNS,
     .text = "Do it all so many times: best, mean and worst are told."},
    {.name = "rate",
     .kind = SLW_SETTING_DECIMAL,
     .value = "N",
     .low = 0,
     .high = 100000000,
     .text = "Open loop: so many requests arrive in a second, whether answers came or not; latency "
             "counts from the arrival (default: as fast as answers come)."},
    {.name = "seed",
     .kind = SLW_SETTING_NUMBER,
     .value = "N",
     .otherwise = "1",
     .low = 0,
     .high = UINT64_MAX,
     .text = "Of everything random: the same seed, the same requests."},
    {.name = "acknowledged",
     .kind = SLW_SETTING_TEXT,
     .value = "FILE",
     .text = "Append the id of each row whose storing was acknowledged; see 'workload verify'."},
    {.name = "format",
     .kind = SLW_SETTING_CHOICE,
     .choices = (const char *const[]){"text", "json", NULL},
     .otherwise = "text",
     .text = "How results are written."},
    {.name = NULL},
};

const struct slw_setting slw_verify_settings[] = {
    DRIVER_ROW,
    CONNECT_ROW,
    TABLE_ROW,
    {.name = "acknowledged",
     .kind = SLW_SETTING_TEXT,
     .value = "FILE",
     .text = "Ids, one a line, as 'workload run --acknowledged' writes them; required."},
    {.name = NULL},
};

/* ---- names ---- */

static const char *workload_name(size_t i)
{
    return i < slw_workload_count ? slw_workloads[i]->name : NULL;
}

static const char *driver_name(size_t i)
{
    return i < slw_driver_count ? slw_drivers[i]->name : NULL;
}

/* Built without a library. */
static int is_missing(const char *kind, const char *name, const char *library,
                      struct slw_error *err)
{
    slw_error_hint(err, "install it and build again; 'scripts/setup.sh build' names packages");
    return slw_fail(err, SLW_E_UNSUPPORTED, "the %s %s was built without %s", kind, name, library);
}

static int is_unknown(const char *kind, const char *name, const char *(*names)(size_t i),
                      struct slw_error *err)
{
    struct slw_suggestion s = {.typed = name};

    for (size_t i = 0; names(i); i++)
        slw_suggest(&s, names(i));
    if (s.best)
        slw_error_hint(err, "did you mean %s?", s.best);
    else
        slw_error_hint(err, "'slotwise workload list' names them");
    return slw_fail(err, SLW_E_USAGE, "there is no %s '%.60s'", kind, name);
}

int slw_workload_named(const char *name, const struct slw_workload **ret_workload,
                       struct slw_error *err)
{
    const struct slw_workload *w = slw_workload_find(name);

    if (!w)
        return is_unknown("workload", name, workload_name, err);
    if (w->missing)
        return is_missing("workload", name, w->missing, err);
    *ret_workload = w;
    return 0;
}

int slw_workload_driver(const char *name, const struct slw_driver **ret_driver,
                        struct slw_error *err)
{
    const struct slw_driver *d = slw_driver_find(name);

    if (!d)
        return is_unknown("driver", name, driver_name, err);
    if (d->missing)
        return is_missing("driver", name, d->missing, err);
    *ret_driver = d;
    return 0;
}

/* ---- options ---- */

/* Kept until the command is released; `otherwise` where there is no memory: it is only help. */
static const char *keep(struct slw_workload_command *c, struct slw_buf *text, const char *otherwise)
{
    if (slw_buf_failed(text) || c->text_count == sizeof(c->texts) / sizeof(c->texts[0])) {
        slw_buf_release(text);
        return otherwise;
    }
    return c->texts[c->text_count++] = slw_buf_take(text);
}

/* "full|normal|off", as other options show their choices. */
static const char *value_name(struct slw_workload_command *c, const struct slw_setting *s)
{
    struct slw_buf names = {0};

    if (s->kind != SLW_SETTING_CHOICE)
        return s->kind == SLW_SETTING_FLAG ? NULL : s->value ? s->value : "VALUE";
    for (size_t i = 0; s->choices[i]; i++)
        slw_buf_printf(&names, "%s%s", i ? "|" : "", s->choices[i]);
    return keep(c, &names, "CHOICE");
}

static const char *with_default(struct slw_workload_command *c, const struct slw_setting *s)
{
    struct slw_buf text = {0};

    if (!s->otherwise)
        return s->text;
    slw_buf_printf(&text, "%.*s (default %s).", (int)strlen(s->text) - 1, s->text, s->otherwise);
    return keep(c, &text, s->text);
}

static void add_rows(struct slw_workload_command *c, const struct slw_setting *settings)
{
    for (const struct slw_setting *s = settings; s && s->name; s++) {
        assert(c->choices.count < SLW_MAX_CHOICES);
        for (size_t i = 0; i < c->choices.count; i++) /* a driver must not take a workload's word */
            assert(strcmp(c->rows[i].setting->name, s->name) != 0);
        c->rows[c->choices.count].setting = s;
        c->options[c->choices.count++] = (struct slw_option){
            .name = s->name,
            .kind = s->kind == SLW_SETTING_FLAG ? SLW_OPTION_FLAG : SLW_OPTION_TEXT,
            .value = value_name(c, s),
            .text = with_default(c, s),
        };
    }
}

void slw_workload_command_release(struct slw_workload_command *c)
{
    for (size_t i = 0; i < c->text_count; i++)
        free(c->texts[i]);
    slw_args_release(&c->args);
}

/* ---- values ---- */

static int read_decimal(struct slw_chosen *v, struct slw_error *err)
{
    char *end = NULL;

    errno = 0;
    v->decimal = strtod(v->text, &end);
    if (errno || end == v->text || *end || !(v->decimal >= (double)v->setting->low) ||
        !(v->decimal <= (double)v->setting->high))
        return slw_fail(err, SLW_E_USAGE, "--%s: '%.40s' is not a number from %llu to %llu",
                        v->setting->name, v->text, (unsigned long long)v->setting->low,
                        (unsigned long long)v->setting->high);
    return 0;
}

static int read_choice(struct slw_chosen *v, struct slw_error *err)
{
    struct slw_suggestion s = {.typed = v->text};

    for (size_t i = 0; v->setting->choices[i]; i++) {
        if (strcmp(v->setting->choices[i], v->text) == 0) {
            v->choice = i;
            return 0;
        }
        slw_suggest(&s, v->setting->choices[i]);
    }
    if (s.best)
        slw_error_hint(err, "did you mean %s?", s.best);
    return slw_fail(err, SLW_E_USAGE, "--%s: there is no choice '%.40s'", v->setting->name,
                    v->text);
}

static int read_value(struct slw_chosen *v, struct slw_error *err)
{
    char what[64];

    if (!v->text)
        return 0;
    switch (v->setting->kind) {
    case SLW_SETTING_NUMBER:
        (void)snprintf(what, sizeof(what), "--%s", v->setting->name);
        if (slw_parse_u64(v->text, what, v->setting->low, v->setting->high, &v->number, err) < 0) {
            if (err)
                err->code = SLW_E_USAGE;
            return -SLW_E_USAGE;
        }
        return 0;
    case SLW_SETTING_DECIMAL:
        return read_decimal(v, err);
    case SLW_SETTING_CHOICE:
        return read_choice(v, err);
    case SLW_SETTING_FLAG:
    case SLW_SETTING_TEXT:
        break;
    }
    return 0;
}

static int read_values(struct slw_workload_command *c, struct slw_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < c->choices.count && rc >= 0; i++) {
        struct slw_chosen *v = &c->rows[i];

        v->given = slw_args_has(&c->args, v->setting->name);
        v->text = v->given ? slw_args_get(&c->args, v->setting->name) : v->setting->otherwise;
        rc = read_value(v, err);
    }
    return rc;
}

/* The rows depend on --driver, so it is looked for before anything is parsed. */
static const char *driver_named(int argc, char **argv)
{
    const char *name = slw_run_settings[0].otherwise;

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--driver=", 9) == 0)
            name = argv[i] + 9;
        else if (strcmp(argv[i], "--driver") == 0 && i + 1 < argc)
            name = argv[++i];
    }
    return name;
}

int slw_workload_parse(struct slw_workload_command *c, const struct slw_setting *common, int argc,
                       char **argv, struct slw_error *err)
{
    int rc = 0;

    if (!c->workload || c->workload->needs_driver)
        rc = slw_workload_driver(driver_named(argc, argv), &c->driver, err);
    if (rc < 0)
        return rc;
    c->choices.rows = c->rows;
    add_rows(c, common);
    if (c->workload)
        add_rows(c, c->workload->settings);
    if (c->driver)
        add_rows(c, c->driver->settings);
    c->options[c->choices.count] =
        (struct slw_option){.name = "help", .letter = 'h', .text = "Show this help."};
    rc = slw_args_parse(c->options, false, argc, argv, &c->args, err);
    return rc < 0 ? rc : read_values(c, err);
}
