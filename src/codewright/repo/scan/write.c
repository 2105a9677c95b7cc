/* The packed form (packed.py), and text on one line. */
#include <stdio.h>

#include "scan.h"

#define LONGEST 400
#define ENOUGH (4 * LONGEST + 100)

/* Copies a string with its line ends as spaces; returns its end in the text. */
static u32 copy_string(const scanner *s, u32 at, u32 end, u8 *out, u32 *size)
{
    const u8 *t = s->text;
    u8 quote = t[at];
    u32 triple = at + 2 < end && t[at + 1] == quote && t[at + 2] == quote, line;
    for (u32 i = 0; i < (triple ? 3 : 1); i++)
        out[(*size)++] = t[at++];
    while (at < end && *size < ENOUGH) {
        u8 c = t[at];
        if (c == quote && (!triple || (at + 2 < end && t[at + 1] == quote && t[at + 2] == quote))) {
            for (u32 i = 0; i < (triple ? 3 : 1); i++)
                out[(*size)++] = t[at++];
            return at;
        }
        if (c == '\\' && at + 1 < end) {
            out[(*size)++] = c;
            c = t[++at];
            line = newline_at(s, at);
            out[(*size)++] = line ? ' ' : c;
            at += line ? line : 1;
        } else if ((line = newline_at(s, at))) {
            if (!triple)
                return at;
            out[(*size)++] = ' ';
            at += line;
        } else
            out[(*size)++] = c, at++;
    }
    return at;
}

/* Puts code on one line, as python_text.flat does; returns its size. out: ENOUGH bytes and some. */
int flat(const scanner *s, u32 start, u32 end, u8 *out)
{
    const u8 *t = s->text;
    u32 size = 0, white = 0, line;
    for (u32 at = start; at < end && size < ENOUGH;) {
        u8 c = t[at];
        if (c == ' ' || c == '\t' || c == '\f' || c == '\v') {
            white = white ? white : 1;
            at++;
            continue;
        }
        if ((line = newline_at(s, at)) || (c == '\\' && (line = newline_at(s, at + 1)))) {
            white = 2;
            at += line + (c == '\\');
            continue;
        }
        if (c == '#') {
            while (at < end && !newline_at(s, at))
                at++;
            continue;
        }
        if (white && size) {
            u8 before = out[size - 1];
            int edge = before == '(' || before == '[' || before == '{' || c == ')' || c == ']' || c == '}';
            if (!(edge && white == 2))
                out[size++] = ' ';
        }
        white = 0;
        if (c == '"' || c == '\'')
            at = copy_string(s, at, end, out, &size);
        else
            out[size++] = c, at++;
    }
    u32 characters = 0, cut = 0;
    for (u32 i = 0; i < size; i++)
        if ((out[i] & 0xC0) != 0x80) {
            if (characters == LONGEST - 1)
                cut = i;
            characters++;
        }
    if (characters > LONGEST) {
        memcpy(out + cut, "\xE2\x80\xA6", 3);
        size = cut + 3;
    }
    return (int)size;
}

static void put(scanner *s, uint64_t value)
{
    if (s->out.count + 10 > s->out.room)
        grow(s, (void **)&s->out.at, &s->out.room, s->out.count + 10, 1);
    u8 *to = s->out.at + s->out.count;
    while (value > 127)
        *to++ = (u8)(value & 127) | 128, value >>= 7;
    *to++ = (u8)value;
    s->out.count = (u32)(to - s->out.at);
}

static uint64_t zigzag(int64_t value) { return value >= 0 ? (uint64_t)value << 1 : ((uint64_t)-value << 1) - 1; }

void put_bytes(scanner *s, const u8 *bytes, u32 size)
{
    while (s->out.count + (uint64_t)size > s->out.room)
        grow(s, (void **)&s->out.at, &s->out.room, s->out.room + 1, 1);
    memcpy(s->out.at + s->out.count, bytes, size);
    s->out.count += size;
}

static u32 string(scanner *s, u32 name)
{
    if (!s->names.at[name].out) {
        *PUSH(s, s->strings) = name;
        s->names.at[name].out = s->strings.count;
    }
    return s->names.at[name].out - 1;
}

static u32 flat_string(scanner *s, u32 start, u32 end)
{
    u8 text[ENOUGH + 16];
    u32 size = (u32)flat(s, start, end, text);
    u8 *kept = take(s, size + 1);
    memcpy(kept, text, size);
    return string(s, intern(s, kept, size));
}

static void definition_out(scanner *s, draft_t *d, u32 ordinal, u32 above)
{
    put(s, string(s, d->name));
    put(s, d->kind);
    put(s, zigzag((int64_t)ordinal - s->drafts.at[d->parent].ordinal));
    put(s, zigzag((int64_t)d->first - above));
    put(s, zigzag((int64_t)d->line - d->first));
    put(s, zigzag(d->column));
    put(s, zigzag((int64_t)d->end - d->first));
    put(s, zigzag((int64_t)d->body - d->line));
    put(s, zigzag((int64_t)d->doc - d->body));
    put(s, zigzag((int64_t)d->doc_end - d->doc));
    u32 signature = d->signature > d->signature_end ? string(s, d->name) : flat_string(s, d->signature, d->signature_end);
    d->said = s->strings.at[signature];
    put(s, signature);
    put(s, d->typed == 1 ? flat_string(s, d->type, d->type_end) : string(s, d->typed == 2 ? S_TYPE_ALIAS : S_EMPTY));
    put(s, d->flags);
    put(s, d->decorator_count);
    for (u32 i = 0; i < d->decorator_count; i++) {
        span_t span = s->spans.at[d->decorators + i];
        put(s, flat_string(s, span.start, span.end));
    }
}

