/* SPDX-License-Identifier: MIT */
#include "models/encode.h"

#include <perfmon/pfmlib.h>
#include <perfmon/pfmlib_perf_event.h>
#include <stdio.h>
#include <string.h>

static bool ask_libpfm(const char *pmu, const char *name, struct perf_event_attr *attr)
{
    char full[256];
    pfm_perf_encode_arg_t arg;

    memset(attr, 0, sizeof(*attr));
    memset(&arg, 0, sizeof(arg));
    attr->size = sizeof(*attr);
    arg.attr = attr;
    arg.size = sizeof(arg);
    const int length = snprintf(full, sizeof(full), "%s::%s", pmu, name);
    if (length < 0 || (size_t)length >= sizeof(full) || pfm_initialize() != PFM_SUCCESS)
        return false;
    return pfm_get_os_event_encoding(full, PFM_PLM0 | PFM_PLM3, PFM_OS_PERF_EVENT, &arg) ==
           PFM_SUCCESS;
}

void slw_model_event_encode(const struct slw_model_event *e, const char *libpfm_pmu,
                            struct slw_model_code *ret_code)
{
    struct perf_event_attr attr;
    struct slw_model_code code = {.type = e->type, .config = e->config, .config1 = e->config1};

    if (libpfm_pmu && e->libpfm && ask_libpfm(libpfm_pmu, e->libpfm, &attr)) {
        code.libpfm_config = attr.config;
        code.libpfm_config1 = attr.config1;
        code.encoding = attr.config == e->config && attr.config1 == e->config1
                            ? SLW_ENCODING_CONFIRMED
                            : SLW_ENCODING_DISAGREES;
    }
    *ret_code = code;
}
