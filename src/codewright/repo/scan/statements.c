/* Statements. After a slip the rest of its line is left out, and what follows is read. */
#include "scan.h"

#define DEEPEST_BLOCK 150
#define FAR 65536

static void line(scanner *s, opening *o);

/* Leaves out what is left of a logical line. */
void skip_line(scanner *s)
{
    while (s->token.kind != T_NEWLINE && s->token.kind != T_END)
        advance(s);
    s->panic = 0;
    if (s->token.kind == T_NEWLINE)
        advance(s);
}

/* Reads lines up to the end of an indentation that was just begun. */
static void indented(scanner *s, opening *o)
{
    if (++s->level > DEEPEST_BLOCK) {
        fail(s, "too many levels of indentation");
        s->panic = 0;
        for (u32 open = 1; open && s->token.kind != T_END;) {
            open += s->token.kind == T_INDENT;
            open -= s->token.kind == T_DEDENT;
            if (open)
                advance(s);
        }
    }
    for (; s->token.kind != T_DEDENT && s->token.kind != T_END; o = NULL)
        line(s, o);
    s->level--;
    if (s->token.kind == T_DEDENT)
        advance(s);
}

/* ---- simple statements */

static int ended(const scanner *s)
{
    return s->token.kind == T_NEWLINE || s->token.kind == T_END || s->token.kind == ';';
}

static int is_all(const scanner *s, shape x)
{
    return x.kind == X_CHAIN && s->scope == 0 && s->events.at[x.event].flags & E_ROOT && s->events.at[x.event].name == S_ALL;
}

static binding whole(scanner *s, token first)
{
    return (binding){
        .value = -1, .annotated = -1, .start = first.start, .end = s->last_end, .line = first.line,
        .column = first.column, .end_line = s->last_line, .whole = 1,
    };
}

static void annotated(scanner *s, token first, shape x)
{
    u32 targets = s->targets.count;
    advance(s);
    shape type = annotation(s);
    i32 value = -1;
    if (s->token.kind == '=' && !s->panic) {
        advance(s);
        s->collecting = (u8)is_all(s, x);
        value = value_of(s, expressions(s));
        s->collecting = 0;
    }
    binding b = whole(s, first);
    b.value = value, b.annotated = declared(s, type);
    b.type = (span_t){type.start, type.end}, b.typed = 1;
    bind_targets(s, 0, targets, x.kind, &b);
}

static void assignment(scanner *s, token first, shape x)
{
    shape value = x;
    s->groups.count = 0;
    for (u32 from = 0; s->token.kind == '=' && !s->panic;) {
        *PUSH(s, s->groups) = (group_t){from, s->targets.count, value.kind};
        s->collecting |= (u8)is_all(s, value);
        from = s->targets.count;
        advance(s);
        value = expressions(s);
    }
    s->collecting = 0;
    binding b = whole(s, first);
    b.value = value_of(s, value);
    for (u32 i = 0; i < s->groups.count; i++) {
        group_t g = s->groups.at[i];
        bind_targets(s, g.from, g.to, g.kind, &b);
    }
}

static void expression_statement(scanner *s, opening *o)
{
    token first = s->token;
    s->targets.count = 0;
    shape x = expressions(s);
    if (s->panic)
        return;
    if (s->token.kind == '=') {
        assignment(s, first, x);
    } else if (s->token.kind == ':') {
        annotated(s, first, x);
    } else if (s->token.kind == T_AUGMENT) {
        u32 targets = s->targets.count;
        advance(s);
        s->collecting = (u8)is_all(s, x);
        expressions(s);
        s->collecting = 0;
        binding b = whole(s, first);
        b.value = new_value(s, -1, 0, 0);
        bind_targets(s, 0, targets, x.kind, &b);
    } else if (o && x.kind == X_STRING && ended(s))
        o->doc = x.line, o->doc_end = x.end_line;
}

/* ---- imports */

static u32 dotted(scanner *s, u32 start, u32 end)
{
    u8 *made = NULL;
    u32 size = 0;
    for (u32 i = start; i < end; i++)
        if (s->text[i] != '.' && !is_name_byte(s->text[i])) {
            made = take(s, end - start);
            break;
        }
    if (!made)
        return intern(s, s->text + start, end - start);
    for (u32 i = start; i < end; i++)
        if (s->text[i] == '.' || is_name_byte(s->text[i]))
            made[size++] = s->text[i];
    return intern(s, made, size);
}

static u32 alias(scanner *s, u32 otherwise)
{
    if (!is_keyword(s, K_AS))
        return otherwise;
    advance(s);
    u32 name = s->token.name;
    expect(s, T_NAME, "invalid syntax");
    return s->panic ? otherwise : name;
}

