/* The patterns of `case`. */
#include "scan.h"

static void pattern(scanner *s);

static void capture(scanner *s)
{
    if (s->token.kind != T_NAME || s->token.name <= K_LAST) {
        fail(s, "invalid syntax");
        return;
    }
    if (s->token.name != S_UNDERSCORE) {
        i32 event = add_event(s, USE_WRITE, E_ROOT, -1);
        binding b = {.value = new_value(s, -1, 0, 0), .annotated = -1};
        bind_name(s, event, &b);
    }
    advance(s);
}

static void several(scanner *s, u32 close)
{
    while (s->token.kind != close && s->token.kind != T_END && !s->panic) {
        if (s->token.kind == T_POWER) {
            advance(s);
            capture(s);
        } else {
            pattern(s);
            if (s->token.kind == ':' && close == '}') {
                advance(s);
                pattern(s);
            } else if (s->token.kind == '=' && close == ')') {
                s->events.count--;      /* `x=` in a class pattern: added by name_pattern last */
                advance(s);
                pattern(s);
            }
        }
        if (s->token.kind != ',')
            break;
        advance(s);
    }
    expect(s, close, "invalid syntax");
}

/* Says whether a name is a keyword of a class pattern: it is followed by `=`, not `==`. */
static int keyword_follows(const scanner *s)
{
    u32 at = s->now.at;
    while (s->text[at] == ' ' || s->text[at] == '\t' || s->text[at] == '\n' || s->text[at] == '\r')
        at++;
    return s->text[at] == '=' && s->text[at + 1] != '=';
}

static void name_pattern(scanner *s)
{
    u32 at = s->now.at;
    while (s->text[at] == ' ' || s->text[at] == '\t')
        at++;
    if (s->now.depth && keyword_follows(s)) {
        add_event(s, USE_READ, E_ROOT, -1);
        advance(s);
        return;
    }
    if (s->text[at] != '.' && s->text[at] != '(') {
        capture(s);
        return;
    }
    i32 event = add_event(s, USE_READ, E_ROOT, -1);
    advance(s);
    while (s->token.kind == '.' && !s->panic) {
        advance(s);
        if (s->token.kind != T_NAME || s->token.name <= K_LAST)
            fail(s, "invalid syntax");
        else {
            event = add_event(s, USE_READ, 0, event);
            advance(s);
        }
    }
    if (s->token.kind == '(') {
        advance(s);
        several(s, ')');
    }
}

static void closed(scanner *s)
{
    switch (s->token.kind) {
    case '(':
        advance(s);
        several(s, ')');
        break;
    case '[':
        advance(s);
        several(s, ']');
        break;
    case '{':
        advance(s);
        several(s, '}');
        break;
    case '*':
        advance(s);
        capture(s);
        break;
    case T_NAME:
        if (s->token.name > K_LAST)
            name_pattern(s);
        else if (s->token.name <= K_TRUE)
            advance(s);
        else
            fail(s, "invalid syntax");
        break;
    case T_NUMBER: case T_STRING: case '-': case '+':
        while (s->token.kind == T_NUMBER || s->token.kind == T_STRING || s->token.kind == '-' || s->token.kind == '+')
            advance(s);
        break;
    default:
        fail(s, "invalid syntax");
    }
}

static void pattern(scanner *s)
{
    if (++s->level > 300) {
        fail(s, "too many nested parentheses");
        s->level--;
        return;
    }
    closed(s);
    while (s->token.kind == '|' && !s->panic) {
        advance(s);
        closed(s);
    }
    if (is_keyword(s, K_AS) && !s->panic) {
        advance(s);
        capture(s);
    }
    s->level--;
}

void patterns(scanner *s)
{
    pattern(s);
    while (s->token.kind == ',' && !s->panic) {
        advance(s);
        if (s->token.kind == ':' || is_keyword(s, K_IF))
            break;
        pattern(s);
    }
}
