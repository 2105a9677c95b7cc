/* What reading.py keeps beside the facts, for Python: the pieces of chunks.py with their words, and
 * the shapes of bodies. Functions do what those of the same name do there, line for line. */
#define _GNU_SOURCE /* memmem */
#include <stdlib.h>

#include "scan.h"

enum { LONGEST = 80, SHORTEST = 30, MOST = 1 << 16, BORDER = 0x1F, END = 0x1E };

typedef struct { u32 owner, first, last; } stretch;

static int is_white(u8 c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static void split(scanner *s, u32 count)
{
    s->lines = take(s, ((size_t)count + 1) * sizeof *s->lines);
    s->line_count = count;
    u32 at = 0;
    for (u32 i = 0; i < count; i++) {
        u32 end = at;
        while (end < s->size && s->text[end] != '\n' && s->text[end] != '\r')
            end++;
        s->lines[i] = (span_t){at, end};
        at = end + (end < s->size ? newline_at(s, end) : 0);
    }
    s->lines[count] = (span_t){s->size, s->size};
}

static int is_remark(const scanner *s, u32 line)
{
    span_t l = s->lines[line - 1];
    const u8 *t = s->text;
    while (l.start < l.end && (t[l.start] == ' ' || t[l.start] == '\t'))
        l.start++;
    if (l.start == l.end)
        return 0;
    u8 c = t[l.start], next = l.start + 1 < l.end ? t[l.start + 1] : 0;
    return c == '#' || c == '*' || (c == '/' && (next == '/' || next == '*')) || ((c == '-' || c == ';') && next == c);
}

static int is_empty(const scanner *s, u32 line)
{
    span_t l = s->lines[line - 1];
    for (u32 at = l.start; at < l.end; at++)
        if (!is_white(s->text[at]) && (!s->text[at] || !strchr("{}()[];,", s->text[at])))
            return 0;
    return 1;
}

static int goes_on(const scanner *s, span_t l)
{
    static const char *const WORDS[] = {"else", "elif", "except", "finally", "catch", "case", "default"};
    const u8 *t = s->text;
    while (l.start < l.end && (t[l.start] == ' ' || t[l.start] == '\t'))
        l.start++;
    u32 size = l.end - l.start;
    if (size && (t[l.start] == ')' || t[l.start] == ']' || t[l.start] == '}'))
        return 1;
    for (u32 i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        u32 length = (u32)strlen(WORDS[i]);
        if (size < length || memcmp(t + l.start, WORDS[i], length))
            continue;
        u8 next = size > length ? t[l.start + length] : 0;
        if (!(next == '_' || (next >= '0' && next <= '9') || ((next | 32) >= 'a' && (next | 32) <= 'z')))
            return 1;
    }
    return 0;
}

/* Numbers the lines by how good a piece's beginning they are: the least is best. */
static uint64_t open_at(const scanner *s, u32 line)
{
    span_t l = s->lines[line - 1], before = s->lines[line - 2];
    u32 bare = l.start;
    while (bare < l.end && is_white(s->text[bare]))
        bare++;
    while (before.start < before.end && is_white(s->text[before.start]))
        before.start++;
    uint64_t bad = bare == l.end || goes_on(s, l), gap = before.start == before.end;
    return bad << 40 | (uint64_t)(bare - l.start) << 1 | !gap;
}

/* Returns stretches of one owner, the innermost that has lines of its own. */
static u32 code(scanner *s, stretch *runs)
{
    u32 *owners = take(s, ((size_t)s->line_count + 1) * sizeof *owners), count = 0;
    memset(owners, 0, s->line_count * sizeof *owners);
    for (u32 i = 0; i < s->order_count; i++) {
        const draft_t *d = s->order[i];
        if (d->kind != KIND_CLASS && d->kind != KIND_FUNCTION && d->kind != KIND_METHOD)
            continue;
        u32 first = d->doc && d->doc < d->first ? d->doc : d->first;
        for (u32 line = first ? first : 1; line <= d->end && line <= s->line_count; line++)
            owners[line - 1] = i + 1;
    }
    for (u32 begin = 0, at = 1; begin < s->line_count; begin = at++) {
        while (at < s->line_count && owners[at] == owners[at - 1])
            at++;
        runs[count++] = (stretch){owners[begin], begin + 1, at};
    }
    return count;
}

static u32 settled(const scanner *s, const stretch *runs, u32 count, stretch *done)
{
    u32 made = 0, begin = 1;
    for (u32 at = 0; at < count; at++) {
        u32 last = runs[at].last, nothing = begin;
        int more = at + 1 < count, remarks = 1;
        while (more && last >= runs[at].first && is_remark(s, last))
            last--;
        while (nothing <= last && is_empty(s, nothing))
            nothing++;
        for (u32 line = nothing; remarks && line <= last; line++)
            remarks = is_empty(s, line) || is_remark(s, line);
        if (made)
            done[made - 1].last = nothing - 1, begin = nothing;
        if (nothing > last || (remarks && made && more))
            continue;
        done[made++] = (stretch){runs[at].owner, begin, last};
        begin = last + 1;
    }
    if (begin <= s->line_count) {
        if (made)
            done[made - 1].last = s->line_count;
        else
            done[made++] = (stretch){0, begin, s->line_count};
    }
    return made;
}

/* Writes text, borders as spaces, up to a place. */
static void tell(scanner *s, u32 end, const u8 *text, size_t size)
{
    size_t room = end - s->told.count;
    size = size < room ? size : room;
    while (s->told.count + size > s->told.room)
        grow(s, (void **)&s->told.at, &s->told.room, s->told.room + 1, 1);
    for (size_t i = 0; i < size; i++)
        s->told.at[s->told.count++] = text[i] == BORDER || text[i] == END ? ' ' : text[i];
}

static void mark(scanner *s, u8 what) { *PUSH(s, s->told) = what; }

static const draft_t *definition_of(const scanner *s, u32 ordinal) { return ordinal ? s->order[ordinal - 1] : s->drafts.at; }

static void tell_name(scanner *s, u32 ordinal)
{
    const draft_t *d = definition_of(s, ordinal);
    u32 above = s->drafts.at[d->parent].ordinal;
    if (ordinal && above && above < ordinal) {
        tell_name(s, above);
        tell(s, UINT32_MAX, (const u8 *)".", 1);
    }
    tell(s, UINT32_MAX, s->names.at[d->name].text, s->names.at[d->name].size);
}

static void tell_line(scanner *s, u32 end, u32 line, int *several)
{
    if ((*several)++)
        tell(s, end, (const u8 *)"\n", 1);
    tell(s, end, s->text + s->lines[line - 1].start, s->lines[line - 1].end - s->lines[line - 1].start);
}

/* Writes a piece's place and its three fields. said: of each line the last piece whose head has it. */
static void piece(scanner *s, stretch p, u32 ordinal, u32 *said, u32 number)
{
    i32 place[3] = {(i32)ordinal, (i32)p.first, (i32)p.last};
    memcpy(s->places + 3 * (size_t)(number - 1), place, sizeof place);
    u32 both[2] = {p.owner, ordinal};
    int several = 0;
    tell_name(s, ordinal);
    mark(s, BORDER);
    u32 end = s->told.count + MOST;
    for (u32 i = 0; i < 1 + (ordinal != p.owner); i++) {
        const draft_t *d = definition_of(s, both[i]);
        if (both[i] && p.first <= d->line && d->line <= p.last) {
            const name_t *text = &s->names.at[d->said];
            if (several++)
                tell(s, end, (const u8 *)"\n", 1);
            tell(s, end, text->text, text->size);
            for (u32 line = d->line; line < d->body && line <= s->line_count; line++)
                if (!is_remark(s, line))
                    said[line - 1] = number;
        }
        if (d->doc && p.first <= d->doc && d->doc <= p.last)
            for (u32 line = d->doc; line <= d->doc_end && line <= p.last; line++) {
                tell_line(s, end, line, &several);
                said[line - 1] = number;
            }
    }
    mark(s, BORDER);
    end = s->told.count + MOST, several = 0;
    for (u32 line = p.first; line <= p.last; line++)
        if (said[line - 1] != number)
            tell_line(s, end, line, &several);
    mark(s, END);
}

/* A definition that is no place for others, and its line. */
typedef struct { u32 line, ordinal; } member;

static int by_line(const void *one, const void *other)
{
    const member *a = one, *b = other;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->ordinal < b->ordinal ? -1 : a->ordinal > b->ordinal;
}

static u32 members(scanner *s, member *found)
{
    u32 count = 0;
    for (u32 i = 0; i < s->order_count; i++) {
        u8 kind = s->order[i]->kind;
        if (kind != KIND_CLASS && kind != KIND_FUNCTION && kind != KIND_METHOD)
            found[count++] = (member){s->order[i]->line, i + 1};
    }
    qsort(found, count, sizeof *found, by_line);
    return count;
}

/* Returns what a piece is of: its owner, or the only one of the owner's variables that is in it. */
static u32 ordinal_of(const scanner *s, stretch p, const member *all, u32 count)
{
    u32 line = definition_of(s, p.owner)->line, inside = 0, low = 0, high = count;
    if (p.owner && p.first <= line && line <= p.last)
        return p.owner;
    while (low < high) {
        u32 middle = (low + high) / 2;
        if (all[middle].line < p.first)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < count && all[low].line <= p.last; low++)
        if (s->drafts.at[definition_of(s, all[low].ordinal)->parent].ordinal == p.owner) {
            if (inside)
                return p.owner;
            inside = all[low].ordinal;
        }
    return inside ? inside : p.owner;
}

/* Returns the count of pieces, whose places are in `places` and whose text is in `told`. */
static u32 pieces(scanner *s)
{
    size_t most = (size_t)s->line_count + 1;
    stretch *runs = take(s, most * sizeof *runs), *done = take(s, most * sizeof *done);
    u32 *said = take(s, most * sizeof *said), number = 0;
    member *all = take(s, ((size_t)s->order_count + 1) * sizeof *all);
    memset(said, 0, most * sizeof *said);
    s->places = take(s, 3 * most * sizeof *s->places);
    u32 count = settled(s, runs, code(s, runs), done), variables = members(s, all);
    for (u32 i = 0; i < count; i++) {
        stretch p = done[i];
        u32 last = p.last;
        while (last >= p.first + LONGEST) {
            u32 latest = last - SHORTEST + 1, at = 0;
            latest = p.first + LONGEST < latest ? p.first + LONGEST : latest;
            uint64_t best = UINT64_MAX, here;
            for (u32 line = latest; line >= p.first + SHORTEST; line--)
                if ((here = open_at(s, line)) < best)
                    best = here, at = line;
            p.last = at - 1;
            piece(s, p, ordinal_of(s, p, all, variables), said, ++number);
            p.first = at;
        }
        p.last = last;
        piece(s, p, ordinal_of(s, p, all, variables), said, ++number);
    }
    if (number)
        s->told.count--; /* END stands between */
    return number;
}

static u32 SUMS[256];

static void __attribute__((constructor)) fill(void)
{
    for (u32 i = 0; i < 256; i++) {
        u32 sum = i;
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? 0xEDB88320u : 0);
        SUMS[i] = sum;
    }
}

