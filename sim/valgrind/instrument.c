/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adds to each superblock a call at its entry and, for each access, one store of its address: no
 * call per access, and nothing per instruction. */
#include "tool_int.h"

#include "pub_tool_aspacemgr.h"
#include "pub_tool_machine.h"

static struct slw_sim_mapping mappings[MAX_OBJECTS];
static UInt mappings_used;
static Bool has_begun;

UInt mapping_count(void)
{
    return mappings_used;
}

const struct slw_sim_mapping *all_mappings(void)
{
    return mappings;
}

static Bool is_same(const struct slw_sim_mapping *m, const NSegment *s, const HChar *path)
{
    return m->start == s->start && m->offset == (ULong)s->offset && VG_(strcmp)(m->path, path) == 0;
}

/* The file an address is mapped from now, when it is translated: it may be unmapped later. */
static UInt object_of(Addr address)
{
    const NSegment *s = VG_(am_find_nsegment)(address);
    const HChar *path = s ? VG_(am_get_filename)(s) : NULL;

    if (!path)
        return 0;
    for (UInt i = mappings_used; i > 0; i--)
        if (is_same(&mappings[i - 1], s, path))
            return i;
    if (mappings_used == MAX_OBJECTS)
        return 0;
    mappings[mappings_used++] = (struct slw_sim_mapping){.start = s->start,
                                                         .end = s->end + 1,
                                                         .offset = (ULong)s->offset,
                                                         .path = VG_(strdup)("sim.object", path)};
    look_for_marks(&mappings[mappings_used - 1]);
    return mappings_used;
}

/* Is it the file that is executed, or, of a script, that of its interpreter? Valgrind tells the
 * last part of its path. */
static Bool is_program(UInt object)
{
    static HChar program[4096];

    if (!object)
        return False;
    if (!program[0])
        VG_(client_fname)(program, sizeof(program), True);
    const HChar *path = mappings[object - 1].path;
    const HChar *slash = VG_(strrchr)(path, '/');

    return VG_(strcmp)(slash ? slash + 1 : path, program) == 0;
}

static Bool ends_with(const HChar *path, const HChar *end)
{
    const SizeT length = VG_(strlen)(path), end_length = VG_(strlen)(end);

    return length >= end_length && VG_(strcmp)(path + length - end_length, end) == 0;
}

/* The libraries that count requests and replay servers: no work of the client. */
static void look_for_tap(struct block *b)
{
    const HChar *path = b->segment.object ? mappings[b->segment.object - 1].path : "";

    b->is_replay = ends_with(path, "/libslotwise-replay.so");
    b->is_tap = b->is_replay || ends_with(path, "/libslotwise-wire.so");
}

/* The superblock under construction. */
struct making {
    IRSB *to;
    struct block *block;
    Int index; /* of the instruction; -1: before the first */
};

static void add_access(struct making *m, IRExpr *address, IRExpr *guard, Bool is_store, Int bytes)
{
    struct block *b = m->block;

    if (b->access_count >= b->most_accesses || m->index < 0)
        return;
    struct slw_sim_access *a = &b->accesses[b->access_count++];

    a->index = (uint16_t)m->index;
    a->is_store = is_store;
    a->bytes = bytes > 0 && bytes <= 64 ? (uint8_t)bytes : 0;
    if (guard) {
        const IRTemp t = newIRTemp(m->to->tyenv, Ity_I64);

        b->is_partial = True;
        addStmtToIRSB(m->to,
                      IRStmt_WrTmp(t, IRExpr_ITE(guard, address, IRExpr_Const(IRConst_U64(0)))));
        address = IRExpr_RdTmp(t);
    }
    addStmtToIRSB(m->to,
                  IRStmt_Store(Iend_LE, IRExpr_Const(IRConst_U64((ULong)&a->address)), address));
}

static Int size_of(const struct making *m, IRExpr *data)
{
    return sizeofIRType(typeOfIRExpr(m->to->tyenv, data));
}

