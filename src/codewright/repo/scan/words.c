/* The words of a text, as words.py has them: identifiers whole and in their parts, by their stems. */
#include <stdlib.h>

#include "scan.h"

#define PUBLIC __attribute__((visibility("default")))
#define LONGEST 64

enum { W_NONE, W_SMALL, W_CAPITAL, W_DIGIT, W_UNDERSCORE, W_ALONE };

/* Reads a character; returns its size. What is not UTF-8 is a byte of no kind. */
static u32 character(const u8 *t, const u8 *end, u32 *code)
{
    u8 c = *t;
    *code = c;
    if (c < 0x80)
        return 1;
    u32 more = c >= 0xF0 && c < 0xF5 ? 3 : c >= 0xE0 ? 2 : c >= 0xC2 ? 1 : 0;
    *code = 0xFFFD;
    if (c >= 0xF5 || !more || (size_t)(end - t) <= more)
        return 1;
    u32 value = c & (0x3F >> more);
    for (u32 i = 1; i <= more; i++) {
        if ((t[i] & 0xC0) != 0x80)
            return 1;
        value = value << 6 | (t[i] & 0x3F);
    }
    if ((more == 2 && (value < 0x800 || (value >= 0xD800 && value < 0xE000))) || (more == 3 && (value < 0x10000 || value > 0x10FFFF)))
        return 1;
    *code = value;
    return more + 1;
}

static int kind_of(u32 c)
{
    if (c < 0x80)
        return c >= 'a' && c <= 'z' ? W_SMALL : c >= 'A' && c <= 'Z' ? W_CAPITAL : c >= '0' && c <= '9' ? W_DIGIT
            : c == '_' ? W_UNDERSCORE : W_NONE;
    if (c < 0xC0 || c == 0xD7 || c == 0xF7)
        return W_NONE;
    if (c <= 0x1FFF)
        return (c <= 0xDE) || (c >= 0x391 && c <= 0x3A9) || (c >= 0x400 && c <= 0x42F) ? W_CAPITAL : W_SMALL;
    return c >= 0x3040 && c <= 0xD7AF ? W_ALONE : W_NONE;
}

static u32 small(u32 c)
{
    if ((c >= 0x41 && c <= 0x5A) || (c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F))
        return c + 0x20;
    return c >= 0x400 && c <= 0x40F ? c + 0x50 : c;
}

