/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The part of offcpu.bpf.c that keeps apart what threads waited for: which lock, which server. */

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, SLW_OFF_OBJECTS);
    __type(key, struct slw_off_object);
    __type(value, struct slw_off_object_sum);
} objects SEC(".maps");

static __always_inline void add_to_object(const struct slw_off_thread *t, __u64 ns)
{
    struct slw_off_object_sum *sum, first = {.ns = ns, .waits = 1};

    if (t->object.state == SLW_OFF_ON_CPU || t->object.state != t->state)
        return;
    sum = bpf_map_lookup_elem(&objects, &t->object);
    if (!sum && bpf_map_update_elem(&objects, &t->object, &first, BPF_NOEXIST) == 0)
        return;
    if (!sum) /* another thread was quicker, or there are too many */
        sum = bpf_map_lookup_elem(&objects, &t->object);
    if (!sum) {
        __sync_fetch_and_add(&losses.objects, 1);
        return;
    }
    __sync_fetch_and_add(&sum->ns, ns);
    __sync_fetch_and_add(&sum->waits, 1);
}

/* The other side of a connected socket. */
static __always_inline void look_at_peer(struct slw_off_object *o, struct file *file)
{
    struct inode *inode = file ? BPF_CORE_READ(file, f_inode) : 0;
    struct socket *socket;
    struct sock *sk;

    if (!inode || slw_off_kind(BPF_CORE_READ(inode, i_mode)) != SLW_OFF_KIND_SOCKET)
        return;
    socket = BPF_CORE_READ(file, private_data);
    sk = socket ? BPF_CORE_READ(socket, sk) : 0;
    if (!sk)
        return;
    o->family = BPF_CORE_READ(sk, __sk_common.skc_family);
    o->port = BPF_CORE_READ(sk, __sk_common.skc_dport);
    if (o->family == SLW_OFF_INET)
        o->address[0] = BPF_CORE_READ(sk, __sk_common.skc_daddr);
    else if (o->family == SLW_OFF_INET6)
        BPF_CORE_READ_INTO(&o->address, sk, __sk_common.skc_v6_daddr);
}

/* Of what kind the cause of a wait is, and which one: a futex by its address, a socket by its other
 * side. */
static __always_inline void set_object(struct slw_off_thread *t, __u32 cause, __u64 address,
                                       struct file *file)
{
    struct slw_off_object *o = &t->object;

    __builtin_memset(o, 0, sizeof(*o));
    if (cause != SLW_OFF_LOCK && cause != SLW_OFF_ANSWER && cause != SLW_OFF_SENDING)
        return;
    o->state = cause;
    o->pid = t->pid;
    if (cause == SLW_OFF_LOCK)
        o->address[0] = address;
    else
        look_at_peer(o, file);
}
