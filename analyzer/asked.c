/* SPDX-License-Identifier: MIT */
#include "analyzer/asked.h"

#include "base/parse.h"

#include <string.h>

static const struct {
    const char *program, *option;
} clients[] = {
#define SLW_ASKED(program, option) {program, option},
#include "analyzer/asked.def"
#undef SLW_ASKED
};
#define CLIENT_COUNT (sizeof(clients) / sizeof(clients[0]))

static const char *option_of(const char *word)
{
    const char *slash = strrchr(word, '/');
    const char *name = slash ? slash + 1 : word;

    for (size_t i = 0; i < CLIENT_COUNT; i++)
        if (strcmp(clients[i].program, name) == 0)
            return clients[i].option;
    return NULL;
}

/* The value of `option` at word i: the next word, or what follows '='; "" where it is another word.
 */
static const char *value_at(const struct slw_command *c, size_t i, const char *option)
{
    const size_t length = strlen(option);

    if (strcmp(c->argv[i], option) == 0)
        return i + 1 < c->argc ? c->argv[i + 1] : "";
    if (option[1] == '-' && strncmp(c->argv[i], option, length) == 0 && c->argv[i][length] == '=')
        return c->argv[i] + length + 1;
    return "";
}

bool slw_asked_pipeline(const struct slw_command *command, uint64_t *ret_depth)
{
    const char *option = NULL;
    bool found = false;

    for (size_t i = 0; i < command->argc; i++) {
        if (!option) { /* before it come taskset, env, numactl and their like */
            option = option_of(command->argv[i]);
            continue;
        }
        const char *value = value_at(command, i, option);
        uint64_t depth;

        if (slw_parse_u64(value, option, 0, UINT32_MAX, &depth, NULL) == 0) {
            *ret_depth = depth; /* of several the last holds */
            found = true;
        }
    }
    return found;
}
