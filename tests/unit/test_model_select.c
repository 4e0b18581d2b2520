/* SPDX-License-Identifier: MIT */
#include "models/model.h"

#include "tests/unit/cmocka_int.h"

#include <string.h>

struct expectation {
    const char *vendor;
    int family, model, stepping, implementer, part;
    const char *name;  /* NULL: no model */
    const char *offer; /* what the error must name; NULL: nothing */
};

#define X86(vendor, family, model, stepping, name, offer)                                          \
    {                                                                                              \
        vendor, family, model, stepping, -1, -1, name, offer                                       \
    }
#define ARM(implementer, part, variant_revision, name, offer)                                      \
    {                                                                                              \
        "ARM", -1, -1, variant_revision, implementer, part, name, offer                            \
    }

static const struct expectation table[] = {
    X86("GenuineIntel", 6, 0x4e, 3, "skylake", NULL),
    X86("GenuineIntel", 6, 0x5e, 3, "skylake", NULL),
    X86("GenuineIntel", 6, 0x8e, 12, "skylake", NULL),
    X86("GenuineIntel", 6, 0x9e, -1, "skylake", NULL),
    X86("GenuineIntel", 6, 0xa5, 2, "skylake", NULL),
    X86("GenuineIntel", 6, 0xa6, 0, "skylake", NULL),
    X86("GenuineIntel", 6, 0x55, 0, "skylakex", NULL),
    X86("GenuineIntel", 6, 0x55, 4, "skylakex", NULL),
    X86("GenuineIntel", 6, 0x55, 5, "cascadelake", NULL),
    X86("GenuineIntel", 6, 0x55, 7, "cascadelake", NULL),
    X86("GenuineIntel", 6, 0x55, 11, "cascadelake", NULL),
    X86("GenuineIntel", 6, 0x55, -1, NULL, "skylakex (the same CPU at another stepping"),
    X86("GenuineIntel", 6, 0x3c, 3, "haswell", NULL),
    X86("GenuineIntel", 6, 0x3f, 2, "haswell", NULL),
    X86("GenuineIntel", 6, 0x45, 1, "haswell", NULL),
    X86("GenuineIntel", 6, 0x46, 1, "haswell", NULL),
    X86("GenuineIntel", 6, 0x3d, 4, "broadwell", NULL),
    X86("GenuineIntel", 6, 0x47, 1, "broadwell", NULL),
    X86("GenuineIntel", 6, 0x4f, 1, "broadwell", NULL),
    X86("GenuineIntel", 6, 0x56, 3, "broadwell", NULL),
    X86("GenuineIntel", 6, 0x7d, 0, "icelake", NULL),
    X86("GenuineIntel", 6, 0x7e, 5, "icelake", NULL),
    X86("GenuineIntel", 6, 0x6a, 6, "icelake_sp", NULL),
    X86("GenuineIntel", 6, 0x6c, 1, "icelake_sp", NULL),
    X86("GenuineIntel", 6, 0x8c, 1, "tigerlake", NULL),
    X86("GenuineIntel", 6, 0x8d, 1, "tigerlake", NULL),
    X86("GenuineIntel", 6, 0xa7, 1, "tigerlake", NULL),
    X86("GenuineIntel", 6, 0x8f, 8, "sapphirerapids", NULL),
    X86("GenuineIntel", 6, 0xcf, 2, "emeraldrapids", NULL),
    X86("GenuineIntel", 6, 0xad, 1, "graniterapids", NULL),
    X86("GenuineIntel", 6, 0xae, 1, "graniterapids", NULL),
    X86("GenuineIntel", 6, 0x97, 2, "alderlake_p", NULL),
    X86("GenuineIntel", 6, 0x9a, 3, "alderlake_p", NULL),
    X86("GenuineIntel", 6, 0xb7, 1, "alderlake_p", NULL),
    X86("GenuineIntel", 6, 0xba, 2, "alderlake_p", NULL),
    X86("GenuineIntel", 6, 0xbf, 2, "alderlake_p", NULL),
    X86("GenuineIntel", 6, 0xaa, 4, NULL, "alderlake_p (Meteor Lake"),
    X86("GenuineIntel", 6, 0xb5, 0, NULL, "alderlake_p (Arrow Lake-U"),
    X86("GenuineIntel", 6, 0xbe, 0, NULL, "alderlake_e (Alder Lake-N"),
    X86("GenuineIntel", 6, 0xaf, 3, "sierraforest", NULL),
    X86("GenuineIntel", 6, 0xb6, 0, NULL, "sierraforest (Grand Ridge"),
    X86("GenuineIntel", 6, 0x2d, 7, NULL, NULL),
    X86("GenuineIntel", 15, 0x4e, 3, NULL, NULL),
    X86("AuthenticAMD", 6, 0x4e, 3, NULL, NULL),
    X86("AuthenticAMD", 0x17, 0x01, 1, NULL, "zen2 (family 17h"),
    X86("AuthenticAMD", 0x17, 0x31, 0, "zen2", NULL),
    X86("AuthenticAMD", 0x17, 0x4f, 0, "zen2", NULL),
    X86("AuthenticAMD", 0x17, 0x50, 0, NULL, "zen2 (family 17h"),
    X86("AuthenticAMD", 0x17, 0x71, 0, "zen2", NULL),
    X86("AuthenticAMD", 0x17, 0x90, 0, "zen2", NULL),
    X86("AuthenticAMD", 0x17, 0xa0, 0, "zen2", NULL),
    X86("AuthenticAMD", 0x19, 0x01, 1, "zen3", NULL),
    X86("AuthenticAMD", 0x19, 0x0f, 0, "zen3", NULL),
    X86("AuthenticAMD", 0x19, 0x10, 0, "zen4", NULL),
    X86("AuthenticAMD", 0x19, 0x1f, 0, "zen4", NULL),
    X86("AuthenticAMD", 0x19, 0x21, 0, "zen3", NULL),
    X86("AuthenticAMD", 0x19, 0x30, 0, NULL, "zen3 (family 19h"),
    X86("AuthenticAMD", 0x19, 0x50, 0, "zen3", NULL),
    X86("AuthenticAMD", 0x19, 0x61, 2, "zen4", NULL),
    X86("AuthenticAMD", 0x19, 0x7f, 2, "zen4", NULL),
    X86("AuthenticAMD", 0x19, 0x3f, 0, NULL, "zen3 (family 19h"),
    X86("AuthenticAMD", 0x19, 0x60, 0, "zen4", NULL),
    X86("AuthenticAMD", 0x19, 0x80, 2, "zen4", NULL),
    X86("AuthenticAMD", 0x19, 0x90, 0, "zen4", NULL),
    X86("AuthenticAMD", 0x19, 0xaf, 0, "zen4", NULL),
    X86("AuthenticAMD", 0x19, 0xb0, 0, NULL, "zen3 (family 19h"),
    X86("AuthenticAMD", 0x19, 0xa0, 2, "zen4", NULL),
    X86("AuthenticAMD", 0x1a, 0x00, 0, "zen5", NULL),
    X86("AuthenticAMD", 0x1a, 0x44, 0, "zen5", NULL),
    X86("AuthenticAMD", 0x1a, 0x2f, 0, "zen5", NULL),
    X86("AuthenticAMD", 0x1a, 0x30, 0, NULL, "zen5 (family 1Ah"),
    X86("AuthenticAMD", 0x1a, 0x50, 0, NULL, "zen5 (Linux calls it Zen 6"),
    X86("AuthenticAMD", 0x1a, 0x60, 0, "zen5", NULL),
    X86("AuthenticAMD", 0x1a, 0x7f, 0, "zen5", NULL),
    X86("AuthenticAMD", 0x1a, 0x80, 0, NULL, "zen5 (Linux calls it Zen 6"),
    X86("AuthenticAMD", 0x1a, 0xcf, 0, NULL, "zen5 (Linux calls it Zen 6"),
    X86("AuthenticAMD", 0x1a, 0xd0, 0, NULL, "zen5 (family 1Ah"),
    X86("HygonGenuine", 0x18, 0, 0, NULL, NULL),
    ARM(0x41, 0xd0c, 0x31, "neoverse_n1", NULL),
    ARM(0x41, 0xd49, 0x00, "neoverse_n2", NULL),
    ARM(0x41, 0xd49, 0x02, "neoverse_n2", NULL),
    ARM(0x41, 0xd49, 0x03, "neoverse_n2_r0p3", NULL),
    ARM(0x41, 0xd49, 0x10, "neoverse_n2_r0p3", NULL),
    ARM(0x41, 0xd49, -1, NULL, "neoverse_n2"),
    ARM(0x6d, 0xd49, 0x00, NULL, "neoverse_n2 (Microsoft Cobalt 100"),
    ARM(0x41, 0xd40, 0x11, "neoverse_v1", NULL),
    ARM(0x41, 0xd4f, 0x01, "neoverse_v2", NULL),
    ARM(0x41, 0xd83, 0x00, "neoverse_v3", NULL),
    ARM(0x41, 0xd84, 0x01, "neoverse_v3", NULL),
    ARM(0x41, 0xd84, -1, "neoverse_v3", NULL),
    ARM(0x41, 0xd8e, 0x00, "neoverse_n3", NULL),
    ARM(0x41, 0xd0b, 0x00, NULL, NULL),
    ARM(0x61, 0x023, 0x11, "apple", NULL),
    ARM(0x61, 0x032, -1, "apple", NULL),
    ARM(0x51, 0x001, 0x00, NULL, NULL),
};

