/* Expressions: which names stand in them, and what is done with each.
 *
 * No tree: operators need no precedence here. What matters of an expression's form is a `shape`. */
#include "scan.h"

#define DEEPEST 600

int is_keyword(const scanner *s, u32 word)
{
    return s->token.kind == T_NAME && s->token.name == word;
}

int expect(scanner *s, u32 kind, const char *why)
{
    if (s->token.kind != kind) {
        fail(s, why);
        return 0;
    }
    advance(s);
    return 1;
}

i32 new_scope(scanner *s, u8 area, i32 parent, u32 path, i32 home)
{
    *PUSH(s, s->scopes) = (scope_t){.parent = parent, .home = home, .path = path, .self_class = -1, .area = area};
    return (i32)s->scopes.count - 1;
}

/* Adds the present token as a name in the text. */
i32 add_event(scanner *s, u32 use, u8 flags, i32 before)
{
    *PUSH(s, s->events) = (event_t){
        .name = s->token.name, .line = s->token.line, .column = s->token.column, .before = before,
        .scope = s->scope, .owner = s->owner, .use = (u8)use, .flags = flags,
    };
    return (i32)s->events.count - 1;
}

static shape bare(u32 kind) { return (shape){.kind = (u8)kind, .event = -1, .inner = -1}; }

static shape spanned(scanner *s, shape x, u32 start, u32 line)
{
    if (!x.group)
        x.start = start, x.end = s->last_end, x.line = line, x.end_line = s->last_line;
    return x;
}

/* ---- comprehensions */

typedef struct { u32 events, scopes, values; } mark;

static mark marked(const scanner *s) { return (mark){s->events.count, s->scopes.count, s->values.count}; }

/* Moves what was read of an element into the scope of the comprehension that it turned out to be of. */
static void into(scanner *s, mark from, i32 inner)
{
    for (u32 i = from.events; i < s->events.count; i++)
        if (s->events.at[i].scope == s->scope && !(s->events.at[i].flags & E_OUTSIDE))
            s->events.at[i].scope = inner;
    for (u32 i = from.scopes; i < (u32)inner; i++)
        if (s->scopes.at[i].parent == s->scope)
            s->scopes.at[i].parent = inner;
    for (u32 i = from.values; i < s->values.count; i++)
        if (s->values.at[i].scope == s->scope)
            s->values.at[i].scope = inner;
}

static shape disjunction(scanner *s);

static int at_comprehension(const scanner *s) { return is_keyword(s, K_FOR) || is_keyword(s, K_ASYNC); }

static void comprehension(scanner *s, mark from)
{
    i32 outer = s->scope, inner = new_scope(s, AREA_FUNCTION, outer, 0, s->scopes.at[outer].home);
    s->scopes.at[inner].comprehension = 1;
    into(s, from, inner);
    u8 no_in = s->no_in;
    for (int first = 1; at_comprehension(s) && !s->panic; first = 0) {
        if (is_keyword(s, K_ASYNC))
            advance(s);
        if (!is_keyword(s, K_FOR)) {
            fail(s, "invalid syntax");
            break;
        }
        advance(s);
        s->scope = inner;
        u32 targets = s->targets.count, nest = s->nest;
        s->no_in = 1, s->nest = 0;
        shape x = expressions(s);
        s->no_in = 0;
        binding b = {.value = new_value(s, -1, 0, 0), .annotated = -1};
        bind_targets(s, targets, s->targets.count, x.kind, &b);
        s->targets.count = targets, s->nest = nest;
        if (!is_keyword(s, K_IN)) {
            fail(s, "invalid syntax");
            break;
        }
        advance(s);
        s->scope = first ? outer : inner;
        disjunction(s);
        s->scope = inner;
        while (is_keyword(s, K_IF) && !s->panic) {
            advance(s);
            disjunction(s);
        }
    }
    s->no_in = no_in;
    s->scope = outer;
}

/* ---- atoms */

static shape strings(scanner *s);

/* What stands in round brackets: a group, a tuple or a generator. */
static shape in_parentheses(scanner *s)
{
    u32 start = s->token.start, line = s->token.line;
    mark from = marked(s);
    advance(s);
    if (s->token.kind == ')') {
        advance(s);
        return spanned(s, bare(X_OTHER), start, line);
    }
    shape x = is_keyword(s, K_YIELD) ? expressions(s) : named_expression(s);
    if (at_comprehension(s)) {
        comprehension(s, from);
        x = bare(X_OTHER);
    } else if (s->token.kind == ',') {
        while (s->token.kind == ',' && !s->panic) {
            advance(s);
            if (s->token.kind != ')')
                named_expression(s);
        }
        x = bare(X_OTHER);
    } else
        x.group = 1;
    expect(s, ')', "'(' was never closed");
    return spanned(s, x, start, line);
}

