/* Functions and classes. */
#include "scan.h"

static u32 flag_of(const scanner *s, shape x)
{
    static const struct { const char *name; u32 flags; } known[] = {
        {"staticmethod", FLAG_STATIC}, {"classmethod", FLAG_CLASS_METHOD}, {"property", FLAG_PROPERTY},
        {"cached_property", FLAG_PROPERTY}, {"setter", FLAG_PROPERTY}, {"getter", FLAG_PROPERTY},
        {"deleter", FLAG_PROPERTY}, {"abstractmethod", FLAG_ABSTRACT},
        {"abstractproperty", FLAG_ABSTRACT | FLAG_PROPERTY}, {"overload", FLAG_OVERLOAD},
    };
    u32 start = x.start, end = x.start;
    for (; end < x.end && (is_name_byte(s->text[end]) || s->text[end] == '.'); end++)
        if (s->text[end] == '.')
            start = end + 1;
    for (u32 i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].name) == end - start && !memcmp(known[i].name, s->text + start, end - start))
            return known[i].flags;
    return 0;
}

/* Reads type parameters, if there are some; returns the scope of what follows. */
i32 type_parameters(scanner *s)
{
    if (s->token.kind != '[')
        return s->scope;
    i32 outer = s->scope, inner = new_scope(s, AREA_FUNCTION, outer, 0, s->scopes.at[outer].home);
    s->scope = inner;
    do {
        advance(s);
        if (s->token.kind == '*' || s->token.kind == T_POWER)
            advance(s);
        if (s->token.kind != T_NAME)
            break;
        symbol(s, (u32)inner, s->token.name, 1)->other = 1;
        advance(s);
        for (int i = 0; i < 2 && (s->token.kind == ':' || s->token.kind == '='); i++) {
            advance(s);
            annotation(s);
        }
    } while (s->token.kind == ',' && !s->panic);
    expect(s, ']', "'[' was never closed");
    s->scope = outer;
    return inner;
}

static void bases(scanner *s)
{
    advance(s);
    s->nest++;
    while (s->token.kind != ')' && !s->panic) {
        u32 events = s->events.count;
        if (s->token.kind == T_POWER)
            advance(s);
        shape x = named_expression(s);
        if (s->token.kind == '=' && x.kind == X_CHAIN && s->events.count == events + 1) {
            s->events.count = events;
            advance(s);
            expression(s);
        } else if (x.kind == X_CHAIN || (x.kind == X_SUBSCRIPT && x.event >= 0))
            s->events.at[x.event].use = USE_INHERIT;
        if (s->token.kind != ',')
            break;
        advance(s);
    }
    s->nest--;
    expect(s, ')', "'(' was never closed");
}

static void body_of(scanner *s, i32 draft, i32 inner)
{
    opening o = {0};
    i32 scope = s->scope;
    s->drafts.at[draft].signature_end = s->panic ? s->last_end : s->token.start;
    s->scope = inner;
    block_of(s, &o);
    s->scope = scope;
    draft_t *d = &s->drafts.at[draft];
    d->body = o.body, d->doc = o.doc, d->doc_end = o.doc_end, d->end = s->last_line;
}

static void function(scanner *s, i32 draft, i32 outer, u32 path)
{
    i32 before = s->scope;
    u32 first_name = 0;
    s->scope = type_parameters(s);
    i32 inner = new_scope(s, AREA_FUNCTION, s->scope, path, draft);
    if (!s->panic && expect(s, '(', "expected '('")) {
        parameters(s, inner, ')', &first_name);
        if (!s->panic)
            expect(s, ')', "'(' was never closed");
        if (s->token.kind == T_ARROW && !s->panic) {
            advance(s);
            shape x = annotation(s);
            draft_t *d = &s->drafts.at[draft];
            d->type = x.start, d->type_end = x.end, d->typed = 1;
        }
    }
    const draft_t *d = &s->drafts.at[draft];
    if (d->kind == KIND_METHOD && !(d->flags & FLAG_STATIC) && first_name) {
        s->scopes.at[inner].self_name = first_name;
        s->scopes.at[inner].self_class = outer;
    }
    body_of(s, draft, inner);
    s->scope = before;
}

static void class(scanner *s, i32 draft, u32 path)
{
    i32 before = s->scope;
    s->scope = type_parameters(s);
    if (s->token.kind == '(' && !s->panic)
        bases(s);
    body_of(s, draft, new_scope(s, AREA_CLASS, s->scope, path, draft));
    s->scope = before;
}

void asynchronous(scanner *s);

/* Reads a function or class with its decorators. o: where its first line is wanted. */
void definition(scanner *s, opening *o)
{
    u32 events = s->events.count, spans = s->spans.count, flags = 0, first = 0;
    while (s->token.kind == '@') {
        advance(s);
        s->nest++;
        shape x = named_expression(s);
        s->nest--;
        if (!first)
            first = x.line ? x.line : s->last_line;
        if ((x.kind == X_CHAIN || x.kind == X_CALLED || x.kind == X_CALLED_AGAIN) && x.event >= 0)
            s->events.at[x.event].use = USE_DECORATE;
        if (!s->panic) {
            *PUSH(s, s->spans) = (span_t){x.start, x.end};
            flags |= flag_of(s, x);
        }
        if (!s->panic && s->token.kind != T_NEWLINE)
            fail(s, "invalid syntax");
        skip_line(s);
    }
    if (o && first)
        o->body = first;
    token start = s->token;
    int async = is_keyword(s, K_ASYNC);
    if (async)
        advance(s);
    int is_class = is_keyword(s, K_CLASS);
    if (!is_class && !is_keyword(s, K_DEF)) {
        if (async)
            asynchronous(s);
        else if (s->token.kind != T_DEDENT && s->token.kind != T_INDENT) {
            fail(s, "invalid syntax");
            skip_line(s);
        } else
            fail(s, "invalid syntax"), s->panic = 0;
        return;
    }
    advance(s);
    if (s->token.kind != T_NAME || s->token.name <= K_LAST) {
        fail(s, "invalid syntax");
        block_of(s, NULL);
        return;
    }
    u32 name = s->token.name;
    i32 home = home_of(s, s->scope, name), outer = home < 0 ? s->scope : home;
    draft_t d = {
        .name = name, .at_line = start.line, .at_column = start.column, .scope = -1,
        .parent = s->scopes.at[outer].home, .first = first ? first : start.line, .line = start.line,
        .column = start.column, .signature = start.start, .decorators = spans,
        .decorator_count = s->spans.count - spans, .flags = is_class ? 0 : flags | (async ? FLAG_ASYNC : 0),
        .kind = is_class ? KIND_CLASS : s->scopes.at[outer].area == AREA_CLASS ? KIND_METHOD : KIND_FUNCTION,
    };
    i32 draft = (i32)s->drafts.count, owner = s->owner;
    *PUSH(s, s->drafts) = d;
    for (u32 i = events; i < s->events.count; i++)
        if (s->events.at[i].owner == owner)
            s->events.at[i].owner = draft;
    bind_first(s, name, is_class ? FIRST_CLASS : FIRST_FUNCTION, 0);
    u32 path = path_of(s, s->scopes.at[outer].path, name);
    s->owner = draft;
    advance(s);
    if (is_class)
        class(s, draft, path);
    else
        function(s, draft, outer, path);
    s->owner = owner;
}
