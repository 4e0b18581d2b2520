/* SPDX-License-Identifier: MIT */
/* Mark the stages of a program, for slotwise and every other tool that reads USDT probes (perf,
 * bpftrace, SystemTap, gdb). For C and C++, with gcc and clang; it needs nothing but itself, and
 * nothing has to be linked. See docs/stages.md.
 *
 *     SLOTWISE_STAGE_BEGIN(decode, count);     // `count` requests are in this call of the stage
 *     ...
 *     SLOTWISE_STAGE_END(decode);
 *
 * While nobody looks, a mark is a load and a branch, and `count` is not evaluated. Stages may nest,
 * in the order of a stack; each thread has its own. On platforms other than Linux on x86-64 and
 * arm64, and with -DSLOTWISE_NO_STAGES, the macros are nothing.
 *
 * A library may say who it is before it includes this: #define SLOTWISE_STAGE_PROVIDER mylib */
#ifndef SLOTWISE_STAGE_H
#define SLOTWISE_STAGE_H

#if !defined(SLOTWISE_NO_STAGES) && defined(__linux__) && defined(__ELF__) && defined(__GNUC__) && \
    defined(__LP64__) &&                                                                           \
    (defined(__x86_64__) || (defined(__aarch64__) && !defined(__AARCH64EB__)))

#define SLOTWISE_STAGE_TEXT_(token) #token
#define SLOTWISE_STAGE_TEXT(token)  SLOTWISE_STAGE_TEXT_(token)
#ifdef SLOTWISE_STAGE_PROVIDER
#define SLOTWISE_STAGE_WHO_ "slotwise_" SLOTWISE_STAGE_TEXT(SLOTWISE_STAGE_PROVIDER)
#else
#define SLOTWISE_STAGE_WHO_ "slotwise"
#endif

/* How many look at the stage: whoever attaches counts it up, the kernel does for uprobes with a
 * reference counter. One for each stage and linked object, whatever number of files mark it, so
 * that the sections are a group of which the linker keeps one. The compiler may copy a mark, hence
 * .ifndef. */
#define SLOTWISE_STAGE_SEMAPHORE_(name) "slotwise_stage_" name "_semaphore"
#define SLOTWISE_STAGE_COUNTER_(name)                                                                                  \
    ".ifndef " SLOTWISE_STAGE_SEMAPHORE_(                                                                              \
        name) "\n"                                                                                                     \
              ".pushsection .probes,\"awG\",%%progbits," SLOTWISE_STAGE_SEMAPHORE_(                                    \
                  name) ",comdat\n"                                                                                    \
                        ".balign 2\n"                                                                                  \
                        ".weak " SLOTWISE_STAGE_SEMAPHORE_(                                                            \
                            name) "\n"                                                                                 \
                                  ".hidden " SLOTWISE_STAGE_SEMAPHORE_(                                                \
                                      name) "\n"                                                                       \
                                            ".type " SLOTWISE_STAGE_SEMAPHORE_(                                        \
                                                name) ",%%object\n"                                                    \
                                                      ".size " SLOTWISE_STAGE_SEMAPHORE_(                              \
                                                          name) ",2\n" SLOTWISE_STAGE_SEMAPHORE_(name) ": .zero 2\n"   \
                                                                                                       ".popsection\n" \
                                                                                                       ".endif\n"

/* Where the object was linked to be, so that a reader notices when it was moved later. The name is
 * the one all writers of such notes share. */
#define SLOTWISE_STAGE_BASE_                                                                       \
    ".ifndef _.stapsdt.base\n"                                                                     \
    ".pushsection .stapsdt.base,\"aG\",%%progbits,.stapsdt.base,comdat\n"                          \
    ".weak _.stapsdt.base\n"                                                                       \
    ".hidden _.stapsdt.base\n"                                                                     \
    "_.stapsdt.base: .space 1\n"                                                                   \
    ".size _.stapsdt.base,1\n"                                                                     \
    ".popsection\n"                                                                                \
    ".endif\n"

/* Source: the SystemTap wiki, "UserSpaceProbeImplementation": owner "stapsdt", type 3; the address
 * of the probe, of the base, of the semaphore; provider, name and arguments. "?": in the group of
 * the function it is in. */
#define SLOTWISE_STAGE_NOTE_(name, event, arguments)                                               \
    ".pushsection .note.stapsdt,\"?\",%%note\n"                                                    \
    ".balign 4\n"                                                                                  \
    ".4byte 992f-991f, 994f-993f, 3\n"                                                             \
    "991: .asciz \"stapsdt\"\n"                                                                    \
    "992: .balign 4\n"                                                                             \
    "993: .8byte 990b, _.stapsdt.base, " SLOTWISE_STAGE_SEMAPHORE_(                                \
        name) "\n"                                                                                 \
              ".asciz \"" SLOTWISE_STAGE_WHO_ "\"\n"                                               \
              ".asciz \"" name "__" event "\"\n"                                                   \
              ".asciz \"" arguments "\"\n"                                                         \
              "994: .balign 4\n"                                                                   \
              ".popsection\n" SLOTWISE_STAGE_BASE_

#if defined(__x86_64__)

#define SLOTWISE_STAGE_LOOK_(name, on)                                                             \
    __asm__ __volatile__(                                                                          \
        SLOTWISE_STAGE_COUNTER_(name) "movzwl " SLOTWISE_STAGE_SEMAPHORE_(name) "(%%rip), %0"      \
        : "=r"(on))

/* A nop of five bytes, because the kernel replaces such a one by a call, which is many times faster
 * than a breakpoint. That call pushes its return address; the 128 bytes below the stack pointer may
 * hold variables of a function that calls no other, so they are stepped over. */
