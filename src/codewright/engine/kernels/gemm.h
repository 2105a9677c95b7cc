/* Products of packed matrices: out[m][n] = sum over k of row m at k · weight n at k.

   A product of one row and a product of many take the terms of each sum in the same order, so what
   a row gets does not depend on the rows beside it. */
#include "model.h"
#include "simd.h"

#define GROUP(kind) ((kind) == INT8 ? 4 : (kind) == BFLOAT16 ? 2 : 1)
#define ROWS 6 /* rows of a tile: 6 · 4 sums, 4 weights and a row's number fit 32 registers */

/* Rows of activations in the form that a kind of matrix multiplies. */
typedef struct {
    int kind, cols;
    void *data;    /* [rows][cols] float, bfloat16 or int8 */
    float *scale;  /* of each row, int8 */
    int32_t *total; /* the sum of each row, int8 */
} operand;

INLINE size_t number_bytes(int kind) { return kind == INT8 ? 1 : kind == BFLOAT16 ? 2 : 4; }

static void pack(matrix *to, const void *values) {
    int group = GROUP(to->kind), rows = to->rows, cols = to->cols;
    size_t size = number_bytes(to->kind);
    for (int n = 0; n < padded(rows, PANEL); n++)
        for (int k = 0; k < cols; k++) {
            size_t place = (((size_t)(n / PANEL) * (cols / group) + k / group) * PANEL + n % PANEL) * group + k % group;
            size_t from = (size_t)n * cols + k;
            unsigned char *at = (unsigned char *)to->data + place * size;
            if (to->kind == INT8) /* unsigned, with the zero at 128 */
                *at = n < rows ? (uint8_t)(((const int8_t *)values)[from] + 128) : 128;
            else if (to->kind == BFLOAT16) {
                uint16_t value = n < rows ? to_bf16_1(((const float *)values)[from]) : 0;
                memcpy(at, &value, 2);
            } else {
                float value = n < rows ? ((const float *)values)[from] : 0;
                memcpy(at, &value, 4);
            }
        }
}

/* Row n of a packed matrix, as floats. */
static void unpack_row(const matrix *from, int n, float *to) {
    int group = GROUP(from->kind), cols = from->cols;
    for (int k = 0; k < cols; k++) {
        size_t place = (((size_t)(n / PANEL) * (cols / group) + k / group) * PANEL + n % PANEL) * group + k % group;
        if (from->kind == INT8)
            to[k] = ((int)((const uint8_t *)from->data)[place] - 128) * from->scale[n];
        else if (from->kind == BFLOAT16)
            to[k] = from_bf16_1(((const uint16_t *)from->data)[place]);
        else
            to[k] = ((const float *)from->data)[place];
    }
}

/* Puts one row of floats into the operand's form: int8 with the largest magnitude at 127. */
static void prepare(const operand *to, int row, const float *from) {
    int cols = to->cols;
    if (to->kind == FLOAT32) {
        memcpy((float *)to->data + (size_t)row * cols, from, cols * sizeof(float));
    } else if (to->kind == BFLOAT16) {
        uint16_t *out = (uint16_t *)to->data + (size_t)row * cols;
        for (int k = 0; k < cols; k += LANES) {
            u16x16 value = to_bf16(load(from + k));
            memcpy(out + k, &value, sizeof value);
        }
    } else {
        int8_t *out = (int8_t *)to->data + (size_t)row * cols;
        f32x16 most = {0};
        for (int k = 0; k < cols; k += LANES) {
            f32x16 value = load(from + k);
            most = larger(most, larger(value, -value));
        }
        float top = largest(most), by = top > 0 ? 127.0f / top : 0.0f;
        i32x16 total = {0};
        for (int k = 0; k < cols; k += LANES) {
            i32x16 whole = __builtin_convertvector(rounded(load(from + k) * by), i32x16);
            total += whole;
            i8x16 bytes = __builtin_convertvector(whole, i8x16);
            memcpy(out + k, &bytes, sizeof bytes);
        }
        int32_t all_of_it = 0;
        for (int lane = 0; lane < LANES; lane++) all_of_it += total[lane];
        to->total[row] = all_of_it;
        to->scale[row] = top / 127.0f;
    }
}

/* What a tile writes: `count` rows of one panel, added to what is there where `add` says so. */
typedef struct {
    float *out;
    int stride, add;
} target;

INLINE void put(const target *to, const matrix *w, int row, int n, f32x16 value) {
    if (n >= padded(w->rows, LANES)) return;
    if (w->bias) value += load(w->bias + n);
    float *at = to->out + (size_t)row * to->stride + n;
    store(at, to->add ? load(at) + value : value);
}

#define TILES(MAKE) MAKE(1) MAKE(2) MAKE(3) MAKE(4) MAKE(5) MAKE(6)

