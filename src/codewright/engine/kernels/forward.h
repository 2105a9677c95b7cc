/* The forward pass of a batch of rows, layer by layer; each phase is cut into items for the threads. */
#include <stdlib.h>

#include "attend.h"
#include "gemm.h"

/* Memory for the rows of one pass. */
typedef struct {
    float *x, *wide, *mixed; /* [rows][width], [rows][most of qkv and up], [rows][heads · head_dim] */
    int wide_stride;
    operand narrow, inner; /* what is multiplied: of the width or the heads, and of the inner width */
} space;

typedef struct {
    model *m;
    cache *c;
    const batch *b;
    const layer *at;
    int number; /* of the layer */
    space *s;
} pass;

static void *slice(unsigned char **from, size_t bytes) {
    void *start = *from;
    *from += (bytes + 63) / 64 * 64;
    return start;
}

/* Memory that is given back at every step is cleared by the kernel at every step: it is kept. */
static int take_space(space *s, model *m, int rows) {
    const shape *of = &m->of;
    int up = of->inner * (of->activation == SWIGLU ? 2 : 1);
    int qkv = (of->heads + 2 * of->kv_heads) * of->head_dim, heads = of->heads * of->head_dim;
    int narrow = of->width > heads ? of->width : heads;
    s->wide_stride = up > qkv ? up : qkv;
    size_t n = (size_t)rows, bytes = 64 * 12;
    bytes += n * 4 * (of->width + s->wide_stride + heads + narrow + of->inner + 4);
    if (bytes > m->space_bytes) {
        free(m->space);
        m->space = aligned_alloc(64, (bytes + 63) / 64 * 64);
        m->space_bytes = m->space ? bytes : 0;
    }
    unsigned char *at = m->space;
    if (!at) return 0;
    s->x = slice(&at, n * 4 * of->width);
    s->wide = slice(&at, n * 4 * s->wide_stride);
    s->mixed = slice(&at, n * 4 * heads);
    s->narrow.data = slice(&at, n * 4 * narrow);
    s->inner.data = slice(&at, n * 4 * of->inner);
    s->narrow.scale = slice(&at, n * 4), s->narrow.total = slice(&at, n * 4);
    s->inner.scale = slice(&at, n * 4), s->inner.total = slice(&at, n * 4);
    s->narrow.kind = s->inner.kind = of->kind;
    s->inner.cols = of->inner;
    return 1;
}

/* y = norm(x) · weight (+ bias), in one pass over a row that fits the first cache. */
static void normalise(const shape *of, const float *x, const float *weight, const float *bias, float *y) {
    int width = of->width;
    float mean = 0;
    if (of->norm == LAYER) {
        f32x16 part = {0};
        for (int d = 0; d < width; d += LANES) part += load(x + d);
        mean = sum(part) / width;
    }
    f32x16 part = {0};
    for (int d = 0; d < width; d += LANES) {
        f32x16 value = load(x + d) - mean;
        part += value * value;
    }
    float by = 1.0f / sqrtf(sum(part) / width + of->eps);
    for (int d = 0; d < width; d += LANES) {
        f32x16 value = (load(x + d) - mean) * by * load(weight + d);
        store(y + d, bias ? value + load(bias + d) : value);
    }
}

static void embed_rows(void *arg, int begin, int end) {
    pass *p = arg;
    for (int t = begin; t < end; t++)
        unpack_row(&p->m->embedding, p->b->ids[t], p->s->x + (size_t)t * p->m->of.width);
}

static void norm_rows(pass *p, const float *weight, const float *bias, int begin, int end) {
    int width = p->m->of.width;
    for (int t = begin; t < end; t++) {
        float y[width];
        normalise(&p->m->of, p->s->x + (size_t)t * width, weight, bias, y);
        prepare(&p->s->narrow, t, y);
    }
}

static void norm_attention(void *arg, int begin, int end) {
    pass *p = arg;
    norm_rows(p, p->at->attention_norm, p->at->attention_norm_bias, begin, end);
}

static void norm_feed(void *arg, int begin, int end) {
    pass *p = arg;
    norm_rows(p, p->at->feed_norm, p->at->feed_norm_bias, begin, end);
}

static void turn(float *head, int dim, const float *norm, float eps, const float *cos, const float *sin) {
    if (norm) {
        float squares = 0;
        for (int d = 0; d < dim; d++) squares += head[d] * head[d];
        float by = 1.0f / sqrtf(squares / dim + eps);
        for (int d = 0; d < dim; d++) head[d] = head[d] * by * norm[d];
    }
    for (int d = 0, half = dim / 2; d < half; d++) {
        float first = head[d], second = head[d + half];
        head[d] = first * cos[d] - second * sin[d];
        head[d + half] = second * cos[d] + first * sin[d];
    }
}

