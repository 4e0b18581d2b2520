/* SPDX-License-Identifier: MIT */
/* --fail-on: whatever is given, rules that were read can be written and read again, and errors are
 * one clean line. */
#include "analyzer/compare/gate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void check_rule(const struct slw_gate_rule *rule)
{
    struct slw_gates again;

    if (!rule->metric[0] || !(rule->bound >= 0) || (!rule->above && rule->bound >= 1))
        abort();
    if (slw_gates_parse(rule->text, &again, NULL) < 0 || again.count != 1)
        abort();
    if (strcmp(again.all[0].metric, rule->metric) != 0 || again.all[0].above != rule->above ||
        again.all[0].bound != rule->bound || strcmp(again.all[0].text, rule->text) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct slw_gates gates = {0};
    struct slw_error err = {0};

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (slw_gates_parse(text, &gates, &err) == 0) {
        for (size_t i = 0; i < gates.count; i++)
            check_rule(&gates.all[i]);
    } else {
        for (const char *s = err.text; *s; s++)
            if ((unsigned char)*s < ' ' || *s == 0x7f)
                abort();
    }
    free(text);
    return 0;
}
