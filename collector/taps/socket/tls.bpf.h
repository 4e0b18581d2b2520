/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The part of socket.bpf.c that looks at functions of TLS libraries: whose socket a session has,
 * and what plain text goes through it. A session that works on a descriptor moves its records
 * inside of its functions; one that works in memory is given them right after the thread got them,
 * and its handshake tells, before there is any text. */

#if defined(__TARGET_ARCH_x86)
#define RETURN_ADDRESS 8 /* bytes on the stack */
#else
#define RETURN_ADDRESS 0
#endif

static __always_inline struct arguments arguments_of_function(const struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
    return (struct arguments){{regs->di, regs->si, regs->dx, regs->cx}};
#else
    return (struct arguments){{regs->regs[0], regs->regs[1], regs->regs[2], regs->regs[3]}};
#endif
}

static __always_inline int result_of_function(const struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
    return (int)regs->ax;
#else
    return (int)regs->regs[0];
#endif
}

static __always_inline struct session_key key_of(__u64 session)
{
    return (struct session_key){.address = session, .pid = bpf_get_current_pid_tgid() >> 32};
}

/* The session's socket becomes known. What is known stays, but for a handshake of its own. */
static __always_inline struct session *settle_session(const struct tls_call *c)
{
    struct session_key key = key_of(c->session);
    struct session *s = bpf_map_lookup_elem(&sessions, &key);
    struct session first = {.inode = c->inode, .late = !c->handshake};

    if (c->inode == 0 || (s && (s->inode == c->inode || !c->handshake || c->guessed)))
        return s;
    if (bpf_map_update_elem(&sessions, &key, &first, BPF_ANY)) {
        __sync_fetch_and_add(&losses.sessions, 1);
        return 0;
    }
    return bpf_map_lookup_elem(&sessions, &key);
}

static __always_inline void tell_text(struct moving *m, const struct tls_call *c,
                                      const struct session *s, __u64 bytes)
{
    struct slw_socket_kept *kept = bpf_map_lookup_elem(&sockets, &s->inode);
    __u32 direction = c->function == SLW_SOCKET_TLS_READ || c->function == SLW_SOCKET_TLS_READ_EX
                          ? RECEIVED
                          : SENT;
    if (!kept)
        return;
    __builtin_memset(m, 0, sizeof(*m));
    fill_head(&m->head, SLW_SOCKET_TEXT, s->inode);
    m->head.direction = direction;
    m->head.flags = s->late ? SLW_SOCKET_TEXT_LATE : 0;
    if (direction == SENT)
        m->head.when_ns = c->begin_ns;
    tell_missed(m, kept);
    m->base = c->buffer;
    m->left = bytes;
    tell(m, bytes, c->buffer != 0);
    if (m->missed_bytes > 0)
        __sync_fetch_and_add(&kept->missed_text[direction], m->missed_bytes);
}

/* It does not matter how many. */
static __always_inline void miss_text(const struct session *s)
{
    struct slw_socket_kept *kept = bpf_map_lookup_elem(&sockets, &s->inode);

    if (kept)
        __sync_fetch_and_add(&kept->missed_text[SENT], 1);
}

static __always_inline __u64 text_bytes(const struct tls_call *c, int result)
{
    __u64 length = 0;

    if (result <= 0 || c->function >= SLW_SOCKET_TLS_HANDSHAKE)
        return 0;
    if (c->function == SLW_SOCKET_TLS_WRITE || c->function == SLW_SOCKET_TLS_READ)
        return result;
    (void)bpf_probe_read_user(&length, sizeof(length), (void *)c->length_at);
    return length;
}

/* Those below the stack were left by a jump, or it is another stack: what they moved is unknown.
 * One at the same place has become this one, by a jump as its last word. */
static __always_inline void leave_calls(struct activity *a, __u64 stack, __u64 session)
{
    for (int i = 0; i < TLS_CALLS && a->depth > 0; i++) {
        struct tls_call *c = &a->calls[(a->depth - 1) & (TLS_CALLS - 1)];
        struct session_key key = key_of(c->session);
        struct session *s;

        if (c->stack > stack)
            return;
        s = bpf_map_lookup_elem(&sessions, &key);
        if (s && (c->stack != stack || c->session != session))
            miss_text(s);
        a->depth--;
    }
}

SEC("uprobe")
int on_tls_begin(struct pt_regs *ctx)
{
    struct arguments args = arguments_of_function(ctx);
    __u32 function = bpf_get_attach_cookie(ctx);
    struct session_key key = key_of(args.a[0]);
    struct activity *a;
    struct session *s;

    if (!followed())
        return 0;
    if (function == SLW_SOCKET_TLS_FREE) {
        (void)bpf_map_delete_elem(&sessions, &key);
        return 0;
    }
    a = activity_of_thread(BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (!a)
        return 0;
    leave_calls(a, ctx->sp, args.a[0]);
    struct tls_call c = {.stack = ctx->sp,
                         .session = args.a[0],
                         .buffer = args.a[1],
                         .length_at = args.a[3],
                         .begin_ns = bpf_ktime_get_ns(),
                         .inode = a->inode,
                         .function = function,
                         .handshake = a->inode != 0 && a->handshake,
                         .guessed = 1};
    a->inode = 0;
    s = settle_session(&c);
    if (a->depth < TLS_CALLS)
        a->calls[a->depth++ & (TLS_CALLS - 1)] = c;
    else if (s)
        miss_text(s);
    return 0;
}

SEC("uprobe")
int on_tls_end(struct pt_regs *ctx)
{
    struct activity *a = activity_of_thread(0);
    struct session *s;
    __u64 bytes;

    if (!a || a->depth == 0 || a->depth > TLS_CALLS)
        return 0;
    struct tls_call *c = &a->calls[(a->depth - 1) & (TLS_CALLS - 1)];
    if (c->stack + RETURN_ADDRESS != ctx->sp)
        return 0; /* of a call that was not seen to begin, or was too deep */
    a->depth--;
    s = settle_session(c);
    bytes = text_bytes(c, result_of_function(ctx));
    if (s && c->function == SLW_SOCKET_TLS_OTHER)
        miss_text(s);
    else if (s && bytes > 0)
        tell_text(&a->text, c, s, bytes);
    return 0;
}
