/* The vectors of static_vectors.py: for each piece the rows of its words, added up by field. */
#include <math.h>
#include <stdlib.h>

#include "scan.h"

#define PUBLIC __attribute__((visibility("default")))

enum { BORDER = 0x1F, END = 0x1E };

/* Words and where their rows are. Slots hold a word's number plus one; begins has one more. */
typedef struct {
    u8 *words;
    u32 *begins, *slots, mask, count, width;
    float *rows;
} sums_table;

/* Returns the slot of a word, or the empty one where it would be. */
static u32 slot_of(const sums_table *table, const u8 *word, size_t size)
{
    u32 slot = hash_bytes(word, (u32)size) & table->mask;
    for (; table->slots[slot]; slot = (slot + 1) & table->mask) {
        u32 at = table->slots[slot] - 1, begin = table->begins[at];
        if (table->begins[at + 1] - begin - 1 == size && !memcmp(table->words + begin, word, size))
            break;
    }
    return slot;
}

PUBLIC void cw_sums_free(sums_table *table)
{
    if (table)
        free(table->words), free(table->begins), free(table->slots), free(table->rows);
    free(table);
}

/* Takes `count` words, each with a line feed behind it, and as many rows of `width` numbers.
 * Returns NULL where there is not enough memory, or words and rows do not fit. */
PUBLIC sums_table *cw_sums_new(const u8 *words, size_t size, const float *rows, u32 count, u32 width)
{
    sums_table *table = size < UINT32_MAX && count < 1u << 28 ? calloc(1, sizeof *table) : NULL;
    if (!table)
        return NULL;
    u32 room = 16;
    while (room < 2 * count)
        room *= 2;
    size_t numbers = (size_t)count * width;
    table->mask = room - 1, table->width = width;
    table->words = malloc(size + 1);
    table->begins = malloc(((size_t)count + 1) * sizeof *table->begins);
    table->slots = calloc(room, sizeof *table->slots);
    table->rows = malloc((numbers + 1) * sizeof *table->rows);
    if (!table->words || !table->begins || !table->slots || !table->rows)
        goto failed;
    memcpy(table->words, words, size);
    memcpy(table->rows, rows, numbers * sizeof *rows);
    table->begins[0] = 0;
    for (u32 at = 0; at < size;) {
        const u8 *end = memchr(words + at, '\n', size - at);
        if (!end || table->count == count)
            goto failed;
        u32 next = (u32)(end - words) + 1;
        table->begins[++table->count] = next;
        /* Of a word that comes twice the last one counts, as in a dictionary. */
        table->slots[slot_of(table, words + at, next - 1 - at)] = table->count;
        at = next;
    }
    if (table->count == count)
        return table;
failed:
    cw_sums_free(table);
    return NULL;
}

static int by_number(const void *one, const void *other)
{
    u32 a = *(const u32 *)one, b = *(const u32 *)other;
    return (a > b) - (a < b);
}

/* Adds a field to a piece's sum: its rows, each once, in the order of the table, so that every
 * rounding is the same whatever the order of the words. */
static void add_field(const sums_table *table, u32 *places, u32 found, float weight, float *sum, float *field)
{
    u32 width = table->width;
    qsort(places, found, sizeof *places, by_number);
    memset(field, 0, width * sizeof *field);
    for (u32 i = 0; i < found; i++) {
        const float *row = table->rows + (size_t)places[i] * width;
        for (u32 j = 0; j < width; j++)
            field[j] += row[j];
    }
    float scale = weight / sqrtf((float)found);
    for (u32 j = 0; j < width; j++)
        sum[j] += field[j] * scale;
}

/* Adds up `pieces` pieces, given with END between them, BORDER between fields and spaces between
 * words, into as many rows of zeros. Returns 1 where it was done, 0 where there is not enough
 * memory or the text has others than `fields` fields in each of so many pieces. */
PUBLIC int cw_sums(const sums_table *table, const u8 *text, size_t size, const float *weights, u32 fields, u32 pieces, float *sums)
{
    u32 *places = malloc((size / 2 + 2) * sizeof *places), found = 0, field = 0, piece = 0;
    u32 *met = calloc((size_t)table->count + 1, sizeof *met), mark = 1; /* the mark of the field that had a word last */
    float *added = malloc((table->width + 1) * sizeof *added);
    int done = 0;
    if (!places || !met || !added || !pieces)
        goto end;
    for (const u8 *at = text, *last = text + size;; at++) {
        const u8 *word = at;
        while (at < last && *at != ' ' && *at != BORDER && *at != END)
            at++;
        if (at > word) {
            u32 place = table->slots[slot_of(table, word, (size_t)(at - word))];
            if (place && met[place] != mark)
                met[place] = mark, places[found++] = place - 1;
        }
        if (at < last && *at == ' ')
            continue;
        if (field >= fields || piece >= pieces)
            goto end;
        if (found)
            add_field(table, places, found, weights[field], sums + (size_t)piece * table->width, added);
        found = 0, mark++, field++;
        if (at < last && *at == BORDER)
            continue;
        if (field != fields)
            goto end;
        field = 0, piece++;
        if (at == last)
            break;
    }
    done = piece == pieces;
end:
    free(places), free(met), free(added);
    return done;
}