static void imported(scanner *s, u32 path)
{
    i32 event = add_event(s, USE_IMPORT, E_IMPORT, -1);
    s->events.at[event].path = path;
}

static void import_names(scanner *s)
{
    do {
        advance(s);
        u32 start = s->token.start, where = s->token.line, path = 0, first = s->token.name;
        while (s->token.kind == T_NAME && s->token.name > K_LAST) {
            path = path_of(s, path, s->token.name);
            imported(s, path);
            advance(s);
            if (s->token.kind != '.')
                break;
            advance(s);
        }
        if (!path) {
            fail(s, "invalid syntax");
            return;
        }
        u32 module = dotted(s, start, s->last_end), only = path_of(s, 0, first);
        int named = is_keyword(s, K_AS);
        u32 bound = alias(s, first);
        bind_first(s, bound, FIRST_IMPORT, named ? path : only);
        *PUSH(s, s->imports) = (import_t){where, module, S_EMPTY, bound, s->owner};
    } while (s->token.kind == ',' && !s->panic);
}

static void import_from(scanner *s)
{
    advance(s);
    u32 start = s->token.start, path = 0;
    for (; s->token.kind == '.' || s->token.kind == T_ELLIPSIS; advance(s))
        for (u32 i = s->token.kind == '.' ? 1 : 3; i; i--)
            path = path_of(s, path, S_EMPTY);
    while (s->token.kind == T_NAME && s->token.name > K_LAST) {
        path = path_of(s, path, s->token.name);
        advance(s);
        if (s->token.kind != '.')
            break;
        advance(s);
    }
    u32 module = dotted(s, start, s->last_end > start ? s->last_end : start);
    if (!path || !is_keyword(s, K_IMPORT)) {
        fail(s, "invalid syntax");
        return;
    }
    advance(s);
    int open = s->token.kind == '(';
    if (open)
        advance(s);
    if (s->token.kind == '*') {
        *PUSH(s, s->imports) = (import_t){s->token.line, module, S_STAR, S_EMPTY, s->owner};
        advance(s);
        return;
    }
    while (s->token.kind == T_NAME && s->token.name > K_LAST && !s->panic) {
        u32 name = s->token.name, where = s->token.line, whole = path_of(s, path, name);
        imported(s, whole);
        advance(s);
        u32 bound = alias(s, name);
        bind_first(s, bound, FIRST_IMPORT, whole);
        *PUSH(s, s->imports) = (import_t){where, module, name, bound, s->owner};
        if (s->token.kind != ',')
            break;
        advance(s);
    }
    if (open)
        expect(s, ')', "'(' was never closed");
}

/* ---- the rest of the simple ones */

static void declare(scanner *s, u8 what)
{
    do {
        advance(s);
        u32 name = s->token.name;
        if (!expect(s, T_NAME, "invalid syntax"))
            return;
        if (s->scope)
            symbol(s, (u32)s->scope, name, 1)->declared = what;
    } while (s->token.kind == ',' && !s->panic);
}

/* Returns the first byte after white space on a line. */
static u32 after_white(const scanner *s, u32 at)
{
    while (s->text[at] == ' ' || s->text[at] == '\t' || s->text[at] == '\f')
        at++;
    return at;
}

static int type_alias_follows(scanner *s)
{
    u32 start = after_white(s, s->now.at), at = start;
    while (is_name_byte(s->text[at]))
        at++;
    if (at == start || intern(s, s->text + start, at - start) <= K_LAST)
        return 0;
    at = after_white(s, at);
    return s->text[at] == '[' || (s->text[at] == '=' && s->text[at + 1] != '=');
}

static void type_alias(scanner *s)
{
    token first = s->token;
    advance(s);
    i32 scope = s->scope, event = add_event(s, USE_WRITE, E_ROOT, -1);
    advance(s);
    s->scope = type_parameters(s);
    if (expect(s, '=', "invalid syntax"))
        annotation(s);
    s->scope = scope;
    binding b = whole(s, first);
    b.value = new_value(s, -1, 0, 0), b.typed = 2;
    bind_name(s, event, &b);
}

static void simple(scanner *s, opening *o)
{
    u32 name = s->token.kind == T_NAME ? s->token.name : 0;
    s->targets.count = 0;
    switch (name) {
    case K_PASS: case K_BREAK: case K_CONTINUE:
        advance(s);
        break;
    case K_RETURN:
        advance(s);
        if (!ended(s))
            expressions(s);
        break;
    case K_RAISE:
        advance(s);
        if (!ended(s))
            expression(s);
        if (is_keyword(s, K_FROM)) {
            advance(s);
            expression(s);
        }
        break;
    case K_ASSERT:
        advance(s);
        expression(s);
        if (s->token.kind == ',') {
            advance(s);
            expression(s);
        }
        break;
    case K_DEL:
        advance(s);
        expressions(s);
        delete_targets(s, 0);
        break;
    case K_IMPORT:
        import_names(s);
        break;
    case K_FROM:
        import_from(s);
        break;
    case K_GLOBAL:
        declare(s, DECLARED_GLOBAL);
        break;
    case K_NONLOCAL:
        declare(s, DECLARED_NONLOCAL);
        break;
    case S_TYPE:
        if (type_alias_follows(s)) {
            type_alias(s);
            break;
        }
        expression_statement(s, o);
        break;
    default:
        expression_statement(s, o);
    }
}

