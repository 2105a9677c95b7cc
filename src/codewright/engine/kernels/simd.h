/* Sixteen floats at a time, in the vector extension of GCC and Clang: the same source becomes
   AVX-512, AVX2 or plain code. Only what has no portable form is written with intrinsics. */
#ifndef CODEWRIGHT_SIMD_H
#define CODEWRIGHT_SIMD_H

#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#define LANES 16
#define INLINE static inline __attribute__((always_inline))

typedef float f32x16 __attribute__((vector_size(64)));
typedef int32_t i32x16 __attribute__((vector_size(64)));
typedef uint32_t u32x16 __attribute__((vector_size(64)));
typedef uint16_t u16x16 __attribute__((vector_size(32)));
typedef int8_t i8x16 __attribute__((vector_size(16)));

INLINE f32x16 load(const float *from) {
    f32x16 value;
    memcpy(&value, from, sizeof value);
    return value;
}

INLINE void store(float *to, f32x16 value) { memcpy(to, &value, sizeof value); }

INLINE f32x16 all(float value) { return value - (f32x16){0}; }

INLINE f32x16 larger(f32x16 a, f32x16 b) {
#if defined(__AVX512F__)
    return (f32x16)_mm512_max_ps((__m512)a, (__m512)b);
#else
    i32x16 more = a > b;
    return (f32x16)(((i32x16)a & more) | ((i32x16)b & ~more));
#endif
}

INLINE float largest(f32x16 value) {
#if defined(__AVX512F__)
    return _mm512_reduce_max_ps((__m512)value);
#else
    float most = value[0];
    for (int lane = 1; lane < LANES; lane++) most = value[lane] > most ? value[lane] : most;
    return most;
#endif
}

/* Whether one of them is above a number. */
INLINE int any_above(f32x16 value, float most) {
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask((__m512)value, _mm512_set1_ps(most), _CMP_GT_OQ) != 0;
#else
    return largest(value) > most;
#endif
}

/* Halves are added to halves: the same order in every build. */
INLINE float sum(f32x16 value) {
    float part[LANES];
    store(part, value);
    for (int half = LANES / 2; half; half /= 2)
        for (int lane = 0; lane < half; lane++) part[lane] += part[lane + half];
    return part[0];
}

INLINE f32x16 rounded(f32x16 value) {
    const f32x16 magic = all(12582912.0f); /* 1.5 · 2^23: what is below a unit falls off */
    return (value + magic) - magic;
}

/* 2^x, relative error below 2e-7; 0 below the normal numbers. */
INLINE f32x16 exp2_16(f32x16 x) {
    x = larger(x, all(-127.0f));
    f32x16 whole = rounded(x), part = x - whole;
    f32x16 y = all(1.5353362e-4f);
    y = y * part + 1.3398874e-3f;
    y = y * part + 9.6184370e-3f;
    y = y * part + 5.5503324e-2f;
    y = y * part + 2.4022647e-1f;
    y = y * part + 6.9314720e-1f;
    y = y * part + 1.0f;
    i32x16 power = (__builtin_convertvector(whole, i32x16) + 127) << 23;
    return y * (f32x16)power;
}

#define LOG2E 1.44269504088896341f

INLINE f32x16 exp_16(f32x16 x) { return exp2_16(x * LOG2E); }

/* bfloat16 is the upper half of float32; rounded to the nearest, to even between two. */
INLINE u16x16 to_bf16(f32x16 value) {
    u32x16 bits = (u32x16)value;
    bits += 0x7fffu + ((bits >> 16) & 1u);
    return __builtin_convertvector(bits >> 16, u16x16);
}

INLINE uint16_t to_bf16_1(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

INLINE float from_bf16_1(uint16_t value) {
    uint32_t bits = (uint32_t)value << 16;
    float out;
    memcpy(&out, &bits, 4);
    return out;
}

INLINE u32x16 load_pairs(const uint16_t *from) {
    u32x16 value;
    memcpy(&value, from, sizeof value);
    return value;
}

INLINE uint32_t pair_at(const uint16_t *from) {
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

/* sum + first·first + second·second, for sixteen pairs of bfloat16 and one pair for all. */
INLINE f32x16 dot_bf16(f32x16 total, u32x16 pairs, uint32_t pair) {
#if defined(__AVX512BF16__)
    return (f32x16)_mm512_dpbf16_ps((__m512)total, (__m512bh)pairs,
                                    (__m512bh)_mm512_set1_epi32((int)pair));
#else
    uint32_t low = pair << 16, high = pair & 0xffff0000u;
    float first, second;
    memcpy(&first, &low, 4);
    memcpy(&second, &high, 4);
    total += (f32x16)(pairs << 16) * first;
    return total + (f32x16)(pairs & 0xffff0000u) * second;
#endif
}

/* sum + the products of four unsigned bytes in each lane with four signed ones, the same for all. */
INLINE i32x16 dot_int8(i32x16 total, const uint8_t *weights, int32_t four) {
#if defined(__AVX512VNNI__)
    return (i32x16)_mm512_dpbusd_epi32((__m512i)total, _mm512_loadu_si512(weights),
                                       _mm512_set1_epi32(four));
#elif defined(__AVX2__)
    /* maddubs would saturate: bytes are widened to 16 bits first. */
    const int8_t *a = (const int8_t *)&four;
    const __m256i even = _mm256_set1_epi32((uint16_t)(int16_t)a[0] | (int32_t)((uint32_t)(int16_t)a[2] << 16));
    const __m256i odd = _mm256_set1_epi32((uint16_t)(int16_t)a[1] | (int32_t)((uint32_t)(int16_t)a[3] << 16));
    const __m256i mask = _mm256_set1_epi16(0x00ff);
    __m256i part[2];
    memcpy(part, &total, sizeof part);
    for (int half = 0; half < 2; half++) {
        __m256i w = _mm256_loadu_si256((const __m256i *)(weights + 32 * half));
        part[half] = _mm256_add_epi32(part[half], _mm256_madd_epi16(_mm256_and_si256(w, mask), even));
        part[half] = _mm256_add_epi32(part[half], _mm256_madd_epi16(_mm256_srli_epi16(w, 8), odd));
    }
    memcpy(&total, part, sizeof part);
    return total;
#else
    const int8_t *a = (const int8_t *)&four;
    for (int lane = 0; lane < LANES; lane++)
        for (int k = 0; k < 4; k++) total[lane] += (int32_t)weights[4 * lane + k] * a[k];
    return total;
#endif
}

#endif