/* What stands in [ ] or { }. */
static shape display(scanner *s, u32 close)
{
    u32 start = s->token.start, line = s->token.line;
    advance(s);
    while (s->token.kind != close && !s->panic) {
        mark from = marked(s);
        if (s->token.kind == T_POWER)
            advance(s);
        named_expression(s);
        if (close == '}' && s->token.kind == ':') {
            advance(s);
            expression(s);
        }
        if (at_comprehension(s))
            comprehension(s, from);
        if (s->token.kind != ',')
            break;
        advance(s);
    }
    expect(s, close, close == ']' ? "'[' was never closed" : "'{' was never closed");
    return spanned(s, bare(X_OTHER), start, line);
}

static shape lambda(scanner *s)
{
    u32 start = s->token.start, line = s->token.line;
    advance(s);
    i32 outer = s->scope, inner = new_scope(s, AREA_FUNCTION, outer, 0, s->scopes.at[outer].home);
    parameters(s, inner, ':', NULL);
    expect(s, ':', "invalid syntax");
    s->scope = inner;
    s->nest++;
    if (!s->panic)
        expression(s);
    s->nest--;
    s->scope = outer;
    return spanned(s, bare(X_OTHER), start, line);
}

static shape atom(scanner *s)
{
    u32 start = s->token.start, line = s->token.line;
    shape x;
    switch (s->token.kind) {
    case T_NAME:
        if (s->token.name <= K_LAST) {
            if (s->token.name > K_TRUE) {
                fail(s, "invalid syntax");
                return bare(X_OTHER);
            }
            x = bare(s->token.name == K_NONE ? X_NONE : X_OTHER);
        } else {
            x = bare(X_CHAIN);
            x.event = add_event(s, USE_READ, E_ROOT, -1);
        }
        advance(s);
        return spanned(s, x, start, line);
    case T_NUMBER: case T_ELLIPSIS:
        advance(s);
        return spanned(s, bare(X_OTHER), start, line);
    case T_STRING: case T_FSTRING:
        return strings(s);
    case '(':
        return in_parentheses(s);
    case '[':
        return display(s, ']');
    case '{':
        s->nest++;
        x = display(s, '}');
        s->nest--;
        return x;
    default:
        fail(s, s->token.kind == T_INDENT ? "unexpected indent" : "invalid syntax");
        return bare(X_OTHER);
    }
}

static void arguments(scanner *s)
{
    advance(s);
    while (s->token.kind != ')' && !s->panic) {
        mark from = marked(s);
        u32 events = s->events.count;
        if (s->token.kind == T_POWER)
            advance(s);
        shape x = named_expression(s);
        if (s->token.kind == '=' && x.kind == X_CHAIN && s->events.count == events + 1) {
            s->events.count = events;       /* the name of a keyword argument */
            advance(s);
            expression(s);
        } else if (at_comprehension(s))
            comprehension(s, from);
        if (s->token.kind != ',')
            break;
        advance(s);
    }
    expect(s, ')', "'(' was never closed");
}

/* Reads what stands in the brackets of a subscript; returns its form where it is one expression. */
static shape subscript(scanner *s)
{
    shape x = bare(X_OTHER);
    int plain = 1;
    advance(s);
    for (u32 count = 0; s->token.kind != ']' && !s->panic; count++) {
        if (count)
            plain = 0;
        if (s->token.kind != ':')
            x = named_expression(s);
        while (s->token.kind == ':' && !s->panic) {
            plain = 0;
            advance(s);
            if (s->token.kind != ':' && s->token.kind != ',' && s->token.kind != ']')
                expression(s);
        }
        if (s->token.kind != ',')
            break;
        plain = 0;
        advance(s);
    }
    expect(s, ']', "'[' was never closed");
    return plain ? x : bare(X_OTHER);
}

static void inner_mode(scanner *s, u8 *no_in)
{
    *no_in = s->no_in;
    s->no_in = 0;
    s->nest++;
}

