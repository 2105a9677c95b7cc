/* What each name refers to, when all scopes are known, and which definitions there are. */
#include <stdlib.h>

#include "scan.h"

typedef struct { u32 path; i32 aux; u8 binding, state; } meaning;

static int bound(const symbol_t *symbol) { return symbol->first || symbol->variable || symbol->other; }

static meaning lookup(scanner *s, i32 from, u32 name)
{
    symbol_t *found = NULL;
    i32 scope = from;
    for (; scope >= 0; scope = s->scopes.at[scope].parent) {
        if (s->scopes.at[scope].area == AREA_CLASS && scope != from)
            continue;
        symbol_t *known = symbol(s, (u32)scope, name, 0);
        if (known && known->declared == DECLARED_GLOBAL) {
            scope = 0;
            known = symbol(s, 0, name, 0);
            found = known && bound(known) ? known : NULL;
            break;
        }
        if (known && bound(known) && !known->declared) {
            found = known;
            break;
        }
    }
    if (!found) {
        int builtin = (name >= s->builtin_first && name < s->builtin_last) || name == S_TYPE;
        return (meaning){path_of(s, 0, name), -1, builtin ? BOUND_BUILTIN : BOUND_UNKNOWN, M_NORMAL};
    }
    const scope_t *in = &s->scopes.at[scope];
    i32 number = (i32)(found - s->symbols.at);
    if (found->first == FIRST_IMPORT)
        return (meaning){found->path, -1, BOUND_IMPORT, M_NORMAL};
    if (found->first)
        return (meaning){path_of(s, in->path, name), number, BOUND_FILE, M_NORMAL};
    if (in->area == AREA_FUNCTION) {
        if (name == in->self_name && !found->variable)
            return (meaning){0, in->self_class, BOUND_SELF, M_SELF};
        return (meaning){0, number, BOUND_LOCAL, M_LOCAL};
    }
    if (found->variable)
        return (meaning){path_of(s, in->path, name), number, BOUND_FILE, M_NORMAL};
    return (meaning){0, -1, BOUND_LOCAL, M_LOCAL};
}

/* ---- types: a path and a binding, or path 0 */

typedef struct { u32 path; u8 binding; } type;

static type symbol_type(scanner *s, u32 number);

static int capitalised(const scanner *s, u32 name)
{
    const name_t *n = &s->names.at[name];
    u32 i = 0;
    while (i < n->size && n->text[i] == '_')
        i++;
    return i < n->size && n->text[i] >= 'A' && n->text[i] <= 'Z';
}

/* Returns a root's path with the names that follow it up to an event. */
static u32 chain_path(scanner *s, i32 event, u32 root)
{
    u32 count = 0, path = root;
    for (i32 i = event; s->events.at[i].before >= 0; i = s->events.at[i].before)
        count++;
    if (!count)
        return path;
    u32 *names = take(s, count * sizeof *names), at = count;
    for (i32 i = event; s->events.at[i].before >= 0; i = s->events.at[i].before)
        names[--at] = s->events.at[i].name;
    for (; at < count; at++)
        path = path_of(s, path, names[at]);
    return path;
}

static type value_type(scanner *s, value_t v)
{
    if (v.chain < 0)
        return (type){0, 0};
    i32 root = root_of(s, v.chain);
    meaning first = lookup(s, v.scope, s->events.at[root].name);
    if (v.plain)
        return first.state == M_LOCAL && first.aux >= 0 ? symbol_type(s, (u32)first.aux) : (type){0, 0};
    if (first.state != M_NORMAL)
        return (type){0, 0};
    if (v.called && !capitalised(s, s->events.at[v.chain].name)
        && (root != v.chain || first.aux < 0 || s->symbols.at[first.aux].first != FIRST_CLASS))
        return (type){0, 0};
    return (type){chain_path(s, v.chain, first.path), first.binding};
}

/* Returns the type that values agree in; `to` is what they had so far. */
static int agree(scanner *s, i32 values, type *to, int *count)
{
    for (i32 i = values; i >= 0; i = s->values.at[i].next) {
        type found = value_type(s, s->values.at[i]);
        if (!found.path || ((*count)++ && (found.path != to->path || found.binding != to->binding)))
            return 0;
        *to = found;
    }
    return 1;
}

