/* Attention over blocks of sixteen positions, with a running maximum (Milakov and Gimelshein 2018).

   Keys lie as [head_dim/g][16][g] and values as [16/g][head_dim][g], g the numbers of a group: 2
   in bfloat16, 1 in float32. So sixteen scores, and sixteen numbers of the sum, are one vector.
   Queries that stand before the same two blocks meet them together, and they are read once; each one
   takes its blocks in order all the same, so its sum does not depend on the others. */
#include "model.h"
#include "simd.h"

#define MOST_DIM 256
#define CHAINS 2   /* sums of a score that are kept apart, as one would wait for itself */
#define TILE_ROWS 16

typedef struct {
    int position;        /* of the query: it sees itself and what is before it */
    int first;           /* the first position that it sees */
    const int32_t *table; /* its blocks */
    float most;
    float total[LANES]; /* each lane has every sixteenth position */
    float sum[MOST_DIM];
    union {
        uint16_t bf16[MOST_DIM];
        float f32[MOST_DIM];
    } q; /* times log2(e) / sqrt(head_dim) */
} query;

/* A weight is spread over a vector when it is loaded. Compilers that know what was stored keep it in a
   register instead, and take it apart there, which costs more than the product. */
#define IN_MEMORY() __asm__ volatile("" ::: "memory")

/* Scores of the sixteen positions from `start` on, those that a query does not see at minus infinity. */
INLINE f32x16 seen(f32x16 score, const query *at, int start) {
    i32x16 where = (i32x16){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} + start;
    i32x16 sees = (where <= at->position) & (where >= at->first);
    return (f32x16)(((i32x16)score & sees) | ((i32x16)all(-INFINITY) & ~sees));
}

/* N queries and two blocks, one behind the other; the second is the first again, and not seen, where a
   query has none. Two, as each number of a query that is spread over a vector then serves twice, and
   the sums are carried along half as often. Always the same two: a sum has one order. */