static struct slw_model_cpu cpu_of(const struct expectation *e)
{
    return (struct slw_model_cpu){.arch = e->part >= 0 ? "aarch64" : "x86_64",
                                  .vendor = e->vendor,
                                  .family = e->family,
                                  .model = e->model,
                                  .stepping = e->stepping,
                                  .implementer = e->implementer,
                                  .part = e->part};
}

static void each_cpu_gets_its_model_or_an_offer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct expectation *e = &table[i];
        const struct slw_model_cpu cpu = cpu_of(e);
        struct slw_error err = {0};
        struct slw_model *m = NULL;

        const int rc = slw_model_select(&cpu, NULL, &m, &err);
        if ((rc >= 0) != (e->name != NULL) || (m && strcmp(m->name, e->name) != 0))
            fail_msg("row %zu: %d %s %s", i, rc, m ? m->name : "", err.text);
        if (!e->name) {
            assert_int_equal(rc, -SLW_E_NOTFOUND);
            assert_int_equal(strstr(err.text, "closest") != NULL, e->offer != NULL);
            if (e->offer && !strstr(err.text, e->offer))
                fail_msg("row %zu: %s", i, err.text);
            assert_non_null(strstr(err.hint, "--model"));
            const char *offered = slw_model_offer(&cpu, NULL);
            assert_int_equal(offered != NULL, e->offer != NULL);
            if (offered && strncmp(e->offer, offered, strlen(offered)) != 0)
                fail_msg("row %zu: offers %s", i, offered);
        }
        slw_model_free(m);
    }
}