static type symbol_type(scanner *s, u32 number)
{
    symbol_t known = s->symbols.at[number];
    if (!known.typed) {
        type found = {0, 0};
        int count = 0;
        s->symbols.at[number].typed = 1;
        if (known.annotated >= 0)
            found = value_type(s, s->values.at[known.annotated]);
        else if (!agree(s, known.values, &found, &count))
            found = (type){0, 0};
        known.type_path = s->symbols.at[number].type_path = found.path;
        known.type_binding = s->symbols.at[number].type_binding = found.binding;
    }
    return (type){known.type_path, known.type_binding};
}

static type attribute_type(scanner *s, i32 class, u32 name)
{
    symbol_t *body = symbol(s, (u32)class, name, 0);
    if (body && body->first)
        return (type){0, 0};
    symbol_t none = {.annotated = -1, .values = -1}, inside = body ? *body : none;
    symbol_t *to = symbol(s, (u32)class | ATTRIBUTE, name, 1);
    u32 number = (u32)(to - s->symbols.at);
    symbol_t assigned = *to;
    if (assigned.typed)
        return (type){assigned.type_path, assigned.type_binding};
    type found = {0, 0};
    int count = 0;
    i32 annotated = assigned.annotated;
    if (inside.annotated >= 0 && (annotated < 0 || inside.annotated_at < assigned.annotated_at))
        annotated = inside.annotated;
    if (annotated >= 0)
        found = value_type(s, s->values.at[annotated]);
    else if (!agree(s, inside.values, &found, &count) || !agree(s, assigned.values, &found, &count))
        found = (type){0, 0};
    s->symbols.at[number].typed = 1;
    s->symbols.at[number].type_path = found.path;
    s->symbols.at[number].type_binding = found.binding;
    return found;
}

/* ---- names */

static void resolve_event(scanner *s, event_t *e)
{
    if (e->flags & E_IMPORT) {
        e->binding = BOUND_IMPORT;
        return;
    }
    if (e->flags & E_ROOT) {
        meaning m = lookup(s, e->scope, e->name);
        e->path = m.path, e->aux = m.aux, e->binding = m.binding, e->state = m.state;
        return;
    }
    if (e->before < 0) {
        e->path = path_of(s, 0, e->name), e->binding = BOUND_UNKNOWN;
        return;
    }
    const event_t *b = &s->events.at[e->before];
    type guess = {0, 0};
    if (b->state == M_SELF) {
        e->path = path_of(s, s->scopes.at[b->aux].path, e->name);
        e->binding = BOUND_SELF, e->state = M_ATTRIBUTE, e->aux = b->aux;
        return;
    }
    if (b->state == M_ATTRIBUTE)
        guess = attribute_type(s, b->aux, b->name);
    else if (b->state == M_LOCAL && b->aux >= 0)
        guess = symbol_type(s, (u32)b->aux);
    if (guess.path) {
        e->path = path_of(s, guess.path, e->name), e->binding = guess.binding, e->guess = 1;
        return;
    }
    e->path = path_of(s, b->path, e->name), e->binding = b->binding, e->guess = b->guess;
}

/* Finds which of the targets `x.name` are attributes of an instance. */
static void attributes(scanner *s)
{
    for (u32 i = 0; i < s->assigned.count; i++) {
        assigned_t a = s->assigned.at[i];
        meaning m = lookup(s, s->events.at[a.before].scope, s->events.at[a.before].name);
        if (m.state != M_SELF)
            continue;
        u32 name = s->drafts.at[a.draft].name;
        symbol_t *body = symbol(s, (u32)m.aux, name, 0);
        int free = !(body && bound(body));
        symbol_t *to = symbol(s, (u32)m.aux | ATTRIBUTE, name, 1);
        draft_t *d = &s->drafts.at[a.draft];
        if (a.annotated >= 0 && to->annotated < 0)
            to->annotated = a.annotated, to->annotated_at = place_of(d->at_line, d->at_column);
        if (a.value >= 0)
            add_value(s, to, a.value);
        if (free && !to->drafted) {
            to->drafted = 1;
            d->gone = 0, d->scope = -1, d->kind = KIND_ATTRIBUTE, d->parent = s->scopes.at[m.aux].home;
        }
    }
}