/* What helpers of VEX touch: the states of x87 and SSE, and the like. */
static void add_dirty(struct making *m, const IRDirty *d)
{
    if (d->mFx == Ifx_None)
        return;
    if (d->mFx != Ifx_Write)
        add_access(m, d->mAddr, NULL, False, d->mSize);
    if (d->mFx != Ifx_Read)
        add_access(m, d->mAddr, NULL, True, d->mSize);
}

static void add_compare_and_swap(struct making *m, const IRCAS *c)
{
    const Int bytes = size_of(m, c->dataLo) * (c->dataHi ? 2 : 1);

    add_access(m, c->addr, NULL, False, bytes);
    add_access(m, c->addr, NULL, True, bytes);
}

static Int loaded_bytes(const IRLoadG *load)
{
    IRType widened = Ity_INVALID;
    IRType loaded = Ity_INVALID;

    typeOfIRLoadGOp(load->cvt, &widened, &loaded);
    return sizeofIRType(loaded);
}

static void add_accesses(struct making *m, const IRStmt *st)
{
    switch (st->tag) {
    case Ist_WrTmp:
        if (st->Ist.WrTmp.data->tag == Iex_Load)
            add_access(m, st->Ist.WrTmp.data->Iex.Load.addr, NULL, False,
                       sizeofIRType(st->Ist.WrTmp.data->Iex.Load.ty));
        break;
    case Ist_Store:
        add_access(m, st->Ist.Store.addr, NULL, True, size_of(m, st->Ist.Store.data));
        break;
    case Ist_StoreG: {
        const IRStoreG *s = st->Ist.StoreG.details;

        add_access(m, s->addr, s->guard, True, size_of(m, s->data));
        break;
    }
    case Ist_LoadG: {
        const IRLoadG *l = st->Ist.LoadG.details;

        add_access(m, l->addr, l->guard, False, loaded_bytes(l));
        break;
    }
    case Ist_Dirty:
        add_dirty(m, st->Ist.Dirty.details);
        break;
    case Ist_CAS:
        add_compare_and_swap(m, st->Ist.CAS.details);
        break;
    default:
        break;
    }
}

/* What the decoder does not know is a nop of that length, as VEX says it is. */
static void add_instruction(struct making *m, Addr address, UInt length)
{
    struct slw_sim_segment *g = &m->block->segment;
    struct slw_sim_instruction *in = &g->instructions[g->count];

    m->block->mark = mark_at(address);
    if (m->block->mark) /* what is there now is a jump of ours */
        slw_sim_unknown(address, (uint8_t)length, in);
    else if (slw_sim_decode((const UChar *)address, length, address, in) != length)
        slw_sim_unknown(address, (uint8_t)length, in);
    m->index = (Int)g->count++;
}

static Int count_instructions(const IRSB *in)
{
    Int count = 0;

    for (Int i = 0; i < in->stmts_used; i++)
        count += in->stmts[i]->tag == Ist_IMark;
    return count;
}

/* At most so many accesses: no statement has more than two (compare and swap). The code points into
 * the array, so it cannot grow. */
static UInt most_accesses(const IRSB *in)
{
    UInt count = 0;

    for (Int i = 0; i < in->stmts_used; i++)
        switch (in->stmts[i]->tag) {
        case Ist_WrTmp:
            count += in->stmts[i]->Ist.WrTmp.data->tag == Iex_Load;
            break;
        case Ist_Store:
        case Ist_StoreG:
        case Ist_LoadG:
            count++;
            break;
        case Ist_Dirty:
        case Ist_CAS:
            count += 2;
            break;
        default:
            break;
        }
    return count < MAX_ACCESSES ? count : MAX_ACCESSES;
}

/* All of it side by side: thousands of blocks are looked at in turn, and the host's caches hold
 * more of them. */
struct block *new_block(UInt instructions, UInt accesses)
{
    const SizeT bytes = sizeof(struct block) + accesses * sizeof(struct slw_sim_access) +
                        instructions * sizeof(struct slw_sim_instruction);
    const UWord start = (UWord)VG_(calloc)("sim.block", 1, bytes + HOST_LINE - 1);
    struct block *b = (struct block *)at_host_line(start);