static shape primary(scanner *s)
{
    u32 start = s->token.start, line = s->token.line;
    u8 no_in;
    int bracket = s->token.kind == '(' || s->token.kind == '[' || s->token.kind == '{';
    u8 saved = s->no_in;
    u32 targets = s->targets.count;
    if (bracket)
        s->no_in = 0;
    shape x = atom(s);
    s->no_in = saved;
    while (!s->panic) {
        shape made;
        if (s->token.kind == '.') {
            advance(s);
            if (s->token.kind != T_NAME || s->token.name <= K_LAST) {
                fail(s, "invalid syntax");
                break;
            }
            if (x.kind == X_CHAIN && s->events.at[x.event].use == USE_ANNOTATE)
                s->events.at[x.event].use = USE_READ;
            made = bare(X_CHAIN);
            made.event = add_event(s, USE_READ, 0, x.kind == X_CHAIN ? x.event : -1);
            advance(s);
        } else if (s->token.kind == '(') {
            made = bare(x.kind == X_CHAIN ? X_CALLED : x.kind == X_CALLED || x.kind == X_CALLED_AGAIN ? X_CALLED_AGAIN : X_OTHER);
            if (x.kind == X_CHAIN)
                s->events.at[x.event].use = USE_CALL;
            made.event = x.event;
            inner_mode(s, &no_in);
            arguments(s);
            s->nest--, s->no_in = no_in;
        } else if (s->token.kind == '[') {
            made = bare(x.kind == X_CHAIN || x.kind == X_SUBSCRIPT ? X_SUBSCRIPT : X_OTHER);
            made.event = x.event;
            if (x.kind == X_CHAIN && s->annotation && s->events.at[x.event].use == USE_READ)
                s->events.at[x.event].use = USE_ANNOTATE;
            inner_mode(s, &no_in);
            shape inner = subscript(s);
            s->nest--, s->no_in = no_in;
            if (x.kind == X_CHAIN && inner.kind == X_CHAIN)
                made.inner = inner.event;
        } else
            break;
        s->targets.count = targets;     /* of what stood in brackets before this */
        x = spanned(s, made, start, line);
    }
    if (x.kind == X_CHAIN) {
        event_t *e = &s->events.at[x.event];
        if (s->annotation && e->use == USE_READ)
            e->use = USE_ANNOTATE;
        if (!s->nest)
            *PUSH(s, s->targets) = (u32)x.event;
    }
    return x;
}

/* ---- operators */

static int binary(scanner *s)
{
    switch (s->token.kind) {
    case T_BINARY: case T_POWER: case '+': case '-': case '*': case '/': case '%': case '@': case '&':
    case '|': case '^':
        return 1;
    case T_NAME:
        return s->token.name == K_AND || s->token.name == K_OR || s->token.name == K_IS
            || s->token.name == K_NOT || (s->token.name == K_IN && !s->no_in);
    }
    return 0;
}

static shape disjunction(scanner *s)
{
    u32 start = s->token.start, line = s->token.line, operands = 0, only_or = 1, targets = s->targets.count;
    shape first = bare(X_OTHER), last = first;
    if (++s->level > DEEPEST) {
        fail(s, "too many nested parentheses");
        s->level--;
        return first;
    }
    while (!s->panic) {
        int prefixed = 0;
        while (s->token.kind == '-' || s->token.kind == '+' || s->token.kind == '~' || is_keyword(s, K_NOT)
               || is_keyword(s, K_AWAIT)) {
            prefixed = 1;
            advance(s);
        }
        last = is_keyword(s, K_LAMBDA) ? lambda(s) : primary(s);
        if (prefixed)
            only_or = 0, last = bare(X_OTHER);
        if (!operands++)
            first = last;
        if (s->panic || !binary(s))
            break;
        only_or &= s->token.kind == '|';
        if (is_keyword(s, K_IS)) {
            advance(s);
            if (is_keyword(s, K_NOT))
                advance(s);
        } else if (is_keyword(s, K_NOT)) {
            advance(s);
            if (!is_keyword(s, K_IN))
                fail(s, "invalid syntax");
            advance(s);
        } else
            advance(s);
    }
    s->level--;
    if (operands != 1 || !only_or)
        s->targets.count = targets;
    if (operands == 1)
        return only_or ? first : spanned(s, first, start, line);
    shape x = bare(X_OTHER);
    if (operands == 2 && only_or && first.kind == X_CHAIN && last.kind == X_NONE)
        x = bare(X_OR_NONE), x.event = first.event;
    return spanned(s, x, start, line);
}

shape expression(scanner *s)
{
    u32 start = s->token.start, line = s->token.line;
    u32 targets = s->targets.count;
    shape x = disjunction(s);
    int several = 0;
    while (is_keyword(s, K_IF) && !s->panic) {
        several = 1;
        advance(s);
        disjunction(s);
        if (!is_keyword(s, K_ELSE)) {
            fail(s, "expected 'else' after 'if' expression");
            break;
        }
        advance(s);
        disjunction(s);
    }
    if (several)
        s->targets.count = targets;
    return several ? spanned(s, bare(X_OTHER), start, line) : x;
}

