/* SPDX-License-Identifier: MIT */
/* slotwise import FILE...: other tools' files made into runs. */
#include "cli/command.h"
#include "cli/debuginfod.h"
#include "cli/load.h"
#include "cli/render.h"
#include "cli/run_name.h"
#include "record/run_dir.h"

#include <stdlib.h>
#include <unistd.h>

static const struct slw_option options[] = {
    {.name = "from",
     .kind = SLW_OPTION_CHOICE,
     .choices = slw_load_formats,
     .text = "Format of the files (default: found out from each file)."},
    SLW_OPTION_OUTPUT_DIRECTORY(
        "Directory to write; for one file only (default: the name of the file with "
        ".slotwise)."),
    {.name = "model",
     .kind = SLW_OPTION_TEXT,
     .value = "NAME|FILE",
     .choices = slw_model_builtin_name_or_null,
     .text = "CPU model to read the counts of perf stat with (default: found out where the events "
             "leave no doubt)."},
    SLW_OPTIONS_DEBUGINFOD,
    SLW_OPTION_HELP,
    SLW_OPTION_END,
};

static const struct slw_example examples[] = {
    {"slotwise import perf.data", "Writes perf.slotwise/."},
    {"slotwise import stat.txt --model tigerlake", "Output of perf stat, counted on a Tiger Lake."},
    {"slotwise import a.folded b.folded", "Writes a.slotwise/ and b.slotwise/."},
    {"slotwise import callgrind.out.4711 -o sim", "Own costs of functions, as Valgrind counted."},
    {NULL, NULL},
};

static int save(const char *path, const char *name, const struct slw_loaded *l,
                const struct slw_terminal *t, struct slw_error *err)
{
    char stem[SLW_MAX_STEM];
    struct slw_buf line = {0};
    char *dir = NULL;

    slw_path_stem(path, stem);
    int rc = slw_run_name_create(name, stem, &dir, err);
    if (rc < 0)
        return rc;
    rc = slw_run_dir_save_all(dir, l->run, l->stacks, l->moments, err);
    if (rc >= 0) {
        slw_buf_printf(&line, "%s\n", dir);
        rc = slw_terminal_write(&t->out, &line, err);
    } else {
        (void)rmdir(dir); /* only if nothing was written */
    }
    slw_buf_release(&line);
    free(dir);
    return rc;
}

static int import_one(const struct slw_args *args, const char *path,
                      const struct slw_load_options *opts, const struct slw_terminal *t,
                      struct slw_error *err)
{
    struct slw_loaded loaded = {0};
    int rc = slw_load_with(path, opts, &loaded, err);

    if (rc >= 0)
        rc = save(path, slw_args_get(args, "output"), &loaded, t, err);
    slw_loaded_release(&loaded);
    return rc;
}

static int run(const struct slw_args *args, const struct slw_terminal *t, struct slw_error *err)
{
    const char *name = slw_args_get(args, "model");
    struct slw_debuginfod *debuginfod = NULL;
    struct slw_model *model = NULL;
    int rc = slw_args_operands(args, 1, SIZE_MAX, "a file", err);

    if (rc >= 0 && args->operand_count > 1 && slw_args_has(args, "output"))
        return slw_fail(err, SLW_E_USAGE, "-o names one run, but there are %zu files",
                        args->operand_count);
    if (rc >= 0 && name)
        rc = slw_load_model(name, &model, err);
    if (rc >= 0)
        rc = slw_debuginfod_open(args, &debuginfod, err);
    const struct slw_load_options opts = {.format = slw_args_get(args, "from"),
                                          .model = model,
                                          .lines = true,
                                          .moments = true,
                                          .remote = slw_debuginfod_files(debuginfod)};
    for (size_t i = 0; rc >= 0 && i < args->operand_count; i++)
        rc = import_one(args, args->operands[i], &opts, t, err);
    slw_debuginfod_close(debuginfod);
    slw_model_free(model);
    return rc;
}

const struct slw_command_entry slw_command_import = {
    .name = "import",
    .summary = "Make runs of other tools' files.",
    .usage = "FILE... [-o NAME] [--from FORMAT] [--model NAME]",
    .about = "Each FILE becomes a run directory, whose name is printed. Every number in it is "
             "marked as imported.",
    .options = options,
    .examples = examples,
    .operand = SLW_OPERAND_FILE,
    .run = run,
};