#define SLOTWISE_STAGE_SITE_                                                                       \
    "leaq -128(%%rsp), %%rsp\n"                                                                    \
    "990: .byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n"                                                    \
    "leaq 128(%%rsp), %%rsp\n"

#define SLOTWISE_STAGE_HIT_BEGIN_(name, batch)                                                     \
    __asm__ __volatile__(SLOTWISE_STAGE_SITE_ SLOTWISE_STAGE_NOTE_(name, "begin", "8@%%rdi")       \
                         :                                                                         \
                         : "D"((unsigned long long)(batch))                                        \
                         : "memory")

#else /* arm64 */

#define SLOTWISE_STAGE_LOOK_(name, on)                                                             \
    __asm__ __volatile__(SLOTWISE_STAGE_COUNTER_(name) "adrp %x0, " SLOTWISE_STAGE_SEMAPHORE_(     \
                             name) "\n"                                                            \
                                   "ldrh %w0, [%x0, :lo12:" SLOTWISE_STAGE_SEMAPHORE_(name) "]"    \
                         : "=r"(on))

#define SLOTWISE_STAGE_SITE_ "990: nop\n"

#define SLOTWISE_STAGE_HIT_BEGIN_(name, batch)                                                     \
    __asm__ __volatile__(                                                                          \
        "mov x0, %x0\n" SLOTWISE_STAGE_SITE_ SLOTWISE_STAGE_NOTE_(name, "begin", "8@x0")           \
        :                                                                                          \
        : "r"((unsigned long long)(batch))                                                         \
        : "x0", "memory")

#endif

/* An operand, unused, so that % is written the same everywhere. */
#define SLOTWISE_STAGE_HIT_END_(name)                                                              \
    __asm__ __volatile__(SLOTWISE_STAGE_SITE_ SLOTWISE_STAGE_NOTE_(name, "end", "")                \
                         :                                                                         \
                         : "i"(0)                                                                  \
                         : "memory")

#define SLOTWISE_STAGE_BEGIN_(name, batch)                                                         \
    do {                                                                                           \
        unsigned slotwise_stage_on_;                                                               \
        SLOTWISE_STAGE_LOOK_(name, slotwise_stage_on_);                                            \
        if (__builtin_expect(slotwise_stage_on_ != 0, 0))                                          \
            SLOTWISE_STAGE_HIT_BEGIN_(name, batch);                                                \
    } while (0)

#define SLOTWISE_STAGE_END_(name)                                                                  \
    do {                                                                                           \
        unsigned slotwise_stage_on_;                                                               \
        SLOTWISE_STAGE_LOOK_(name, slotwise_stage_on_);                                            \
        if (__builtin_expect(slotwise_stage_on_ != 0, 0))                                          \
            SLOTWISE_STAGE_HIT_END_(name);                                                         \
    } while (0)

/* `name` is a C identifier, not a string, and is taken as it stands even where it is a macro;
 * `batch` is how many requests this call of the stage works on. */
#define SLOTWISE_STAGE_BEGIN(name, batch) SLOTWISE_STAGE_BEGIN_(#name, batch)
#define SLOTWISE_STAGE_END(name)          SLOTWISE_STAGE_END_(#name)

/* Is anybody looking? For what has to be prepared before a mark. */
#define SLOTWISE_STAGE_WATCHED(name)                                                               \
    __extension__({                                                                                \
        unsigned slotwise_stage_on_;                                                               \
        SLOTWISE_STAGE_LOOK_(#name, slotwise_stage_on_);                                           \
        slotwise_stage_on_ != 0;                                                                   \
    })

/* From here to the end of the block, however it is left: by return, goto, break, an exception; not
 * by longjmp. In C the file says once, outside of functions, SLOTWISE_STAGE_SCOPED(name). */
#ifdef __cplusplus
#define SLOTWISE_STAGE_SCOPED(name) struct slotwise_stage_scoped_##name
#define SLOTWISE_STAGE(name, batch)                                                                \
    struct slotwise_stage_scope_##name {                                                           \
        ~slotwise_stage_scope_##name()                                                             \
        {                                                                                          \
            SLOTWISE_STAGE_END_(#name);                                                            \
        }                                                                                          \
    } slotwise_stage_of_##name;                                                                    \
    (void)slotwise_stage_of_##name;                                                                \
    SLOTWISE_STAGE_BEGIN_(#name, batch)
#else
#define SLOTWISE_STAGE_SCOPED(name)                                                                \
    static __inline__ void slotwise_stage_leave_##name(const char *slotwise_unused)                \
    {                                                                                              \
        (void)slotwise_unused;                                                                     \
        SLOTWISE_STAGE_END_(#name);                                                                \
    }                                                                                              \
    struct slotwise_stage_scoped_##name
#define SLOTWISE_STAGE(name, batch)                                                                \
    __attribute__((cleanup(slotwise_stage_leave_##name), unused))                                  \
    const char slotwise_stage_of_##name = 0;                                                       \
    SLOTWISE_STAGE_BEGIN_(#name, batch)
#endif

#else /* nothing; what is named is still used, so that no warning comes from switching off */

#define SLOTWISE_STAGE_BEGIN(name, batch) ((void)sizeof(batch))
#define SLOTWISE_STAGE_END(name)          ((void)0)
#define SLOTWISE_STAGE_WATCHED(name)      0
#define SLOTWISE_STAGE_SCOPED(name)       struct slotwise_stage_scoped_##name
#define SLOTWISE_STAGE(name, batch)       ((void)sizeof(batch))

#endif
#endif