#define MEET(N)                                                                                     \
    INLINE void meet_##N(query *const *of, int dim, int kind, const void *const *blocks, int start) { \
        f32x16 score[N][2][CHAINS] = {0};                                                           \
        if (kind == FLOAT32) {                                                                      \
            const float *one = blocks[0], *two = blocks[1];                                         \
            for (int d = 0; d < dim; d += CHAINS)                                                   \
                _Pragma("GCC unroll 4") for (int c = 0; c < CHAINS; c++)                            \
                    _Pragma("GCC unroll 4") for (int n = 0; n < N; n++) {                           \
                        score[n][0][c] += load(one + LANES * (d + c)) * of[n]->q.f32[d + c];        \
                        score[n][1][c] += load(two + LANES * (d + c)) * of[n]->q.f32[d + c];        \
                    }                                                                               \
        } else {                                                                                    \
            const uint16_t *one = blocks[0], *two = blocks[1];                                      \
            _Pragma("GCC unroll 2") for (int d = 0; d < dim / 2; d += CHAINS)                       \
                _Pragma("GCC unroll 4") for (int c = 0; c < CHAINS; c++)                            \
                    _Pragma("GCC unroll 4") for (int n = 0; n < N; n++) {                           \
                        uint32_t pair = pair_at(of[n]->q.bf16 + 2 * (d + c));                       \
                        score[n][0][c] = dot_bf16(score[n][0][c], load_pairs(one + 32 * (d + c)), pair); \
                        score[n][1][c] = dot_bf16(score[n][1][c], load_pairs(two + 32 * (d + c)), pair); \
                    }                                                                               \
        }                                                                                           \
        float weight[N][2 * LANES];                                                                 \
        uint16_t halves[N][2 * LANES];                                                              \
        _Pragma("GCC unroll 4") for (int n = 0; n < N; n++) {                                       \
            query *at = of[n];                                                                      \
            f32x16 s = score[n][0][0] + score[n][0][1], t = score[n][1][0] + score[n][1][1];        \
            if (at->position < start + 2 * LANES - 1 || at->first > start)                          \
                s = seen(s, at, start), t = seen(t, at, start + LANES);                             \
            f32x16 both = larger(s, t);                                                             \
            if (any_above(both, at->most)) {                                                        \
                float most = largest(both), keep = exp2_16(all(at->most - most))[0];                \
                store(at->total, load(at->total) * keep);                                           \
                for (int d = 0; d < dim; d += LANES) store(at->sum + d, load(at->sum + d) * keep);  \
                at->most = most;                                                                    \
            }                                                                                       \
            s = exp2_16(s - at->most), t = exp2_16(t - at->most);                                   \
            store(at->total, load(at->total) + (s + t));                                            \
            store(weight[n], s), store(weight[n] + LANES, t);                                       \
            u16x16 rounded_s = to_bf16(s), rounded_t = to_bf16(t);                                  \
            memcpy(halves[n], &rounded_s, sizeof rounded_s);                                        \
            memcpy(halves[n] + LANES, &rounded_t, sizeof rounded_t);                                \
        }                                                                                           \
        IN_MEMORY();                                                                                \
        for (int d = 0; d < dim; d += 4 * LANES) {                                                  \
            int vectors = (dim - d) / LANES < 4 ? (dim - d) / LANES : 4;                            \
            f32x16 part[N][4];                                                                      \
            _Pragma("GCC unroll 4") for (int n = 0; n < N; n++)                                     \
                _Pragma("GCC unroll 4") for (int v = 0; v < 4; v++)                                 \
                    part[n][v] = v < vectors ? load(of[n]->sum + d + LANES * v) : all(0);           \
            _Pragma("GCC unroll 1") for (int p = 0; p < 2 * BLOCK; p += kind == FLOAT32 ? 1 : 2) {  \
                const void *block = blocks[p / BLOCK];                                              \
                if (kind == FLOAT32) {                                                              \
                    const float *value = (const float *)block + dim * (BLOCK + p % BLOCK) + d;      \
                    _Pragma("GCC unroll 4") for (int v = 0; v < 4; v++) {                           \
                        if (v >= vectors) break;                                                    \
                        _Pragma("GCC unroll 4") for (int n = 0; n < N; n++)                         \
                            part[n][v] += load(value + LANES * v) * weight[n][p];                   \
                    }                                                                               \
                } else {                                                                            \
                    const uint16_t *value = (const uint16_t *)block + dim * (BLOCK + p % BLOCK) + 2 * d; \
                    _Pragma("GCC unroll 4") for (int v = 0; v < 4; v++) {                           \
                        if (v >= vectors) break;                                                    \
                        _Pragma("GCC unroll 4") for (int n = 0; n < N; n++)                         \
                            part[n][v] = dot_bf16(part[n][v], load_pairs(value + 2 * LANES * v),    \
                                                  pair_at(halves[n] + p));                          \
                    }                                                                               \
                }                                                                                   \
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
static void meet(query *const *of, int count, int dim, int kind, const void *const *blocks, int start) {
#define SIZED(dim, kind)                                                                \
    do {                                                                                \
        for (; count >= 4; count -= 4, of += 4) meet_4(of, dim, kind, blocks, start);   \
        if (count >= 2) meet_2(of, dim, kind, blocks, start), count -= 2, of += 2;      \
        if (count) meet_1(of, dim, kind, blocks, start);                                \
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
            one->most = -INFINITY;
            store(one->total, all(0));
            memset(one->sum, 0, dim * sizeof(float));
            for (int d = 0; d < dim; d++)
                if (a->kind == FLOAT32)
                    one->q.f32[d] = q[d] * by;
                else
                    one->q.bf16[d] = to_bf16_1(q[d] * by);
            from = one->first / BLOCK < from ? one->first / BLOCK : from;
            to = one->position / BLOCK > to ? one->position / BLOCK : to;
        }
    for (int j = from & ~1; j <= to; j += 2)
        for (int i = 0; i < count;) { /* those that have the same blocks here meet them together */
            int found = 0;
            int32_t first = -1, second = -1;
            for (; i < count; i++) {
                query *one = at + i;
                if (one->position / BLOCK < j || one->first / BLOCK > j + 1) continue;
                int32_t next = one->table[one->position / BLOCK > j ? j + 1 : j];
                if (found && (one->table[j] != first || next != second)) break;
                first = one->table[j], second = next;
                list[found++] = one;
            }
            const void *blocks[2] = {block_of(a->c, of, a->layer, first, head),
                                     block_of(a->c, of, a->layer, second, head)};
            if (found) meet(list, found, dim, a->kind, blocks, j * BLOCK);
        }
    for (int i = 0; i < count; i++) {
        float *out = a->out + ((size_t)(row + i / group) * of->heads + head * group + i % group) * dim;
        float by_total = 1.0f / sum(load(at[i].total));
        for (int d = 0; d < dim; d += LANES) store(out + d, load(at[i].sum + d) * by_total);
    }
}