static int vowel(u8 c) { return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y'; }

/* Cuts a word to its stem in place; returns its size. */
static u32 stem(u8 *w, u32 n)
{
    for (u32 i = 0; i < n; i++)
        if (w[i] < 'a' || w[i] > 'z')
            return n;
    if (n > 4 && !memcmp(w + n - 3, "ies", 3))
        w[n - 3] = 'y', n -= 2;
    else if (n > 3 && w[n - 1] == 's' && w[n - 2] != 's' && w[n - 2] != 'u' && w[n - 2] != 'i')
        n--;
    u32 cut = n > 5 && !memcmp(w + n - 3, "ing", 3) ? 3 : n > 4 && !memcmp(w + n - 2, "ed", 2) ? 2 : 0;
    if (cut) {
        int sounded = 0;
        for (u32 i = 0; i < n - cut; i++)
            sounded |= vowel(w[i]);
        if (sounded) {
            n -= cut;
            if (w[n - 1] == w[n - 2] && memchr("bdgmnprt", w[n - 1], 8))
                n--;
        }
    }
    return n > 4 && w[n - 1] == 'e' ? n - 1 : n;
}

typedef struct { u8 *at; size_t size, room; } text;

/* Makes room for so many more bytes. */
static int room_for(text *out, size_t more)
{
    if (out->size + more <= out->room)
        return 1;
    size_t room = out->room * 2 + more;
    u8 *made = realloc(out->at, room);
    if (!made)
        return 0;
    out->at = made, out->room = room;
    return 1;
}

static int add(text *out, const u8 *word, u32 size)
{
    if (size < 2 || size > LONGEST)
        return 1;
    if (!room_for(out, size + 1))
        return 0;
    if (out->size > 4 && out->at[out->size - 1] > ' ')
        out->at[out->size++] = ' ';
    memcpy(out->at + out->size, word, size);
    out->size += stem(out->at + out->size, size);
    return 1;
}

static u32 encode(u32 c, u8 *to)
{
    if (c < 0x80)
        return *to = (u8)c, 1;
    if (c < 0x800)
        return to[0] = (u8)(0xC0 | c >> 6), to[1] = (u8)(0x80 | (c & 63)), 2;
    return to[0] = (u8)(0xE0 | c >> 12), to[1] = (u8)(0x80 | (c >> 6 & 63)), to[2] = (u8)(0x80 | (c & 63)), 3;
}

/* Says whether a part begins at a character: before is the kind before it in its run, after after it. */
static int cut_before(int before, int here, int after)
{
    if (before == W_UNDERSCORE || before == W_NONE)
        return 1;
    if ((before == W_DIGIT) != (here == W_DIGIT))
        return 1;
    if (here != W_CAPITAL)
        return 0;
    return before == W_SMALL || (before == W_CAPITAL && after == W_SMALL);
}

/* Writes the words of one run. */
static int run_words(text *out, const u8 *t, const u8 *end)
{
    u8 whole[LONGEST + 8], part[LONGEST + 8];
    u32 size = 0, parts = 0, code, next_code, part_size = 0;
    int before = W_NONE;
    for (int pass = 0; pass < 2; pass++) {
        before = W_NONE, part_size = 0;
        for (const u8 *at = t; at < end;) {
            u32 width = character(at, end, &code);
            int kind = kind_of(code), after = W_NONE;
            at += width;
            if (at < end) {
                character(at, end, &next_code);
                after = kind_of(next_code);
            }
            if (kind != W_UNDERSCORE) {
                if (cut_before(before, kind, after)) {
                    if (pass && !add(out, part, part_size))
                        return 0;
                    parts += !pass, part_size = 0;
                }
                u32 *to = pass ? &part_size : &size;
                u8 *where = pass ? part : whole;
                if (*to <= LONGEST)
                    *to += encode(small(code), where + *to);
            }
            before = kind;
        }
        if (!pass) {
            if (!add(out, whole, size))
                return 0;
            if (parts < 2)
                return 1;
        }
    }
    return add(out, part, part_size);
}

/* The kind of each ASCII byte, and 0x80 for the bytes that are no ASCII. */
static u8 KINDS[256];

static void __attribute__((constructor)) fill(void)
{
    for (u32 c = 0; c < 256; c++)
        KINDS[c] = c < 0x80 ? (u8)kind_of(c) : 0x80;
}

/* Writes one ASCII word; there is room. alpha: it is nothing but a to z. */
static void put(text *out, const u8 *word, u32 size, int alpha)
{
    if (size < 2 || size > LONGEST)
        return;
    if (out->size > 4 && out->at[out->size - 1] > ' ')
        out->at[out->size++] = ' ';
    memcpy(out->at + out->size, word, size);
    u8 last = word[size - 1];
    if (alpha && (last == 's' || last == 'g' || last == 'd' || last == 'e'))
        size = stem(out->at + out->size, size);
    out->size += size;
}

/* Writes the words of a run that is ASCII, in one pass: its parts, put together, are the whole. */
static int plain_words(text *out, const u8 *t, const u8 *end)
{
    size_t size = (size_t)(end - t);
    u8 held[512], *whole = held, *made = NULL;
    u32 cuts[512], *at = cuts, parts = 0, written = 0, digits = 0;
    if (!room_for(out, 2 * size + size + 8))
        return 0;
    if (size > 500) {
        made = malloc(size * 5 + 16);
        if (!made)
            return 0;
        at = (u32 *)made, whole = made + 4 * size + 8;
    }
    int before = W_NONE;
    for (; t < end; t++) {
        int kind = KINDS[*t];
        if (kind != W_UNDERSCORE) {
            if (cut_before(before, kind, t + 1 < end ? KINDS[t[1]] : W_NONE))
                at[parts++] = written;
            digits += kind == W_DIGIT;
            whole[written++] = (u8)(kind == W_CAPITAL ? *t + 32 : *t);
        }
        before = kind;
    }
    put(out, whole, written, !digits);
    if (parts > 1)
        for (u32 i = 0; i < parts; i++) {
            u32 next = i + 1 < parts ? at[i + 1] : written;
            put(out, whole + at[i], next - at[i], whole[at[i]] > '9');
        }
    free(made);
    return 1;
}

/* Returns the words of UTF-8 with one space between, after four bytes of their size; NULL where there
 * is not enough memory. To be freed with cw_scan_free. borders: the bytes 0x1E and 0x1F stand between
 * texts, and stay; words on both sides of one have no space between. */
PUBLIC u8 *cw_words(const u8 *t, size_t size, int borders)
{
    const u8 *end = t + size, *start;
    text out = {malloc(size + size / 2 + 64), 4, size + size / 2 + 64};
    u32 code;
    if (!out.at)
        return NULL;
    while (t < end) {
        if (KINDS[*t] == W_NONE) {
            if (borders && (*t == 0x1E || *t == 0x1F)) {
                if (!room_for(&out, 1))
                    goto failed;
                out.at[out.size++] = *t;
            }
            t++;
            continue;
        }
        start = t;
        while (t < end && KINDS[*t] && KINDS[*t] < 0x80)
            t++;
        if (t == end || KINDS[*t] == W_NONE) {
            if (!plain_words(&out, start, t))
                goto failed;
            continue;
        }
        t = start;
        u32 width = character(t, end, &code);
        int kind = kind_of(code);
        t += width;
        if (kind == W_NONE)
            continue;
        if (kind == W_ALONE) {
            if (!add(&out, start, width))
                goto failed;
            continue;
        }
        while (t < end) {
            width = character(t, end, &code);
            kind = kind_of(code);
            if (kind == W_NONE || kind == W_ALONE)
                break;
            t += width;
        }
        if (!run_words(&out, start, t))
            goto failed;
    }
    if (out.size - 4 > UINT32_MAX)
        goto failed;
    u32 said = (u32)(out.size - 4);
    memcpy(out.at, &said, 4);
    return out.at;
failed:
    free(out.at);
    return NULL;
}