#define TILE_INT8(M)                                                                             \
    static void int8_##M(const operand *a, int row, const matrix *w, int panel, target *to) {    \
        int steps = w->cols / 4;                                                                 \
        const uint8_t *weights = (const uint8_t *)w->data + (size_t)panel * steps * PANEL * 4;   \
        const int8_t *rows = (const int8_t *)a->data + (size_t)row * a->cols;                    \
        i32x16 part[M][4] = {0};                                                                 \
        for (int k = 0; k < steps; k++, weights += PANEL * 4)                                    \
            _Pragma("GCC unroll 6") for (int m = 0; m < M; m++) {                                \
                int32_t four;                                                                    \
                memcpy(&four, rows + (size_t)m * a->cols + 4 * k, 4);                            \
                _Pragma("GCC unroll 4") for (int v = 0; v < 4; v++)                              \
                    part[m][v] = dot_int8(part[m][v], weights + 64 * v, four);                   \
            }                                                                                    \
        for (int m = 0; m < M; m++)                                                              \
            for (int v = 0; v < 4; v++) {                                                        \
                int n = panel * PANEL + LANES * v;                                               \
                i32x16 exact = part[m][v] - 128 * a->total[row + m];                             \
                f32x16 value = __builtin_convertvector(exact, f32x16) * load(w->scale + n);      \
                put(to, w, row + m, n, value * a->scale[row + m]);                               \
            }                                                                                    \
    }

#define TILE_BFLOAT16(M)                                                                         \
    static void bfloat16_##M(const operand *a, int row, const matrix *w, int panel, target *to) { \
        int steps = w->cols / 2;                                                                 \
        const uint16_t *weights = (const uint16_t *)w->data + (size_t)panel * steps * PANEL * 2; \
        const uint16_t *rows = (const uint16_t *)a->data + (size_t)row * a->cols;                \
        f32x16 part[M][4] = {0};                                                                 \
        for (int k = 0; k < steps; k++, weights += PANEL * 2)                                    \
            _Pragma("GCC unroll 6") for (int m = 0; m < M; m++) {                                \
                uint32_t pair = pair_at(rows + (size_t)m * a->cols + 2 * k);                     \
                _Pragma("GCC unroll 4") for (int v = 0; v < 4; v++)                              \
                    part[m][v] = dot_bf16(part[m][v], load_pairs(weights + 32 * v), pair);       \
            }                                                                                    \
        for (int m = 0; m < M; m++)                                                              \
            for (int v = 0; v < 4; v++)                                                          \
                put(to, w, row + m, panel * PANEL + LANES * v, part[m][v]);                      \
    }

#define TILE_FLOAT32(M)                                                                          \
    static void float32_##M(const operand *a, int row, const matrix *w, int panel, target *to) { \
        const float *weights = (const float *)w->data + (size_t)panel * w->cols * PANEL;         \
        const float *rows = (const float *)a->data + (size_t)row * a->cols;                      \
        f32x16 part[M][4] = {0};                                                                 \
        for (int k = 0; k < w->cols; k++, weights += PANEL)                                      \
            _Pragma("GCC unroll 6") for (int m = 0; m < M; m++)                                  \
                _Pragma("GCC unroll 4") for (int v = 0; v < 4; v++)                              \
                    part[m][v] += load(weights + LANES * v) * rows[(size_t)m * a->cols + k];     \
        for (int m = 0; m < M; m++)                                                              \
            for (int v = 0; v < 4; v++)                                                          \
                put(to, w, row + m, panel * PANEL + LANES * v, part[m][v]);                      \
    }

TILES(TILE_INT8)
TILES(TILE_BFLOAT16)
TILES(TILE_FLOAT32)

typedef void (*tile)(const operand *, int, const matrix *, int, target *);
#define NAMED(kind) {kind##_1, kind##_2, kind##_3, kind##_4, kind##_5, kind##_6}
static const tile tiles[3][ROWS] = {NAMED(float32), NAMED(bfloat16), NAMED(int8)};

/* A product, cut into bands of rows and panels of channels. */
typedef struct {
    const operand *a;
    const matrix *w;
    target to;
    int rows, band, panels;
} product;

static void multiply_items(void *arg, int begin, int end) {
    product *p = arg;
    for (int item = begin; item < end; item++) {
        int first = item / p->panels * p->band;
        int last = first + p->band < p->rows ? first + p->band : p->rows;
        int left = last - first, count = (left + ROWS - 1) / ROWS;
        for (int row = first; left; count--) { /* tiles as equal as they can be */
            int take = (left + count - 1) / count;
            tiles[p->w->kind][take - 1](p->a, row, p->w, item % p->panels, &p->to);
            row += take, left -= take;
        }
    }
}

static void multiply(const operand *a, int rows, const matrix *w, target to, pool *threads) {
    product p = {a, w, to, rows, 96, padded(w->rows, PANEL) / PANEL};
    int bands = (rows + p.band - 1) / p.band, grain = p.panels / (4 * pool_size(threads));
    pool_run(threads, multiply_items, &p, bands * p.panels, grain > 1 ? grain : 1);
}