static void simple_line(scanner *s, opening *o)
{
    for (;; o = NULL) {
        simple(s, o);
        if (s->panic || s->token.kind != ';')
            break;
        advance(s);
        if (s->token.kind == T_NEWLINE || s->token.kind == T_END)
            break;
    }
    if (!s->panic && s->token.kind != T_NEWLINE && s->token.kind != T_END)
        fail(s, "invalid syntax");
    skip_line(s);
}

/* ---- compound statements */

/* Reads a block after its head, whose colon is the present token. */
void block_of(scanner *s, opening *o)
{
    u8 said = s->panic;
    if (!said && s->token.kind != ':') {
        fail(s, "expected ':'");
        said = 1;
    }
    if (said)
        skip_line(s);
    else {
        advance(s);
        if (s->token.kind != T_NEWLINE) {
            if (o)
                o->body = s->token.line;
            simple_line(s, o);
            return;
        }
        advance(s);
    }
    if (s->token.kind == T_INDENT) {
        advance(s);
        indented(s, o);
    } else if (!said) {
        fail(s, "expected an indented block");
        s->panic = 0;
    }
}

static void for_statement(scanner *s)
{
    advance(s);
    s->targets.count = 0;
    s->no_in = 1;
    shape x = expressions(s);
    s->no_in = 0;
    binding b = {.value = new_value(s, -1, 0, 0), .annotated = -1};
    bind_targets(s, 0, s->targets.count, x.kind, &b);
    if (!s->panic && !is_keyword(s, K_IN))
        fail(s, "invalid syntax");
    if (!s->panic) {
        advance(s);
        expressions(s);
    }
    block_of(s, NULL);
}

/* Says whether brackets hold items of a `with`: `as` stands in them, and a colon follows them. */
static int holds_items(scanner *s)
{
    const u8 *t = s->text;
    u32 at = s->token.start, depth = 0, as = 0, most = at + FAR;
    while (at < s->size && at < most) {
        u8 c = t[at];
        if (c == '"' || c == '\'') {
            int triple = at + 2 < s->size && t[at + 1] == c && t[at + 2] == c;
            at = skip_string(s, at + (triple ? 3 : 1), c, triple);
            continue;
        }
        if (c == '#')
            while (at < s->size && !newline_at(s, at))
                at++;
        else if (c == '(' || c == '[' || c == '{')
            depth++;
        else if (c == ')' || c == ']' || c == '}') {
            if (!--depth)
                return as && t[after_white(s, at + 1)] == ':';
        } else if (is_name_byte(c)) {
            u32 start = at;
            while (is_name_byte(t[at]))
                at++;
            as |= depth == 1 && at - start == 2 && c == 'a' && t[start + 1] == 's';
            continue;
        }
        at++;
    }
    return 0;
}

static void with_statement(scanner *s)
{
    advance(s);
    int open = s->token.kind == '(' && holds_items(s);
    if (open)
        advance(s);
    while (!s->panic) {
        i32 value = value_of(s, expression(s));
        if (is_keyword(s, K_AS) && !s->panic) {
            advance(s);
            s->targets.count = 0;
            shape x = s->token.kind == '*' ? named_expression(s) : expression(s);
            binding b = {.value = value < 0 ? new_value(s, -1, 0, 0) : value, .annotated = -1};
            bind_targets(s, 0, s->targets.count, x.kind, &b);
        }
        if (s->token.kind != ',')
            break;
        advance(s);
        if (open && s->token.kind == ')')
            break;
    }
    if (open && !s->panic)
        expect(s, ')', "'(' was never closed");
    block_of(s, NULL);
}

static void except_clause(scanner *s)
{
    advance(s);
    if (s->token.kind == '*')
        advance(s);
    if (s->token.kind != ':') {
        shape x = expressions(s);
        if (is_keyword(s, K_AS) && !s->panic) {
            advance(s);
            u32 name = s->token.name;
            if (expect(s, T_NAME, "invalid syntax")) {
                i32 chain = x.kind == X_CHAIN && root_of(s, x.event) >= 0 ? x.event : -1;
                i32 value = new_value(s, chain, 0, 0), scope = home_of(s, s->scope, name);
                if (scope >= 0) {
                    symbol_t *to = symbol(s, (u32)scope, name, 1);
                    to->other = 1;
                    add_value(s, to, value);
                }
            }
        }
    }
    block_of(s, NULL);
}