    b->behind = (UShort)((UWord)b - start);
    b->segment.instructions = (struct slw_sim_instruction *)(b->accesses + accesses);
    b->most_accesses = (UShort)accesses;
    return b;
}

void free_block(struct block *b)
{
    VG_(free)((UChar *)b - b->behind);
}

/* An exit before the end leaves the accesses after it undone. */
static Bool leaves_early(const IRSB *in, Int at)
{
    for (Int i = at + 1; i < in->stmts_used; i++)
        if (in->stmts[i]->tag == Ist_IMark || in->stmts[i]->tag == Ist_Store ||
            (in->stmts[i]->tag == Ist_WrTmp && in->stmts[i]->Ist.WrTmp.data->tag == Iex_Load))
            return True;
    return False;
}

static IRDirty *call_at_entry(struct making *m)
{
    IRExpr **arguments = mkIRExprVec_1(IRExpr_Const(IRConst_U64((ULong)m->block)));

    IRDirty *call =
        m->block->is_tap
            ? unsafeIRDirty_0_N(1, "tap_entered", VG_(fnptr_to_fnentry)(tap_entered), arguments)
            : unsafeIRDirty_0_N(1, "block_entered", VG_(fnptr_to_fnentry)(block_entered),
                                arguments);

    addStmtToIRSB(m->to, IRStmt_Dirty(call));
    return call;
}

/* Only at its end is known what a block is. */
static void call_another(IRDirty *call, const struct block *b)
{
    if (b->is_partial && !b->is_tap)
        call->cee = mkIRCallee(1, "partial_entered", VG_(fnptr_to_fnentry)(partial_entered));
}

/* The statement goes where it was; the addresses of a load are taken before it, as it may overwrite
 * nothing they are made of, and those of a store after it, when it did not fault. */
static void add_statement(struct making *m, const IRSB *in, Int at)
{
    IRStmt *st = in->stmts[at];

    if (st->tag == Ist_IMark)
        add_instruction(m, st->Ist.IMark.addr, st->Ist.IMark.len);
    if (st->tag == Ist_Dirty && options.repeatable)
        replace_helper(st->Ist.Dirty.details);
    if (st->tag == Ist_Exit && leaves_early(in, at))
        m->block->is_partial = True;
    if (st->tag != Ist_Store)
        add_accesses(m, st);
    addStmtToIRSB(m->to, st);
    if (st->tag == Ist_Store)
        add_accesses(m, st);
}

IRSB *instrument(VgCallbackClosure *closure, IRSB *in, const VexGuestLayout *layout,
                 const VexGuestExtents *extents, const VexArchInfo *arch, IRType guest_word,
                 IRType host_word)
{
    const Int instructions = count_instructions(in);
    struct making m = {.index = -1};
    Int i = 0;

    (void)layout, (void)extents, (void)arch, (void)guest_word, (void)host_word;
    if (instructions == 0)
        return in;
    m.to = deepCopyIRSBExceptStmts(in);
    m.block = new_block((UInt)instructions, most_accesses(in));
    block_is_made(m.block, closure->nraddr);
    while (in->stmts[i]->tag != Ist_IMark)
        addStmtToIRSB(m.to, in->stmts[i++]);
    m.block->segment.address = in->stmts[i]->Ist.IMark.addr;
    m.block->segment.object = object_of(m.block->segment.address);
    look_for_tap(m.block);
    IRDirty *const call = call_at_entry(&m);

    for (; i < in->stmts_used; i++)
        add_statement(&m, in, i);
    slw_sim_prepare(&config, &m.block->segment, m.block->accesses, m.block->access_count);
    m.block->segment.is_fixed = !m.block->is_partial;
    m.block->is_plain = !m.block->is_partial && !m.block->mark;
    call_another(call, m.block);
    if (!has_begun && is_program(m.block->segment.object)) {
        has_begun = True;
        program_begins(m.block);
    }
    return m.to;
}