/* Queries and keys are turned, keys and values kept. */
static void keep_rows(void *arg, int begin, int end) {
    pass *p = arg;
    const shape *of = &p->m->of;
    int dim = of->head_dim, keys = of->heads, values = of->heads + of->kv_heads;
    for (int t = begin; t < end; t++) {
        int at = p->b->positions[t];
        const float *cos = p->m->cos + (size_t)at * (dim / 2), *sin = p->m->sin + (size_t)at * (dim / 2);
        float *row = p->s->wide + (size_t)t * p->s->wide_stride;
        for (int h = 0; h < of->heads; h++) turn(row + h * dim, dim, p->at->q_norm, of->eps, cos, sin);
        int block = p->b->tables[(size_t)p->b->table[t] * p->b->stride + at / BLOCK];
        for (int h = 0; h < of->kv_heads; h++) {
            turn(row + (keys + h) * dim, dim, p->at->k_norm, of->eps, cos, sin);
            remember(block_of(p->c, of, p->number, block, h), dim, of->kind, at % BLOCK,
                     row + (keys + h) * dim, row + (values + h) * dim);
        }
    }
}

static void attend_items(void *arg, int begin, int end) {
    pass *p = arg;
    const shape *of = &p->m->of;
    attention a = {of, p->c, p->b, p->number, p->at->window, of->kind == FLOAT32 ? FLOAT32 : BFLOAT16,
                   p->s->wide, p->s->wide_stride, p->s->mixed};
    query *at = aligned_alloc(64, sizeof(query) * TILE_ROWS * (of->heads / of->kv_heads));
    for (int item = begin; item < end; item++) {
        int row = item / of->kv_heads * TILE_ROWS, left = p->b->rows - row;
        attend_tile(&a, row, left < TILE_ROWS ? left : TILE_ROWS, item % of->kv_heads, at);
    }
    free(at);
}

static void prepare_mixed(void *arg, int begin, int end) {
    pass *p = arg;
    int cols = p->m->of.heads * p->m->of.head_dim;
    for (int t = begin; t < end; t++) prepare(&p->s->narrow, t, p->s->mixed + (size_t)t * cols);
}

static void activate_rows(void *arg, int begin, int end) {
    pass *p = arg;
    int inner = p->m->of.inner, activation = p->m->of.activation;
    for (int t = begin; t < end; t++) {
        float y[inner];
        const float *up = p->s->wide + (size_t)t * p->s->wide_stride;
        for (int d = 0; d < inner; d += LANES) {
            f32x16 x = load(up + d);
            if (activation == SWIGLU)
                store(y + d, x / (exp_16(-larger(x, all(-80.0f))) + 1.0f) * load(up + inner + d));
            else if (activation == GELU_TANH) { /* tanh(z) = 1 - 2 / (e^2z + 1) */
                f32x16 z = (x + x * x * x * 0.044715f) * 0.7978845608f;
                f32x16 e = exp_16(-larger(-(z + z), all(-80.0f)));
                store(y + d, x * (1.0f - 1.0f / (e + 1.0f)));
            } else
                for (int lane = 0; lane < LANES; lane++)
                    y[d + lane] = 0.5f * x[lane] * (1.0f + erff(x[lane] * 0.70710678f));
        }
        prepare(&p->s->inner, t, y);
    }
}

static void norm_wanted(void *arg, int begin, int end) {
    pass *p = arg;
    int width = p->m->of.width;
    for (int i = begin; i < end; i++) {
        float y[width];
        normalise(&p->m->of, p->s->x + (size_t)p->b->wanted[i] * width, p->m->norm, p->m->norm_bias, y);
        prepare(&p->s->narrow, i, y);
    }
}

/* Fewer rows than this are not worth waking anybody. */
#define ROW_GRAIN 4

static int forward(model *m, cache *c, const batch *b, pool *threads) {
    const shape *of = &m->of;
    space s;
    /* More logits than rows may be wanted: what follows a prompt, for each of its candidates. */
    if (!take_space(&s, m, b->rows > b->count ? b->rows : b->count)) return 0;
    pass p = {m, c, b, NULL, 0, &s};
    int rows = b->rows, tiles_of_rows = (rows + TILE_ROWS - 1) / TILE_ROWS;
    pool_run(threads, embed_rows, &p, rows, ROW_GRAIN);
    for (int i = 0; i < of->layers; i++) {
        const layer *at = p.at = m->layers + i;
        p.number = i;
        s.narrow.cols = of->width;
        pool_run(threads, norm_attention, &p, rows, ROW_GRAIN);
        multiply(&s.narrow, rows, &at->qkv, (target){s.wide, s.wide_stride, 0}, threads);
        pool_run(threads, keep_rows, &p, rows, ROW_GRAIN);
        pool_run(threads, attend_items, &p, tiles_of_rows * of->kv_heads, 1);
        s.narrow.cols = of->heads * of->head_dim;
        pool_run(threads, prepare_mixed, &p, rows, ROW_GRAIN);
        multiply(&s.narrow, rows, &at->out, (target){s.x, of->width, 1}, threads);
        s.narrow.cols = of->width;
        pool_run(threads, norm_feed, &p, rows, ROW_GRAIN);
        multiply(&s.narrow, rows, &at->up, (target){s.wide, s.wide_stride, 0}, threads);
        pool_run(threads, activate_rows, &p, rows, ROW_GRAIN);
        multiply(&s.inner, rows, &at->down, (target){s.x, of->width, 1}, threads);
    }
    if (b->count) {
        s.narrow.cols = of->width;
        pool_run(threads, norm_wanted, &p, b->count, ROW_GRAIN);
        multiply(&s.narrow, b->count, of->tied ? &m->embedding : &m->head,
                 (target){b->logits, padded(of->vocabulary, PANEL), 0}, threads);
    }
    return 1;
}