static void definitions_out(scanner *s)
{
    u32 above = 0;
    definition_out(s, &s->drafts.at[0], 0, 0);
    above = 1;
    for (u32 i = 0; i < s->order_count; i++) {
        definition_out(s, s->order[i], i + 1, above);
        above = s->order[i]->first;
    }
}

static int refers(const event_t *e) { return e->state != M_LOCAL && e->state != M_SELF && e->path; }

/* Numbers the paths that are used, and writes them. */
static void paths_out(scanner *s)
{
    for (u32 i = 0; i < s->events.count; i++)
        if (refers(&s->events.at[i]))
            s->paths.at[s->events.at[i].path].out = 1;
    for (u32 i = s->paths.count - 1; i; i--)
        if (s->paths.at[i].out)
            s->paths.at[s->paths.at[i].before].out = 1;
    u32 number = 0;
    s->paths.at[0].out = 0;
    for (u32 i = 1; i < s->paths.count; i++) {
        path_t *p = &s->paths.at[i];
        if (p->out) {
            p->out = ++number;
            put(s, s->paths.at[p->before].out);
            put(s, string(s, p->name));
        }
    }
}

static u32 references_out(scanner *s)
{
    u32 above = 0, count = 0;
    int64_t scope = 0;
    for (u32 i = 0; i < s->events.count; i++) {
        const event_t *e = &s->events.at[i];
        if (!refers(e))
            continue;
        const path_t *p = &s->paths.at[e->path];
        int64_t owner = s->drafts.at[e->owner].ordinal;
        s->names.at[p->name].mentioned = 1;
        put(s, ((uint64_t)p->out << 2 | e->guess) << 3 | e->binding);
        put(s, zigzag((int64_t)e->line - above) << 3 | e->use);
        put(s, e->column);
        put(s, zigzag(owner - scope));
        above = e->line, scope = owner;
        count++;
    }
    return count;
}

static void imports_out(scanner *s)
{
    u32 above = 0;
    for (u32 i = 0; i < s->imports.count; i++) {
        import_t m = s->imports.at[i];
        put(s, zigzag((int64_t)m.line - above));
        put(s, s->drafts.at[m.owner].ordinal);
        put(s, string(s, m.module));
        put(s, string(s, m.name));
        put(s, string(s, m.alias));
        above = m.line;
    }
}

static u32 error_string(scanner *s, const u8 *wrong, u32 wrong_size)
{
    if (wrong_size || !s->error)
        return string(s, intern(s, wrong, wrong_size));
    u8 *text = take(s, strlen(s->error) + 32);
    int size = sprintf((char *)text, "line %u: %s", s->error_line, s->error);
    return string(s, intern(s, text, (u32)size));
}

/* Writes the blob into `out` behind BEFORE bytes, then the names that are mentioned, and both sizes. */
void write_blob(scanner *s, u32 lines, const u8 *wrong, u32 wrong_size, u32 sizes[2])
{
    draft_t *module = &s->drafts.at[0];
    module->name = S_EMPTY, module->first = module->line = 1, module->end = lines ? lines : 1;
    module->signature = 1, module->signature_end = 0;
    u32 language = string(s, S_PYTHON), error = error_string(s, wrong, wrong_size), at[5];
    paths_out(s), at[0] = s->out.count;
    definitions_out(s), at[1] = s->out.count;
    u32 references = references_out(s);
    at[2] = s->out.count;
    imports_out(s), at[3] = s->out.count;
    uint64_t texts = 0;
    for (u32 i = 0; i < s->strings.count; i++) {
        put(s, s->names.at[s->strings.at[i]].size);
        texts += s->names.at[s->strings.at[i]].size;
    }
    at[4] = s->out.count;
    u8 *bodies = s->out.at;
    s->out.at = NULL, s->out.count = s->out.room = 0;
    s->bodies = bodies;
    u8 first[BEFORE] = {0};
    put_bytes(s, first, BEFORE);
    put(s, lines), put(s, language), put(s, error), put(s, s->strings.count), put(s, at[4] - at[3]), put(s, texts);
    put(s, at[0]), put(s, s->order_count + 1), put(s, at[1] - at[0]), put(s, references), put(s, at[2] - at[1]);
    put(s, s->imports.count), put(s, at[3] - at[2]);
    u32 head = s->out.count - BEFORE;
    u8 kept[160];
    memcpy(kept, s->out.at + BEFORE, head);
    u8 start[2] = {1, (u8)head};
    s->out.count = BEFORE;
    put_bytes(s, start, 2);
    put_bytes(s, kept, head);
    put_bytes(s, bodies + at[3], at[4] - at[3]);
    for (u32 i = 0; i < s->strings.count; i++)
        put_bytes(s, s->names.at[s->strings.at[i]].text, s->names.at[s->strings.at[i]].size);
    put_bytes(s, bodies, at[3]);
    sizes[0] = s->out.count - BEFORE;
    for (u32 i = 1; i < s->names.count; i++)
        if (s->names.at[i].mentioned) {
            put_bytes(s, s->names.at[i].text, s->names.at[i].size);
            put_bytes(s, (const u8 *)"\n", 1);
        }
    sizes[1] = s->out.count - BEFORE - sizes[0];
}
