/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The part of socket.bpf.c that notices what io_uring does on sockets. */

/* Operations that move bytes over a socket. Source: Linux, include/uapi/linux/io_uring.h,
 * IORING_OP_ and IOSQE_FIXED_FILE. */
#define FIXED_FILE   1
#define ALSO_FILES   1
#define ONLY_SOCKETS 2
static const __u8 ring_operations[64] = {
    [1] = ALSO_FILES,    [2] = ALSO_FILES,    /* READV, WRITEV */
    [4] = ALSO_FILES,    [5] = ALSO_FILES,    /* READ_FIXED, WRITE_FIXED */
    [9] = ONLY_SOCKETS,  [10] = ONLY_SOCKETS, /* SENDMSG, RECVMSG */
    [16] = ONLY_SOCKETS,                      /* CONNECT */
    [22] = ALSO_FILES,   [23] = ALSO_FILES,   /* READ, WRITE */
    [26] = ONLY_SOCKETS, [27] = ONLY_SOCKETS, /* SEND, RECV */
    [30] = ALSO_FILES,                        /* SPLICE */
    [47] = ONLY_SOCKETS, [48] = ONLY_SOCKETS, /* SEND_ZC, SENDMSG_ZC */
};

/* What io_uring does on a socket passes unseen, which must not stay so. Since Linux 6.4. */
SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(on_ring, struct io_kiocb *request)
{
    __u32 operation = BPF_CORE_READ(request, opcode);
    __u64 inode = 0;

    if (operation >= sizeof(ring_operations) || !ring_operations[operation] || !followed())
        return 0;
    if (!(BPF_CORE_READ(request, flags) & FIXED_FILE))
        inode = inode_of(file_of((__u32)BPF_CORE_READ(request, cqe.fd)));
    struct slw_socket_kept *kept = inode ? bpf_map_lookup_elem(&sockets, &inode) : 0;
    if (kept)
        __sync_fetch_and_add(&kept->by_ring, 1);
    else if (ring_operations[operation] == ONLY_SOCKETS)
        __sync_fetch_and_add(&losses.by_ring, 1);
    return 0;
}