/* ---- definitions */

/* Says whether a type is `word`, or begins with it where `whole` is 0, after dotted names. */
static int type_is(const u8 *t, u32 size, const char *word, int whole)
{
    u32 length = (u32)strlen(word);
    for (u32 at = 0;;) {
        u32 start = at;
        while (at < size && is_name_byte(t[at]))
            at++;
        if (at - start == length && !memcmp(t + start, word, length))
            return !whole || at == size;
        if (at == start || at >= size || t[at] != '.')
            return 0;
        at++;
    }
}

static int capitals(const name_t *n)
{
    int letter = 0;
    for (u32 i = 0; i < n->size; i++) {
        u8 c = n->text[i];
        if (c >= 'A' && c <= 'Z')
            letter = 1;
        else if (c != '_' && !(c >= '0' && c <= '9'))
            return 0;
    }
    return letter;
}

static void variable_kind(scanner *s, draft_t *d)
{
    u8 text[4 * 400 + 300];
    u32 size = 0;
    if (d->typed == 1)
        size = (u32)flat(s, d->type, d->type_end, text);
    if (size && type_is(text, size, "Final", 0))
        d->kind = KIND_CONSTANT;
    else if (d->typed == 2 || (size && type_is(text, size, "TypeAlias", 1)))
        d->kind = KIND_TYPE;
    else if (capitals(&s->names.at[d->name]))
        d->kind = KIND_CONSTANT;
}

static void flags(scanner *s, draft_t *d)
{
    const name_t *n = &s->names.at[d->name];
    const draft_t *parent = &s->drafts.at[d->parent];
    if (n->size && n->text[0] == '_' && !(n->size > 1 && !memcmp(n->text + n->size - 2, "__", 2)))
        d->flags |= FLAG_PRIVATE;
    int top = parent->kind == KIND_MODULE || parent->kind == KIND_CLASS;
    if (top && (d->kind == KIND_FUNCTION || d->kind == KIND_METHOD) && n->size >= 4 && !memcmp(n->text, "test", 4))
        d->flags |= FLAG_TEST;
    if (top && d->kind == KIND_CLASS && n->size >= 4 && !memcmp(n->text, "Test", 4))
        d->flags |= FLAG_TEST;
    if (d->parent == 0 && n->exported)
        d->flags |= FLAG_EXPORTED;
}

static int compare(const void *left, const void *right)
{
    const draft_t *a = *(draft_t *const *)left, *b = *(draft_t *const *)right;
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    if (a->at_line != b->at_line)
        return a->at_line < b->at_line ? -1 : 1;
    if (a->at_column != b->at_column)
        return a->at_column < b->at_column ? -1 : 1;
    return a < b ? -1 : a > b;
}

void resolve(scanner *s)
{
    attributes(s);
    for (u32 i = 0; i < s->events.count; i++)
        resolve_event(s, &s->events.at[i]);
    for (u32 i = 1; i < s->drafts.count; i++) {
        draft_t *d = &s->drafts.at[i];
        if (d->kind == KIND_VARIABLE && !d->gone) {
            d->gone = symbol(s, (u32)d->scope, d->name, 1)->first != 0;
            if (!d->gone)
                variable_kind(s, d);
        }
    }
    draft_t **order = take(s, s->drafts.count * sizeof *order);
    u32 count = 0;
    for (u32 i = 1; i < s->drafts.count; i++)
        if (!s->drafts.at[i].gone) {
            flags(s, &s->drafts.at[i]);
            order[count++] = &s->drafts.at[i];
        }
    qsort(order, count, sizeof *order, compare);
    for (u32 i = 0; i < count; i++)
        order[i]->ordinal = i + 1;
    s->order = order, s->order_count = count;
}