/* Says whether the name `match` begins a statement of that name: its line ends with a colon. */
static int match_follows(scanner *s)
{
    const u8 *t = s->text;
    u32 at = after_white(s, s->now.at), depth = 0, most = at + FAR, size;
    if (memchr("=,:;)]}", t[at], 7) || (t[at] == '.' && t[at + 1] != '.'))
        return 0;
    u8 last = 0;
    for (; at < s->size && at < most; at++) {
        u8 c = t[at];
        if (c == '"' || c == '\'') {
            int triple = at + 2 < s->size && t[at + 1] == c && t[at + 2] == c;
            at = skip_string(s, at + (triple ? 3 : 1), c, triple) - 1;
            last = c;
            continue;
        }
        if (c == '#') {
            while (at < s->size && !newline_at(s, at))
                at++;
            if (at >= s->size)
                break;
        }
        if (t[at] == '\\' && (size = newline_at(s, at + 1))) {
            at += size;
            continue;
        }
        if (newline_at(s, at)) {
            if (!depth)
                break;
            continue;
        }
        c = t[at];
        if (c == '(' || c == '[' || c == '{')
            depth++;
        else if ((c == ')' || c == ']' || c == '}') && depth)
            depth--;
        if (c != ' ' && c != '\t' && c != '\f')
            last = depth ? 0 : c;
    }
    return last == ':';
}

static void match_statement(scanner *s)
{
    advance(s);
    expressions(s);
    if (s->panic || s->token.kind != ':') {
        block_of(s, NULL);
        return;
    }
    advance(s);
    if (s->token.kind == T_NEWLINE)
        advance(s);
    if (s->token.kind != T_INDENT) {
        fail(s, "expected an indented block");
        skip_line(s);
        return;
    }
    advance(s);
    while (s->token.kind != T_DEDENT && s->token.kind != T_END) {
        if (!is_keyword(s, S_CASE)) {
            line(s, NULL);
            continue;
        }
        advance(s);
        patterns(s);
        if (is_keyword(s, K_IF) && !s->panic) {
            advance(s);
            named_expression(s);
        }
        block_of(s, NULL);
    }
    if (s->token.kind == T_DEDENT)
        advance(s);
}

static void headed(scanner *s)
{
    u32 name = s->token.name;
    advance(s);
    if (name == K_IF || name == K_ELIF || name == K_WHILE)
        named_expression(s);
    block_of(s, NULL);
}

/* Reads a logical line, and the block that it is the head of. */
static void line(scanner *s, opening *o)
{
    if (s->token.kind == T_INDENT) {
        fail(s, "unexpected indent");
        s->panic = 0;
        advance(s);
        indented(s, o);
        return;
    }
    if (s->token.kind == T_NEWLINE) {
        advance(s);
        return;
    }
    if (o)
        o->body = s->token.line;
    if (s->token.kind == '@') {
        definition(s, o);
        return;
    }
    switch (s->token.kind == T_NAME ? s->token.name : 0) {
    case K_DEF: case K_CLASS: case K_ASYNC:
        definition(s, NULL);
        break;
    case K_IF: case K_ELIF: case K_WHILE: case K_ELSE: case K_TRY: case K_FINALLY:
        headed(s);
        break;
    case K_FOR:
        for_statement(s);
        break;
    case K_WITH:
        with_statement(s);
        break;
    case K_EXCEPT:
        except_clause(s);
        break;
    case S_MATCH:
        if (match_follows(s)) {
            match_statement(s);
            break;
        }
        simple_line(s, o);
        break;
    default:
        simple_line(s, o);
    }
}

/* `async for` and `async with`, whose second word is the present token. */
void asynchronous(scanner *s)
{
    if (is_keyword(s, K_FOR))
        for_statement(s);
    else if (is_keyword(s, K_WITH))
        with_statement(s);
    else {
        fail(s, "invalid syntax");
        skip_line(s);
    }
}

void module(scanner *s)
{
    opening first = {0}, *o = &first;
    *PUSH(s, s->indents) = 0;
    new_scope(s, AREA_MODULE, -1, 0, 0);
    s->now.line = 1;
    s->now.fresh = s->now.first = 1;
    s->token.kind = T_NEWLINE;
    advance(s);
    while (s->token.kind != T_END) {
        if (s->token.kind == T_DEDENT) {
            advance(s);
            continue;
        }
        line(s, o);
        o = NULL;
    }
    draft_t *d = &s->drafts.at[0];
    d->body = first.body, d->doc = first.doc, d->doc_end = first.doc_end;
}
