/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The few fields of kernel structures that the BPF programs look at. libbpf relocates each access
 * to the running kernel by its BTF (CO-RE), so that the offsets here mean nothing, and building
 * needs no BTF of any kernel. Source: Linux, include/linux/sched.h, fdtable.h, fs.h, net.h,
 * ptrace.h. */
#ifndef SLW_COLLECTOR_TAPS_BPF_CORE_H
#define SLW_COLLECTOR_TAPS_BPF_CORE_H

#include <linux/bpf.h>
#include <linux/types.h>

#define TASK_DEAD            0x80 /* since Linux 4.20 */
#define TASK_UNINTERRUPTIBLE 0x02

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct inode {
    unsigned short i_mode;
    unsigned long i_ino;
};

struct file {
    struct inode *f_inode;
    void *private_data; /* of a socket: struct socket */
};

/* References to an open file: until Linux 6.12 a count, since then one less than that. */
struct file___count {
    struct {
        long long counter;
    } f_count;
};
struct file___ref {
    struct {
        struct {
            long long counter;
        } refcnt;
    } f_ref;
};

struct in6_addr {
    union {
        unsigned char u6_addr8[16];
    } in6_u;
};

struct sock_common {
    unsigned int skc_daddr;
    unsigned short skc_dport, skc_family;
    struct in6_addr skc_v6_daddr;
};

struct sock {
    struct sock_common __sk_common;
};

struct socket {
    short type;
    struct sock *sk;
};

struct fdtable {
    unsigned int max_fds;
    struct file **fd;
};

struct files_struct {
    struct fdtable *fdt;
};

struct signal_struct {
    struct {
        int counter;
    } live; /* threads that have not ended */
};

struct upid {
    int nr; /* first: timers.bpf.c */
};

struct pid {
    unsigned int level;
    struct upid numbers[1]; /* one for each PID namespace, down to the task's own */
};

struct task_struct {
    int pid, tgid;
    struct pid *thread_pid;
    unsigned in_iowait : 1;
    struct files_struct *files;
    struct signal_struct *signal;
    char comm[16];
};

struct linux_binprm;

/* The context of an iter/task program. Source: kernel/bpf/task_iter.c. */
struct bpf_iter__task {
    struct bpf_iter_meta *meta;
    struct task_struct *task; /* NULL: the end */
};

struct io_cqe {
    union {
        unsigned int flags;
        int fd; /* until it is complete */
    };
};
struct io_kiocb {
    unsigned char opcode;
    unsigned long long flags;
    struct io_cqe cqe;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
    unsigned long r10, cx, dx, si, di, ax, orig_ax, cs, sp;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
    unsigned long long regs[31];
    unsigned long long sp;
    unsigned long long pstate;
    unsigned long long orig_x0;
    int syscallno;
};
#else
#error "the system calls of this architecture are not known here"
#endif

#pragma clang attribute pop

#endif