static void another_pmu_or_architecture_does_not_match(void **state)
{
    struct slw_model_cpu cpu = {.arch = "x86_64",
                                .vendor = "GenuineIntel",
                                .family = 6,
                                .model = 0x8f,
                                .stepping = 8,
                                .implementer = -1,
                                .part = -1};
    struct slw_model *m = NULL;
    (void)state;
    assert_int_equal(slw_model_select(&cpu, "cpu_atom", &m, NULL), -SLW_E_NOTFOUND);
    assert_int_equal(slw_model_select(&cpu, "cpu", &m, NULL), 0);
    slw_model_free(m);
    m = NULL;
    cpu.arch = "aarch64";
    assert_int_equal(slw_model_select(&cpu, NULL, &m, NULL), -SLW_E_NOTFOUND);
    cpu.vendor = NULL;
    assert_int_equal(slw_model_select(&cpu, NULL, &m, NULL), -SLW_E_NOTFOUND);
    assert_null(m);
}

static void a_hybrid_cpu_has_a_model_per_core_type(void **state)
{
    static const struct {
        const char *arch, *vendor;
        int family, model, implementer;
        const char *pmu, *name;
    } rows[] = {
        {"x86_64", "GenuineIntel", 6, 0xb7, -1, "cpu_core", "alderlake_p"},
        {"x86_64", "GenuineIntel", 6, 0xb7, -1, "cpu_atom", "alderlake_e"},
        {"x86_64", "GenuineIntel", 6, 0x97, -1, "cpu_atom", "alderlake_e"},
        {"x86_64", "GenuineIntel", 6, 0xb7, -1, "cpu", NULL},
        {"x86_64", "GenuineIntel", 6, 0xaf, -1, "cpu_atom", NULL},
        {"aarch64", "ARM", -1, -1, 0x61, "apple_firestorm_pmu", "apple"},
        {"aarch64", "ARM", -1, -1, 0x61, "apple_icestorm_pmu", "apple_e"},
        {"aarch64", "ARM", -1, -1, 0x61, "armv8_pmuv3_0", NULL},
        {"x86_64", "ARM", -1, -1, 0x61, NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct slw_model_cpu cpu = {.arch = rows[i].arch,
                                          .vendor = rows[i].vendor,
                                          .family = rows[i].family,
                                          .model = rows[i].model,
                                          .stepping = 1,
                                          .implementer = rows[i].implementer,
                                          .part = rows[i].implementer < 0 ? -1 : 0x22};
        struct slw_model *m = NULL;

        const int rc = slw_model_select(&cpu, rows[i].pmu, &m, NULL);
        assert_int_equal(rc, rows[i].name ? 0 : -SLW_E_NOTFOUND);
        if (rows[i].name)
            assert_string_equal(m->name, rows[i].name);
        slw_model_free(m);
    }
}

static void a_cpu_without_slot_events_says_so(void **state)
{
    static const char *const names[] = {"zen2", "zen3", "neoverse_n1", "apple", "generic"};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct slw_model *m = NULL;
        assert_int_equal(slw_model_builtin(names[i], &m, NULL), 0);
        assert_int_equal(m->max_level, 0);
        assert_int_equal(m->slots_per_cycle, 0);
        for (size_t n = 0; n < m->node_count; n++)
            assert_string_not_equal(m->nodes[n].unit, "slots");
        slw_model_free(m);
    }
}