shape named_expression(scanner *s)
{
    u32 start = s->token.start, line = s->token.line;
    if (s->token.kind == '*') {
        advance(s);
        expression(s);
        return spanned(s, bare(X_OTHER), start, line);
    }
    shape x = expression(s);
    if (s->token.kind != T_WALRUS || s->panic)
        return x;
    if (x.kind != X_CHAIN || !(s->events.at[x.event].flags & E_ROOT)) {
        fail(s, "cannot use assignment expressions here");
        return x;
    }
    advance(s);
    s->nest++;
    shape right = expression(s);
    s->nest--;
    i32 scope = s->scope, outer = scope;
    binding b = {.value = value_of(s, right), .annotated = -1};
    while (s->scopes.at[outer].comprehension)
        outer = s->scopes.at[outer].parent;
    s->events.at[x.event].use = USE_WRITE;
    s->events.at[x.event].scope = outer;
    s->events.at[x.event].flags |= E_OUTSIDE;
    s->scope = outer;
    bind_name(s, x.event, &b);
    s->scope = scope;
    return spanned(s, bare(X_OTHER), start, line);
}

static int ends_expressions(scanner *s)
{
    switch (s->token.kind) {
    case T_NEWLINE: case T_END: case ';': case '=': case ')': case ']': case '}': case ':': case T_AUGMENT:
    case '!': case T_WALRUS:
        return 1;
    }
    return is_keyword(s, K_IN) || is_keyword(s, K_FROM);
}

shape expressions(scanner *s)
{
    u32 start = s->token.start, line = s->token.line;
    shape x;
    if (is_keyword(s, K_YIELD)) {
        advance(s);
        if (is_keyword(s, K_FROM)) {
            advance(s);
            expression(s);
        } else if (!ends_expressions(s))
            expressions(s);
        return spanned(s, bare(X_OTHER), start, line);
    }
    x = named_expression(s);
    int several = 0;
    while (s->token.kind == ',' && !s->panic) {
        several = 1;
        advance(s);
        if (ends_expressions(s))
            break;
        named_expression(s);
    }
    if (several) {
        x = spanned(s, bare(X_OTHER), start, line);
        x.several = 1;
    }
    return x;
}

shape annotation(scanner *s)
{
    u8 before = s->annotation;
    s->annotation = 1;
    s->nest++;
    shape x = s->token.kind == '*' ? named_expression(s) : expression(s);
    s->nest--;
    s->annotation = before;
    return x;
}

/* ---- parameters */

void parameters(scanner *s, i32 inner, u32 close, u32 *first_name)
{
    int count = 0;
    s->nest++;
    while (s->token.kind != close && s->token.kind != T_ARROW && !s->panic) {
        int stars = 0;
        if (s->token.kind == '/' ) {
            advance(s);
        } else {
            if (s->token.kind == '*' || s->token.kind == T_POWER) {
                stars = 1;
                advance(s);
            }
            if (s->token.kind == T_NAME && s->token.name > K_LAST) {
                u32 name = s->token.name;
                if (!count++ && !stars && first_name)
                    *first_name = name;
                else if (stars)
                    count++;
                advance(s);
                i32 value = new_value(s, -1, 0, 0);
                if (s->token.kind == ':' && close != ':') {
                    advance(s);
                    shape x = annotation(s);
                    if (!stars)
                        value = declared(s, x);
                }
                symbol_t *to = symbol(s, (u32)inner, name, 1);
                to->other = 1;
                add_value(s, to, value);
                if (s->token.kind == '=') {
                    advance(s);
                    expression(s);
                }
            } else if (!stars) {
                fail(s, "invalid syntax");
                break;
            } else
                count++;
        }
        if (s->token.kind != ',')
            break;
        advance(s);
    }
    s->nest--;
}

/* ---- strings */

static void raw_newline(scanner *s, u32 at, u32 size)
{
    s->now.at = at + size;
    s->now.line++;
    s->now.line_start = s->now.at;
}

static int closes(const scanner *s, u32 at, u8 quote, u32 flags)
{
    const u8 *t = s->text + at;
    return t[0] == quote && (!(flags & STRING_TRIPLE) || (at + 2 < s->size && t[1] == quote && t[2] == quote));
}

static int field(scanner *s, u8 quote, u32 flags);

