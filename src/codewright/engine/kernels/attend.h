/* Attention over blocks of sixteen positions, with a running maximum (Milakov and Gimelshein 2018).

   Keys lie as [head_dim/g][16][g] and values as [16/g][head_dim][g], g the numbers of a group: 2
   in bfloat16, 1 in float32. So sixteen scores, and sixteen numbers of the sum, are one vector.
   Queries that stand before the same block meet it together, and it is read once; each one takes
   its blocks in order all the same, so its sum does not depend on the others. */
#include "model.h"
#include "simd.h"

#define MOST_DIM 256
#define TOGETHER 4 /* queries that meet a block at once */
#define CHAINS 4   /* sums of a score that are kept apart, as one would wait for itself */
#define TILE_ROWS 16

typedef struct {
    int position;        /* of the query: it sees itself and what is before it */
    int first;           /* the first position that it sees */
    const int32_t *table; /* its blocks */
    float most, total;
    float sum[MOST_DIM];
    union {
        uint16_t bf16[MOST_DIM];
        float f32[MOST_DIM];
    } q; /* times log2(e) / sqrt(head_dim) */
} query;

#define SCORE_BF16(at, d) dot_bf16(score[n][c], load_pairs(key + 32 * (d)), pair_at(at->q.bf16 + 2 * (d)))

/* N queries and one block. */
#define MEET(N)                                                                                     \
    INLINE void meet_##N(query *const *of, int dim, int kind, const void *block, int start) {       \
        f32x16 score[N][CHAINS] = {0};                                                              \
        if (kind == FLOAT32) {                                                                      \
            const float *key = block;                                                               \
            for (int d = 0; d < dim; d += CHAINS)                                                   \
                _Pragma("GCC unroll 4") for (int c = 0; c < CHAINS; c++)                            \
                    _Pragma("GCC unroll 4") for (int n = 0; n < N; n++)                             \
                        score[n][c] += load(key + LANES * (d + c)) * of[n]->q.f32[d + c];           \
        } else {                                                                                    \
            const uint16_t *key = block;                                                            \
            for (int d = 0; d < dim / 2; d += CHAINS)                                               \
                _Pragma("GCC unroll 4") for (int c = 0; c < CHAINS; c++)                            \
                    _Pragma("GCC unroll 4") for (int n = 0; n < N; n++)                             \
                        score[n][c] = SCORE_BF16(of[n], d + c);                                     \
        }                                                                                           \
        float weight[N][LANES];                                                                     \
        uint16_t halves[N][LANES];                                                                  \
        for (int n = 0; n < N; n++) {                                                               \
            query *at = of[n];                                                                      \
            f32x16 s = (score[n][0] + score[n][1]) + (score[n][2] + score[n][3]);                   \
            if (at->position < start + LANES - 1 || at->first > start) {                            \
                i32x16 where = (i32x16){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} + start; \
                i32x16 seen = (where <= at->position) & (where >= at->first);                       \
                s = (f32x16)(((i32x16)s & seen) | ((i32x16)all(-INFINITY) & ~seen));                \
            }                                                                                       \
            float most = largest(s);                                                                \
            if (most > at->most) {                                                                  \
                float keep = exp2_16(all(at->most - most))[0];                                      \
                at->total *= keep;                                                                  \
                for (int d = 0; d < dim; d += LANES) store(at->sum + d, load(at->sum + d) * keep);  \
                at->most = most;                                                                    \
            }                                                                                       \
            f32x16 w = exp2_16(s - at->most);                                                       \
            at->total += sum(w);                                                                    \
            store(weight[n], w);                                                                    \
            u16x16 rounded_w = to_bf16(w);                                                          \
            memcpy(halves[n], &rounded_w, sizeof rounded_w);                                        \
        }                                                                                           \
        for (int d = 0; d < dim; d += 4 * LANES) {                                                  \
            int vectors = (dim - d) / LANES < 4 ? (dim - d) / LANES : 4;                            \
            f32x16 part[N][4];                                                                      \
            _Pragma("GCC unroll 4") for (int n = 0; n < N; n++)                                     \
                _Pragma("GCC unroll 4") for (int v = 0; v < 4; v++)                                 \
                    part[n][v] = v < vectors ? load(of[n]->sum + d + LANES * v) : all(0);           \
            if (kind == FLOAT32) {                                                                  \
                const float *value = (const float *)block + dim * BLOCK + d;                        \
                for (int p = 0; p < BLOCK; p++, value += dim)                                       \
                    _Pragma("GCC unroll 4") for (int v = 0; v < 4; v++) {                           \
                        if (v >= vectors) break;                                                    \
                        _Pragma("GCC unroll 4") for (int n = 0; n < N; n++)                         \
                            part[n][v] += load(value + LANES * v) * weight[n][p];                   \
                    }                                                                               \
            } else {                                                                                \
                const uint16_t *value = (const uint16_t *)block + dim * BLOCK + 2 * d;              \
                for (int p = 0; p < BLOCK / 2; p++, value += 2 * dim)                               \
                    _Pragma("GCC unroll 4") for (int v = 0; v < 4; v++) {                           \
                        if (v >= vectors) break;                                                    \
                        _Pragma("GCC unroll 4") for (int n = 0; n < N; n++)                         \
                            part[n][v] = dot_bf16(part[n][v], load_pairs(value + 2 * LANES * v),    \
                                                  pair_at(halves[n] + 2 * p));                      \
                    }                                                                               \
            }                                                                                       \
            _Pragma("GCC unroll 4") for (int n = 0; n < N; n++)                                     \
                _Pragma("GCC unroll 4") for (int v = 0; v < 4; v++)                                 \
                    if (v < vectors) store(of[n]->sum + d + LANES * v, part[n][v]);                 \
        }                                                                                           \
    }