static void models_load_by_name(void **state)
{
    struct slw_error err = {0};
    struct slw_model *m = NULL;
    (void)state;
    assert_true(slw_model_builtin_count() >= 27);
    for (size_t i = 0; i < slw_model_builtin_count(); i++) {
        const char *name = slw_model_builtin_name(i);
        assert_int_equal(slw_model_builtin(name, &m, &err), 0);
        assert_string_equal(m->name, name);
        slw_model_free(m);
        m = NULL;
    }
    assert_int_equal(slw_model_builtin("i486", &m, &err), -SLW_E_NOTFOUND);
    assert_non_null(strstr(err.hint, "skylake"));
    assert_null(m);
}

static void generic_is_never_chosen_by_itself(void **state)
{
    struct slw_model *m = NULL;
    (void)state;
    assert_int_equal(slw_model_builtin("generic", &m, NULL), 0);
    assert_int_equal(m->match_count, 0);
    assert_int_equal(m->max_level, 0);
    slw_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cpu_gets_its_model_or_an_offer),
        cmocka_unit_test(another_pmu_or_architecture_does_not_match),
        cmocka_unit_test(a_hybrid_cpu_has_a_model_per_core_type),
        cmocka_unit_test(a_cpu_without_slot_events_says_so),
        cmocka_unit_test(models_load_by_name),
        cmocka_unit_test(generic_is_never_chosen_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