/* Reads text with fields up to the quotes, or in a format up to the brace; returns whether it ended. */
static int literal(scanner *s, u8 quote, u32 flags, int format)
{
    const u8 *t = s->text;
    while (s->now.at < s->size) {
        u32 at = s->now.at, size;
        u8 c = t[at];
        if (closes(s, at, quote, flags)) {
            if (!format)
                s->now.at += flags & STRING_TRIPLE ? 3 : 1;
            return !format;
        }
        if (format && c == '}') {
            s->now.at++;
            return 1;
        }
        if ((size = newline_at(s, at))) {
            if (!(flags & STRING_TRIPLE))
                return 0;
            raw_newline(s, at, size);
        } else if (!format && (c == '{' || c == '}') && t[at + 1] == c)
            s->now.at += 2;
        else if (c == '{') {
            s->now.at++;
            place_t before = s->now;
            u32 level = s->level;
            u8 panic = s->panic;
            if (!s->broken_strings && ++s->level <= DEEPEST && !field(s, quote, flags)) {
                s->broken_strings = 1;
                s->now = before;
                s->panic = panic;
                fail(s, "f-string: invalid syntax");
                s->panic = panic;
            }
            s->level = level;
        } else if (!format && c == '\\' && !(flags & STRING_RAW) && t[at + 1] == 'N' && t[at + 2] == '{') {
            while (s->now.at < s->size && t[s->now.at] != '}' && !newline_at(s, s->now.at))
                s->now.at++;
        } else if (!format && c == '\\' && t[at + 1] != '{') {
            s->now.at++;
            if ((size = newline_at(s, at + 1)))
                raw_newline(s, at + 1, size);
            else if (at + 1 < s->size)
                s->now.at++;
        } else
            s->now.at++;
    }
    return 0;
}

/* Reads a field after its brace; returns whether it was one. */
static int field(scanner *s, u8 quote, u32 flags)
{
    token opening = s->token;
    u32 depth = s->now.depth++, nest = s->nest, last_end = s->last_end, last_line = s->last_line;
    u8 panic = s->panic, no_in = s->no_in, first = s->now.first;
    i32 scope = s->scope;
    s->nest = nest + 1, s->no_in = 0, s->panic = 0;
    advance(s);
    expressions(s);
    u32 kind = s->token.kind;
    int good = !s->panic;
    s->nest = nest, s->no_in = no_in, s->panic = panic, s->scope = scope;
    s->now.first = first, s->now.depth = depth;
    if (good && (kind == '=' || kind == '!' || kind == ':' || kind == '}' || kind == T_WALRUS)) {
        s->now.at = s->token.start + 1;
        const u8 *t = s->text;
        if (kind == '=') {
            u32 size;
            while (t[s->now.at] == ' ' || t[s->now.at] == '\t' || newline_at(s, s->now.at))
                if ((size = newline_at(s, s->now.at)))
                    raw_newline(s, s->now.at, size);
                else
                    s->now.at++;
            kind = t[s->now.at++];
        }
        if (kind == '!') {
            while (is_name_byte(t[s->now.at]) || t[s->now.at] == ' ')
                s->now.at++;
            kind = t[s->now.at++];
        }
        good = kind == '}' || ((kind == ':' || kind == T_WALRUS) && literal(s, quote, flags, 1));
        good = good && s->now.at <= s->size;
    } else
        good = 0;
    s->token = opening, s->last_end = last_end, s->last_line = last_line;
    return good;
}

static void exported(scanner *s)
{
    const token *k = &s->token;
    u8 first = s->text[k->start];
    if ((first == '"' || first == '\'') && !(k->name & STRING_TRIPLE)
        && !memchr(s->text + k->start, '\\', k->end - k->start) && k->end - k->start >= 2) {
        u32 name = intern(s, s->text + k->start + 1, k->end - k->start - 2);
        s->names.at[name].exported = 1;
    }
}

/* Reads string literals that follow each other. */
static shape strings(scanner *s)
{
    u32 start = s->token.start, line = s->token.line, count = 0;
    int plain = 1;
    token only = s->token;
    while (s->token.kind == T_STRING || s->token.kind == T_FSTRING) {
        u32 flags = s->token.name;
        plain &= (flags & STRING_PLAIN) != 0;
        if (s->token.kind == T_FSTRING) {
            u8 quote = s->text[s->now.at - 1];
            if (!literal(s, quote, flags, 0))
                fail(s, "unterminated f-string literal"), s->panic = 0;
            s->token.end = s->now.at;
            s->token.end_line = s->now.line;
        }
        count++;
        advance(s);
    }
    if (s->collecting && count == 1 && plain) {
        token now = s->token;
        s->token = only;
        exported(s);
        s->token = now;
    }
    return spanned(s, bare(plain ? X_STRING : X_OTHER), start, line);
}
