/* What is called from outside. */
#include <stdlib.h>

#include "scan.h"

#define PUBLIC __attribute__((visibility("default")))

#ifndef SOURCES
#define SOURCES ""
#endif

PUBLIC const char *cw_sources(void) { return SOURCES; }

static u32 count_lines(const u8 *text, u32 size)
{
    u32 lines = 0;
    const u8 *end = text + size, *at = text, *found;
    while ((found = memchr(at, '\n', (size_t)(end - at))))
        lines++, at = found + 1;
    if (size && memchr(text, '\r', size))
        for (u32 i = 0; i < size; i++)
            lines += text[i] == '\r' && !(i + 1 < size && text[i + 1] == '\n');
    return lines + (size && text[size - 1] != '\n' && text[size - 1] != '\r');
}

/* Scans UTF-8 that a NUL follows. wrong: what is to be said in place of the first error, if not
 * empty. Returns memory to be freed with cw_scan_free, NULL where there is not enough: six sizes and
 * the count of lines, then the facts, the names that are mentioned, and if `whole` the names of
 * definitions, and places, words and shapes of pieces. */
PUBLIC u8 *cw_scan(const u8 *text, size_t size, const u8 *wrong, size_t wrong_size, int whole)
{
    scanner *s = calloc(1, sizeof *s);
    u8 *volatile result = NULL;
    if (!s || size > INT32_MAX)
        goto end;
    s->text = text, s->size = (u32)size;
    if (!setjmp(s->no_memory)) {
        u32 numbers[NUMBERS] = {0}, *lines = &numbers[NUMBERS - 1];
        *lines = count_lines(text, (u32)size);
        prepare(s);
        module(s);
        resolve(s);
        write_blob(s, *lines, wrong, (u32)wrong_size, numbers);
        if (whole)
            write_pieces(s, *lines, numbers + 2);
        memcpy(s->out.at, numbers, BEFORE);
        result = s->out.at;
        s->out.at = NULL;
    }
    release(s);
end:
    free(s);
    return result;
}

PUBLIC void cw_scan_free(u8 *result) { free(result); }
