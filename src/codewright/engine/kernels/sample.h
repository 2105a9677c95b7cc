/* Drawing tokens, as engine/sampling.py says it: the same numbers, the same order, no sorting. */
#include <stdlib.h>

#include "model.h"
#include "simd.h"

#define ATTEMPTS 16 /* as engine/sampling.py */
#define COLDEST 1e-5f
#define CHUNK 256
#define GOLDEN 0x9E3779B97F4A7C15ull

static uint64_t mixed(uint64_t word) {
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9ull;
    word = (word ^ (word >> 27)) * 0x94D049BB133111EBull;
    return word ^ (word >> 31);
}

static double uniform(const manner *how, int attempt) {
    uint64_t place = ((uint64_t)how->step * (ATTEMPTS + 1) + attempt + 1) * GOLDEN;
    return (double)(mixed(how->key + place) >> 11) * 0x1p-53;
}

/* The sum of the weights that are at least (strictly: above) `least`, and how many they are. */
static double above(const float *weights, int count, float least, int strictly, int *found) {
    double total = 0;
    int many = 0;
    for (int start = 0; start < count; start += CHUNK) {
        int end = start + CHUNK < count ? start + CHUNK : count;
        f32x16 part = {0};
        i32x16 hits = {0};
        for (int v = start; v < end; v += LANES) {
            f32x16 w = load(weights + v);
            i32x16 inside = strictly ? w > least : w >= least;
            part += (f32x16)((i32x16)w & inside);
            hits -= inside;
        }
        total += sum(part);
        for (int lane = 0; lane < LANES; lane++) many += hits[lane];
    }
    if (found) *found = many;
    return total;
}

/* The largest weight w for which `enough` of what is at least w: found in the bits of floats. */
static float border(const float *weights, int count, double mass, int many) {
    uint32_t low = 0, high = 0x7f7fffffu; /* at least low is enough, at least high is not */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        float least;
        memcpy(&least, &middle, 4);
        int found;
        double total = above(weights, count, least, 0, &found);
        if (many ? found >= many : total >= mass)
            low = middle;
        else
            high = middle;
    }
    float least;
    memcpy(&least, &low, 4);
    return least;
}

static void cut(float *weights, int count, float least) {
    for (int v = 0; v < count; v += LANES) {
        f32x16 w = load(weights + v);
        store(weights + v, (f32x16)((i32x16)w & (w >= least)));
    }
}

/* The token where the running sum of the weights first passes `place`. */
static int inverse(const float *weights, int count, double place) {
    int last = 0;
    for (int start = 0; start < count; start += CHUNK) {
        int end = start + CHUNK < count ? start + CHUNK : count;
        f32x16 part = {0};
        for (int v = start; v < end; v += LANES) part += load(weights + v);
        double mass = sum(part);
        if (mass > 0) {
            if (place < mass) {
                for (int v = start; v < end; v++) {
                    if (weights[v] <= 0) continue;
                    last = v;
                    if (place < weights[v]) return v;
                    place -= weights[v];
                }
                return last;
            }
            for (int v = end - 1; v >= start; v--)
                if (weights[v] > 0) {
                    last = v;
                    break;
                }
            place -= mass;
        }
    }
    return last; /* rounding carried it past the end */
}

static int drawn(float *weights, int count, const manner *how) {
    if (how->top_k > 0 && how->top_k < count) cut(weights, count, border(weights, count, 0, how->top_k));
    if (how->min_p > 0) cut(weights, count, how->min_p < 1 ? how->min_p : 1); /* the largest is 1 */
    double total = above(weights, count, 0, 0, NULL);
    int token = inverse(weights, count, uniform(how, 0) * total);
    if (how->top_p >= 1) return token;
    for (int attempt = 1;; attempt++) { /* inside the nucleus: what is above it is less than top_p */
        float own = weights[token];
        if (own > (1 - how->top_p) * total) return token;
        double over = above(weights, count, own, 1, NULL);
        if (over <= 0 || over < how->top_p * total) return token;
        if (attempt == ATTEMPTS) break;
        token = inverse(weights, count, uniform(how, attempt) * total);
    }
    float least = border(weights, count, how->top_p * total, 0);
    cut(weights, count, least < 1 ? least : 1);
    return inverse(weights, count, uniform(how, ATTEMPTS) * above(weights, count, 0, 0, NULL));
}

typedef struct {
    float *logits;
    int vocabulary, stride;
    const manner *manners;
    int32_t *ids;
    float *scores;
} draw;

static void draw_rows(void *arg, int begin, int end) {
    draw *d = arg;
    int count = padded(d->vocabulary, LANES);
    for (int row = begin; row < end; row++) {
        float *logits = d->logits + (size_t)row * d->stride;
        const manner *how = d->manners + row;
        for (int v = d->vocabulary; v < count; v++) logits[v] = -INFINITY;
        f32x16 tops = all(-INFINITY);
        for (int v = 0; v < count; v += LANES) tops = larger(tops, load(logits + v));
        float top = largest(tops);
        double total = 0;
        int token = -1;
        for (int start = 0; start < count; start += CHUNK) {
            int stop = start + CHUNK < count ? start + CHUNK : count;
            f32x16 part = {0};
            for (int v = start; v < stop; v += LANES) part += exp_16(load(logits + v) - top);
            total += sum(part);
        }
        if (how->temperature < COLDEST) {
            for (int v = 0; token < 0 && v < d->vocabulary; v++)
                if (logits[v] == top) token = v;
            if (token < 0) token = 0; /* no number is the largest: the score will tell */
            d->scores[row] = (float)-log(total);
        } else {
            float by = LOG2E / how->temperature;
            for (int v = 0; v < count; v += LANES) store(logits + v, exp2_16((load(logits + v) - top) * by));
            float *weights = logits;
            token = drawn(weights, count, how);
            d->scores[row] = (float)(log(weights[token]) * how->temperature - log(total));
        }
        d->ids[row] = token;
    }
}

static void sample(float *logits, int rows, int vocabulary, int stride, const manner *manners, int32_t *ids,
                   float *scores, pool *threads) {
    draw d = {logits, vocabulary, stride, manners, ids, scores};
    pool_run(threads, draw_rows, &d, rows, 4);
}