static u32 crc32_of(u32 sum, const u8 *from, const u8 *to)
{
    while (from < to)
        sum = sum >> 8 ^ SUMS[(sum ^ *from++) & 255];
    return sum;
}

static u32 shape_of(const scanner *s, const draft_t *d)
{
    if (!d->body || d->body > d->end)
        return 0;
    u32 first = d->body - 1 < s->line_count ? d->body - 1 : s->line_count;
    u32 end = d->end < s->line_count ? d->end : s->line_count;
    const u8 *from = s->text + s->lines[first].start, *to = s->text + s->lines[end].start, *met;
    if (d->body == d->line)
        from = (met = memchr(from, ':', (size_t)(to - from))) ? met + 1 : to;
    while (from < to && is_white(*from))
        from++;
    while (from < to && is_white(to[-1]))
        to--;
    const name_t *name = &s->names.at[d->name];
    u32 sum = UINT32_MAX;
    while (name->size && (met = memmem(from, (size_t)(to - from), name->text, name->size))) {
        sum = crc32_of(sum, from, met);
        from = met + name->size;
    }
    sum = ~crc32_of(sum, from, to);
    return sum ? sum : 1;
}

/* Writes names, places, words and shapes behind what is in `out`, and their sizes. */
void write_pieces(scanner *s, u32 lines, u32 sizes[4])
{
    u32 begin = s->out.count, number = 0; /* the file itself has no shape */
    for (u32 i = 0; i < s->order_count; i++) {
        const name_t *n = &s->names.at[s->order[i]->name];
        put_bytes(s, (const u8 *)"\n", 1);
        put_bytes(s, n->text, n->size);
    }
    sizes[0] = s->out.count - begin;
    split(s, lines);
    sizes[1] = pieces(s) * 3 * (u32)sizeof *s->places;
    put_bytes(s, (const u8 *)s->places, sizes[1]);
    s->said = cw_words(s->told.at, s->told.count, 1);
    if (!s->said)
        longjmp(s->no_memory, 1);
    memcpy(&sizes[2], s->said, 4);
    put_bytes(s, s->said + 4, sizes[2]);
    put_bytes(s, (const u8 *)&number, sizeof number);
    for (u32 i = 0; i < s->order_count; i++) {
        number = shape_of(s, s->order[i]);
        put_bytes(s, (const u8 *)&number, sizeof number);
    }
    sizes[3] = (s->order_count + 1) * (u32)sizeof number;
}
