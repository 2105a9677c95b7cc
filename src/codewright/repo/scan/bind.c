/* What is bound where, and what can be seen of its type. */
#include "scan.h"

i32 home_of(scanner *s, i32 scope, u32 name)
{
    symbol_t *known = symbol(s, (u32)scope, name, 0);
    if (known && known->declared == DECLARED_GLOBAL)
        return 0;
    return known && known->declared ? -1 : scope;
}

i32 new_value(scanner *s, i32 chain, u8 called, u8 plain)
{
    *PUSH(s, s->values) = (value_t){.chain = chain, .scope = s->scope, .next = -1, .called = called, .plain = plain};
    return (i32)s->values.count - 1;
}

/* Returns the first name of a chain of events, -1 where it follows something that has no name. */
i32 root_of(const scanner *s, i32 event)
{
    while (s->events.at[event].before >= 0)
        event = s->events.at[event].before;
    return s->events.at[event].flags & E_ROOT ? event : -1;
}

i32 value_of(scanner *s, shape x)
{
    if (x.kind == X_NONE)
        return -1;
    if (x.kind == X_CHAIN && s->events.at[x.event].flags & E_ROOT)
        return new_value(s, x.event, 0, 1);
    if (x.kind == X_CALLED && root_of(s, x.event) >= 0)
        return new_value(s, x.event, 1, 0);
    return new_value(s, -1, 0, 0);
}

i32 declared(scanner *s, shape x)
{
    i32 event = x.kind == X_CHAIN || x.kind == X_OR_NONE ? x.event : -1;
    if (x.kind == X_SUBSCRIPT && x.inner >= 0 && s->events.at[x.event].name == S_OPTIONAL && root_of(s, x.event) >= 0)
        event = x.inner;
    return new_value(s, event >= 0 && root_of(s, event) >= 0 ? event : -1, 0, 0);
}

void add_value(scanner *s, symbol_t *to, i32 value)
{
    value_t *v = &s->values.at[value];
    value_t copy = *v;
    copy.next = to->values;
    *PUSH(s, s->values) = copy;
    to->values = (i32)s->values.count - 1;
}

static u32 draft_of(scanner *s, const event_t *e, i32 scope, const binding *b)
{
    draft_t d = {
        .name = e->name, .at_line = e->line, .at_column = e->column, .parent = s->scopes.at[scope].home,
        .scope = scope, .first = e->line, .line = e->line, .column = e->column, .end = e->line,
        .kind = KIND_VARIABLE, .signature = 1, .signature_end = 0, /* its name */
    };
    if (b->whole) {
        d.first = d.line = b->line, d.column = b->column, d.end = b->end_line;
        d.signature = b->start, d.signature_end = b->end;
        d.type = b->type.start, d.type_end = b->type.end, d.typed = b->typed;
    }
    *PUSH(s, s->drafts) = d;
    return s->drafts.count - 1;
}

/* Returns what orders places in a text, but for columns beyond 65,534. */
uint64_t place_of(u32 line, u32 column) { return (uint64_t)line << 16 | (column < 65535 ? column : 65535); }

static void annotate(symbol_t *to, uint64_t at, i32 value)
{
    if (to->annotated < 0 || at < to->annotated_at)
        to->annotated = value, to->annotated_at = at;
}

void bind_name(scanner *s, i32 event, const binding *b)
{
    event_t e = s->events.at[event];
    i32 scope = home_of(s, s->scope, e.name);
    if (scope < 0)
        return;
    symbol_t *to = symbol(s, (u32)scope, e.name, 1);
    to->variable = 1;
    if (b->annotated >= 0)
        annotate(to, place_of(e.line, e.column), b->annotated);
    if (b->value >= 0) {
        i32 value = b->value;
        if (s->values.at[value].plain)
            value = new_value(s, -1, 0, 0);
        add_value(s, to, value);
    }
    if (s->scopes.at[scope].area == AREA_FUNCTION)
        return;
    if (!to->drafted) {
        to->drafted = draft_of(s, &e, scope, b);
    } else {        /* `(x := (x := 1))`: the first in the text is the last that is bound */
        draft_t *known = &s->drafts.at[to->drafted];
        if (place_of(e.line, e.column) < place_of(known->at_line, known->at_column)) {
            u32 made = draft_of(s, &e, scope, b);
            s->drafts.at[to->drafted] = s->drafts.at[made];
            s->drafts.count--;
        }
    }
}

/* Binds targets from the list of them. kind: the form of what they stand in. */
void bind_targets(scanner *s, u32 from, u32 to, u8 kind, const binding *b)
{
    binding unknown = *b;
    unknown.annotated = -1;
    if (kind != X_CHAIN)
        unknown.value = new_value(s, -1, 0, 0);
    const binding *used = kind == X_CHAIN ? b : &unknown;
    for (u32 i = from; i < to; i++) {
        i32 event = (i32)s->targets.at[i];
        event_t e = s->events.at[event];
        s->events.at[event].use = USE_WRITE;
        if (e.flags & E_ROOT)
            bind_name(s, event, used);
        else if (e.before >= 0 && s->events.at[e.before].flags & E_ROOT) {
            u32 draft = draft_of(s, &e, s->scope, used);
            s->drafts.at[draft].gone = 1;   /* until it is known whose attribute it is */
            *PUSH(s, s->assigned) = (assigned_t){e.before, (i32)draft, used->value, used->annotated};
        }
    }
}

void delete_targets(scanner *s, u32 from)
{
    for (u32 i = from; i < s->targets.count; i++) {
        event_t *e = &s->events.at[s->targets.at[i]];
        e->use = USE_WRITE;
        if (e->flags & E_ROOT) {
            i32 scope = home_of(s, s->scope, e->name);
            if (scope >= 0)
                symbol(s, (u32)scope, e->name, 1)->other = 1;
        }
    }
}

void bind_first(scanner *s, u32 name, u8 first, u32 path)
{
    i32 scope = home_of(s, s->scope, name);
    if (scope < 0)
        return;
    symbol_t *to = symbol(s, (u32)scope, name, 1);
    if (!to->first)
        to->first = first, to->path = path;
}