MEET(1)
MEET(2)
MEET(4)

/* The bulk of all models is 64 and 128 wide: loops of known length are unrolled. */
static void meet(query *const *of, int count, int dim, int kind, const void *block, int start) {
#define SIZED(dim, kind)                                                                \
    do {                                                                                \
        for (; count >= 4; count -= 4, of += 4) meet_4(of, dim, kind, block, start);    \
        if (count >= 2) meet_2(of, dim, kind, block, start), count -= 2, of += 2;       \
        if (count) meet_1(of, dim, kind, block, start);                                 \
    } while (0)
    if (kind == BFLOAT16 && dim == 64)
        SIZED(64, BFLOAT16);
    else if (kind == BFLOAT16 && dim == 128)
        SIZED(128, BFLOAT16);
    else if (kind == BFLOAT16)
        SIZED(dim, BFLOAT16);
    else
        SIZED(dim, FLOAT32);
}

/* Keys and values of one head, in the block of a position. */
INLINE unsigned char *block_of(const cache *c, const shape *of, int layer, int block, int head) {
    size_t index = ((size_t)layer * c->blocks + block) * of->kv_heads + head;
    return c->data + index * 2 * BLOCK * of->head_dim * c->number;
}

static void remember(unsigned char *block, int dim, int kind, int slot, const float *key, const float *value) {
    if (kind == FLOAT32) {
        float *keys = (float *)block, *values = keys + dim * BLOCK;
        for (int d = 0; d < dim; d++) keys[d * BLOCK + slot] = key[d];
        memcpy(values + slot * dim, value, dim * sizeof(float));
    } else {
        uint16_t *keys = (uint16_t *)block, *values = keys + dim * BLOCK;
        for (int d = 0; d < dim; d++) {
            keys[(d / 2 * BLOCK + slot) * 2 + d % 2] = to_bf16_1(key[d]);
            values[(slot / 2 * dim + d) * 2 + slot % 2] = to_bf16_1(value[d]);
        }
    }
}

/* The attention of a layer, cut into tiles of rows and heads of keys. */
typedef struct {
    const shape *of;
    const cache *c;
    const batch *b;
    int layer, window, kind;
    const float *qkv;
    int qkv_stride;
    float *out;
} attention;

static void attend_tile(const attention *a, int row, int rows, int head, query *at) {
    const shape *of = a->of;
    int dim = of->head_dim, group = of->heads / of->kv_heads, count = rows * group;
    int from = INT32_MAX, to = 0;
    float by = LOG2E / sqrtf((float)dim);
    query *list[TILE_ROWS * 16];
    for (int r = 0; r < rows; r++)
        for (int g = 0; g < group; g++) {
            query *one = at + r * group + g;
            const float *q = a->qkv + (size_t)(row + r) * a->qkv_stride + (head * group + g) * dim;
            one->position = a->b->positions[row + r];
            one->first = a->window && one->position >= a->window ? one->position - a->window + 1 : 0;
            one->table = a->b->tables + (size_t)a->b->table[row + r] * a->b->stride;
            one->most = -INFINITY, one->total = 0;
            memset(one->sum, 0, dim * sizeof(float));
            for (int d = 0; d < dim; d++)
                if (a->kind == FLOAT32)
                    one->q.f32[d] = q[d] * by;
                else
                    one->q.bf16[d] = to_bf16_1(q[d] * by);
            from = one->first / BLOCK < from ? one->first / BLOCK : from;
            to = one->position / BLOCK > to ? one->position / BLOCK : to;
        }
    for (int j = from; j <= to; j++)
        for (int i = 0; i < count;) { /* those that have the same block here meet it together */
            int found = 0;
            int32_t block = -1;
            for (; i < count; i++) {
                query *one = at + i;
                if (one->position / BLOCK < j || one->first / BLOCK > j) continue;
                if (found && one->table[j] != block) break;
                block = one->table[j];
                list[found++] = one;
            }
            if (found)
                meet(list, found, dim, a->kind, block_of(a->c, of, a->layer, block, head), j * BLOCK);
        }
    for (int i = 0; i < count; i++) {
        float *out = a->out + ((size_t)(row + i / group) * of->heads + head * group + i % group) * dim;
        for (int d = 0; d < dim; d += LANES) store(out + d, load(at[i].sum + d) * (1.0f / at[i].total));
    }
}
