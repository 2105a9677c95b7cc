/* What Python calls: models, caches and threads, and the build that this processor can run. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "model.h"

#define API __attribute__((visibility("default")))

extern const kernels kernels_portable;
#if defined(__x86_64__)
extern const kernels kernels_avx2, kernels_avx512vnni, kernels_avx512bf16;
#endif

/* ---- threads: jobs of items that whoever is free takes ---- */

#define SPINS 4000 /* some twenty microseconds, which is what a phase of a small model takes */

/* A job is cut into items, and whoever has a core takes some: nobody waits for a thread that has none,
   so the work of two goes on at the speed of one while another process has the other core.

   `ticket` is the job's number and the first item that nobody has taken. Only who takes an item of a job
   reads what the job is, and a job that has an open item does not end: a thread that comes late finds
   the ticket of another job, and takes nothing. */
struct pool {
    int size; /* with the thread that calls */
    pthread_t *others;
    job what;
    void *arg;
    _Atomic int items, grain, done;
    _Atomic uint64_t ticket;
    _Atomic uint32_t epoch; /* the number of the job; others wait for it to change */
    _Atomic int asleep, leaving;
};

#define CLOSED 0xffffffffu

static void rest(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void take_items(pool *p, uint32_t number) {
    uint64_t ticket = atomic_load(&p->ticket);
    for (;;) {
        int items = atomic_load(&p->items), grain = atomic_load(&p->grain);
        uint32_t begin = (uint32_t)ticket;
        if (ticket >> 32 != number || begin >= (uint32_t)items) return;
        int end = items - (int)begin > grain ? (int)begin + grain : items;
        if (!atomic_compare_exchange_weak(&p->ticket, &ticket, (uint64_t)number << 32 | (uint32_t)end)) continue;
        p->what(p->arg, (int)begin, end);
        atomic_fetch_add(&p->done, end - (int)begin);
        ticket = atomic_load(&p->ticket);
    }
}

static void *work(void *arg) {
    pool *p = arg;
    uint32_t seen = 0;
    for (;;) {
        int spins = 0;
        while (atomic_load(&p->epoch) == seen) {
            if (++spins < SPINS) {
                rest();
                continue;
            }
            atomic_fetch_add(&p->asleep, 1);
            syscall(SYS_futex, &p->epoch, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
            atomic_fetch_sub(&p->asleep, 1);
        }
        seen = atomic_load(&p->epoch);
        if (atomic_load(&p->leaving)) return NULL;
        take_items(p, seen);
    }
}

int pool_size(const pool *p) { return p->size; }

void pool_run(pool *p, job what, void *arg, int items, int grain) {
    if (p->size == 1 || items <= grain) {
        if (items) what(arg, 0, items);
        return;
    }
    uint32_t number = atomic_load(&p->epoch) + 1;
    atomic_store(&p->ticket, (uint64_t)number << 32 | CLOSED);
    p->what = what, p->arg = arg;
    atomic_store(&p->items, items), atomic_store(&p->grain, grain), atomic_store(&p->done, 0);
    atomic_store(&p->ticket, (uint64_t)number << 32);
    atomic_store(&p->epoch, number);
    if (atomic_load(&p->asleep)) syscall(SYS_futex, &p->epoch, FUTEX_WAKE_PRIVATE, p->size, NULL, NULL, 0);
    take_items(p, number);
    /* Whoever took an item may have lost its core to another process: give it ours. */
    for (int spins = 0; atomic_load(&p->done) < items; spins++)
        if (spins < SPINS)
            rest();
        else
            sched_yield();
}

API pool *cw_pool_new(int size) {
    pool *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->others = calloc(size, sizeof *p->others);
    p->size = 1;
    for (int i = 1; i < size; i++)
        if (!pthread_create(p->others + p->size - 1, NULL, work, p)) p->size++;
    return p;
}

API int cw_pool_size(const pool *p) { return p->size; }

API void cw_pool_free(pool *p) {
    atomic_store(&p->leaving, 1);
    atomic_fetch_add(&p->epoch, 1);
    syscall(SYS_futex, &p->epoch, FUTEX_WAKE_PRIVATE, p->size, NULL, NULL, 0);
    for (int i = 0; i + 1 < p->size; i++) pthread_join(p->others[i], NULL);
    free(p->others);
    free(p);
}

/* ---- builds ---- */

static const kernels *builds(int index) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    int avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                 __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                 __builtin_cpu_supports("avx512vnni");
    const kernels *usable[4];
    int count = 0;
    if (avx512 && __builtin_cpu_supports("avx512bf16")) usable[count++] = &kernels_avx512bf16;
    if (avx512) usable[count++] = &kernels_avx512vnni;
    if (avx2) usable[count++] = &kernels_avx2;
    usable[count++] = &kernels_portable;
    return index < count ? usable[index] : NULL;
#else
    return index ? NULL : &kernels_portable;
#endif
}

/* The builds that this processor can run, the fastest first; NULL after the last. */
API const kernels *cw_build(int index) { return builds(index); }
API const char *cw_build_name(const kernels *build) { return build->name; }
API const char *cw_sources(void) { return SOURCES; }

/* ---- models ---- */

static void *memory(size_t bytes) {
    size_t whole = (bytes + 4095) / 4096 * 4096;
    void *at = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return NULL;
    madvise(at, whole, MADV_HUGEPAGE);
    return at;
}

static void let_go(void *at, size_t bytes) {
    if (at) munmap(at, (bytes + 4095) / 4096 * 4096);
}

static size_t matrix_bytes(const matrix *w) {
    size_t number = w->kind == INT8 ? 1 : w->kind == BFLOAT16 ? 2 : 4;
    return (size_t)padded(w->rows, PANEL) * w->cols * number;
}

static float *copied(const float *from, int count, int room) {
    float *to = calloc(room, sizeof *to);
    if (to) memcpy(to, from, count * sizeof *to);
    return to;
}

API model *cw_model_new(const shape *of) {
    model *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    m->of = *of;
    m->layers = calloc(of->layers, sizeof *m->layers);
    if (m->layers) return m;
    free(m);
    return NULL;
}

static matrix *matrix_at(model *m, int number, int which) {
    if (number < 0) return which ? &m->head : &m->embedding;
    layer *at = m->layers + number;
    matrix *of[] = {&at->qkv, &at->out, &at->up, &at->down};
    return of[which];
}

/* Matrix `which` of a layer (qkv, out, up, down), or of the model (layer -1: embedding, head). */
API int cw_model_matrix(model *m, const kernels *build, int number, int which, int rows, int cols,
                        const void *values, const float *scale, const float *bias) {
    matrix *to = matrix_at(m, number, which);
    to->kind = m->of.kind, to->rows = rows, to->cols = cols;
    to->data = memory(matrix_bytes(to));
    if (!to->data) return 0;
    build->pack(to, values);
    if (scale && !(to->scale = copied(scale, rows, padded(rows, PANEL)))) return 0;
    if (bias && !(to->bias = copied(bias, rows, padded(rows, PANEL)))) return 0;
    return 1;
}

/* Vector `which` of a layer, or of the model (layer -1). */
API int cw_model_vector(model *m, int number, int which, const float *values, int count) {
    layer *at = m->layers + (number < 0 ? 0 : number);
    float **of_layer[] = {&at->attention_norm, &at->attention_norm_bias, &at->feed_norm, &at->feed_norm_bias,
                          &at->q_norm, &at->k_norm};
    float **of_model[] = {&m->norm, &m->norm_bias, &m->cos, &m->sin};
    float **to = number < 0 ? of_model[which] : of_layer[which];
    *to = copied(values, count, count);
    return *to != NULL;
}

API void cw_model_window(model *m, int number, int window) { m->layers[number].window = window; }

static void matrix_free(matrix *w) {
    let_go(w->data, matrix_bytes(w));
    free(w->scale);
    free(w->bias);
}

API void cw_model_free(model *m) {
    for (int i = 0; i < m->of.layers; i++) {
        layer *at = m->layers + i;
        for (int which = 0; which < 4; which++) matrix_free(matrix_at(m, i, which));
        free(at->attention_norm), free(at->attention_norm_bias), free(at->feed_norm);
        free(at->feed_norm_bias), free(at->q_norm), free(at->k_norm);
    }
    matrix_free(&m->embedding), matrix_free(&m->head);
    free(m->norm), free(m->norm_bias), free(m->cos), free(m->sin), free(m->layers), free(m->space);
    free(m);
}

/* ---- caches ---- */

static size_t block_bytes(const model *m) {
    return (size_t)m->of.kv_heads * 2 * BLOCK * m->of.head_dim * (m->of.kind == FLOAT32 ? 4 : 2);
}

API cache *cw_cache_new(const model *m, int blocks) {
    cache *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->blocks = blocks, c->number = m->of.kind == FLOAT32 ? 4 : 2;
    c->bytes = block_bytes(m) * m->of.layers * blocks;
    c->data = memory(c->bytes);
    if (c->data) return c;
    free(c);
    return NULL;
}

API void cw_cache_copy(const model *m, cache *c, int from, int to) {
    size_t bytes = block_bytes(m);
    for (int i = 0; i < m->of.layers; i++) {
        unsigned char *blocks = c->data + (size_t)i * c->blocks * bytes;
        memcpy(blocks + to * bytes, blocks + from * bytes, bytes);
    }
}

API void cw_cache_free(cache *c) {
    let_go(c->data, c->bytes);
    free(c);
}

/* ---- a step ---- */

API int cw_forward(const kernels *build, model *m, cache *c, const batch *b, pool *threads) {
    return build->forward(m, c, b, threads);
}

API void cw_sample(const kernels *build, float *logits, int rows, int vocabulary, int stride,
                   const manner *manners, int32_t *ids, float *scores, pool *threads) {
    build->sample(logits, rows, vocabulary, stride, manners, ids, scores, threads);
}
