/* What the kernels and the library share: a packed model, its cache, the threads. */
#ifndef CODEWRIGHT_MODEL_H
#define CODEWRIGHT_MODEL_H

#include <stddef.h>
#include <stdint.h>

#define PANEL 64 /* output channels that lie together in a packed matrix */
#define BLOCK 16 /* positions in a block of the cache */

enum { FLOAT32, BFLOAT16, INT8 };
enum { RMS, LAYER };
enum { SWIGLU, GELU, GELU_TANH };

/* Packed by panels of 64 rows: [rows/64][cols/group][64][group], group 1, 2 or 4 by kind. */
typedef struct {
    int kind, rows, cols;
    void *data;
    float *scale; /* of each row, where it is int8 */
    float *bias;  /* or NULL */
} matrix;

typedef struct {
    matrix qkv, out, up, down;
    float *attention_norm, *attention_norm_bias;
    float *feed_norm, *feed_norm_bias;
    float *q_norm, *k_norm; /* or NULL */
    int window;             /* 0: none */
} layer;

/* In the order in which Python writes it: engine/native.py. */
typedef struct {
    int32_t layers, width, heads, kv_heads, head_dim, inner, vocabulary, context;
    int32_t kind, norm, activation, tied;
    float eps;
} shape;

typedef struct {
    shape of;
    layer *layers;
    matrix embedding, head; /* a tied head is the embedding */
    float *norm, *norm_bias;
    float *cos, *sin; /* [context][head_dim / 2] */
    void *space;      /* to work in, of `space_bytes`; grown by a step that needs more */
    size_t space_bytes;
} model;

/* Keys and values: [layers][blocks][kv_heads][key, value], each BLOCK · head_dim numbers. */
typedef struct {
    int blocks;
    size_t number; /* bytes of one */
    unsigned char *data;
    size_t bytes;
} cache;

/* Tokens to read: row t is token ids[t] at positions[t] of the sequence whose blocks are
   tables[table[t]]. Logits are wanted of what follows the rows `wanted`. */
typedef struct {
    int rows;
    const int32_t *ids, *positions, *table, *tables;
    int stride;
    int count;
    const int32_t *wanted;
    float *logits; /* [count][vocabulary padded to PANEL] */
} batch;

/* How the next token of a row is drawn; in the order of engine/native.py. */
typedef struct {
    float temperature, top_p, min_p;
    int32_t top_k;
    uint64_t key;
    int64_t step;
} manner;

typedef struct pool pool;
typedef void (*job)(void *arg, int begin, int end);
void pool_run(pool *threads, job what, void *arg, int items, int grain);
int pool_size(const pool *threads);

/* What is built once for each set of instructions. */
typedef struct {
    const char *name;
    void (*pack)(matrix *to, const void *values);
    int (*forward)(model *m, cache *c, const batch *b, pool *threads);
    void (*sample)(float *logits, int rows, int vocabulary, int stride, const manner *manners,
                   int32_t *ids, float *scores, pool *threads);
} kernels;

static inline int padded(int count, int to) { return (count + to - 1) / to * to; }

#endif
