/* Text to tokens, as Python's tokenizer has them, but that it goes on after what is wrong. */
#include "scan.h"

enum { C_OTHER, C_NAME, C_DIGIT, C_SPACE, C_LINE, C_QUOTE };

static u8 class_of(u8 c)
{
    static const u8 classes[128] = {
        ['\t'] = C_SPACE, ['\f'] = C_SPACE, [' '] = C_SPACE, ['\n'] = C_LINE, ['\r'] = C_LINE,
        ['"'] = C_QUOTE, ['\''] = C_QUOTE, ['_'] = C_NAME,
        ['0'] = C_DIGIT, ['1'] = C_DIGIT, ['2'] = C_DIGIT, ['3'] = C_DIGIT, ['4'] = C_DIGIT,
        ['5'] = C_DIGIT, ['6'] = C_DIGIT, ['7'] = C_DIGIT, ['8'] = C_DIGIT, ['9'] = C_DIGIT,
        ['a'] = C_NAME, ['b'] = C_NAME, ['c'] = C_NAME, ['d'] = C_NAME, ['e'] = C_NAME,
        ['f'] = C_NAME, ['g'] = C_NAME, ['h'] = C_NAME, ['i'] = C_NAME, ['j'] = C_NAME,
        ['k'] = C_NAME, ['l'] = C_NAME, ['m'] = C_NAME, ['n'] = C_NAME, ['o'] = C_NAME,
        ['p'] = C_NAME, ['q'] = C_NAME, ['r'] = C_NAME, ['s'] = C_NAME, ['t'] = C_NAME,
        ['u'] = C_NAME, ['v'] = C_NAME, ['w'] = C_NAME, ['x'] = C_NAME, ['y'] = C_NAME,
        ['z'] = C_NAME,
        ['A'] = C_NAME, ['B'] = C_NAME, ['C'] = C_NAME, ['D'] = C_NAME, ['E'] = C_NAME,
        ['F'] = C_NAME, ['G'] = C_NAME, ['H'] = C_NAME, ['I'] = C_NAME, ['J'] = C_NAME,
        ['K'] = C_NAME, ['L'] = C_NAME, ['M'] = C_NAME, ['N'] = C_NAME, ['O'] = C_NAME,
        ['P'] = C_NAME, ['Q'] = C_NAME, ['R'] = C_NAME, ['S'] = C_NAME, ['T'] = C_NAME,
        ['U'] = C_NAME, ['V'] = C_NAME, ['W'] = C_NAME, ['X'] = C_NAME, ['Y'] = C_NAME,
        ['Z'] = C_NAME,
    };
    return c < 128 ? classes[c] : C_NAME;
}

int is_name_byte(u8 c)
{
    u8 class = class_of(c);
    return class == C_NAME || class == C_DIGIT;
}

void fail(scanner *s, const char *why)
{
    s->panic = 1;
    if (!s->error) {
        s->error = why;
        s->error_line = s->token.line ? s->token.line : s->now.line;
    }
}

static void note(scanner *s, const char *why)
{
    if (!s->error) {
        s->error = why;
        s->error_line = s->now.line;
    }
}

/* Returns the size of a line end at a place, 0 where there is none. */
u32 newline_at(const scanner *s, u32 at)
{
    if (at >= s->size)
        return 0;
    if (s->text[at] == '\n')
        return 1;
    return s->text[at] == '\r' ? 1 + (s->text[at + 1] == '\n' && at + 1 < s->size) : 0;
}

static void line_passed(scanner *s, u32 next)
{
    s->now.at = next;
    s->now.line++;
    s->now.line_start = next;
    s->now.first = 1;
}

/* Returns where a string ends whose opening quotes end at a place, 0 where it does not. */
static u32 string_end(const scanner *s, u32 at, u8 quote, int triple)
{
    const u8 *t = s->text;
    while (at < s->size) {
        u8 c = t[at];
        if (c == '\\') {
            at += 2;
            if (at < s->size && t[at - 1] == '\r' && t[at] == '\n')
                at++;
        } else if (c == quote && (!triple || (at + 2 < s->size && t[at + 1] == quote && t[at + 2] == quote)))
            return at + (triple ? 3 : 1);
        else if (!triple && (c == '\n' || c == '\r'))
            return 0;
        else
            at++;
    }
    return 0;
}

static u32 line_end(const scanner *s, u32 at)
{
    while (at < s->size && s->text[at] != '\n' && s->text[at] != '\r')
        at++;
    return at;
}

/* Returns where a string ends, after its quotes; what is not closed ends with its line. */
u32 skip_string(scanner *s, u32 at, u8 quote, int triple)
{
    u32 end = triple && s->no_triple[quote == '"'] ? 0 : string_end(s, at, quote, triple);
    if (end)
        return end;
    note(s, "a string is not closed");
    if (triple)
        s->no_triple[quote == '"'] = 1;
    return line_end(s, at);
}

/* Moves over text that may hold line ends. */
static void pass(scanner *s, u32 end)
{
    const u8 *t = s->text;
    for (u32 at = s->now.at; at < end; at++)
        if (t[at] == '\n' || (t[at] == '\r' && !(t[at + 1] == '\n' && at + 1 < s->size))) {
            line_passed(s, at + 1);
            s->now.first = 0;
        }
    s->now.at = end;
}

static void string_token(scanner *s, u32 prefix_end)
{
    token *k = &s->token;
    u32 flags = STRING_PLAIN;
    for (u32 i = k->start; i < prefix_end; i++) {
        u8 c = s->text[i] | 0x20;
        flags = c == 'b' ? (flags | STRING_BYTES) & ~STRING_PLAIN : flags;
        flags = c == 'r' ? flags | STRING_RAW : flags;
        if (c == 'f' || c == 't')
            k->kind = T_FSTRING, flags &= ~STRING_PLAIN;
    }
    u8 quote = s->text[prefix_end];
    int triple = prefix_end + 2 < s->size && s->text[prefix_end + 1] == quote && s->text[prefix_end + 2] == quote;
    k->name = flags | (triple ? STRING_TRIPLE : 0);
    u32 inside = prefix_end + (triple ? 3 : 1);
    if (k->kind == T_FSTRING) {     /* the parser reads on from here */
        s->now.at = inside;
        return;
    }
    k->kind = T_STRING;
    pass(s, skip_string(s, inside, quote, triple));
}

static int string_prefix(const u8 *t, u32 size)
{
    for (u32 i = 0; i < size; i++)
        if (!strchr("rRbBuUfFtT", t[i]))
            return 0;
    return size <= 2;
}

/* Says whether a name can only begin a statement, so that a bracket left open before it is a slip. */
static int begins_statement(u32 name)
{
    return name == K_DEF || name == K_CLASS || name == K_IMPORT || name == K_RETURN || name == K_WHILE
        || name == K_TRY || name == K_WITH || name == K_RAISE || name == K_PASS || name == K_DEL
        || name == K_GLOBAL || name == K_ASSERT || name == K_BREAK || name == K_CONTINUE;
}

static void number(scanner *s)
{
    const u8 *t = s->text;
    u32 at = s->now.at;
    int hexadecimal = t[at] == '0' && (t[at + 1] | 0x20) == 'x', pointed = 0;
    for (;; at++) {
        u8 c = t[at];
        if (c == '.' && pointed++)
            break;
        if ((c == '+' || c == '-') && !hexadecimal && (t[at - 1] | 0x20) == 'e' && class_of(t[at + 1]) == C_DIGIT)
            continue;
        if (c >= 128 || (c != '.' && !is_name_byte(c)))
            break;
        if (hexadecimal) {
            pointed = 1;
            if (at > s->token.start + 1 && c != '_' && !strchr("0123456789abcdefABCDEF", c))
                break;
        } else if (class_of(c) == C_NAME && c != '_') {    /* `1if x`, `0or y` */
            u8 low = c | 0x20;
            if (!strchr("ejbox", low) || (low == 'o' && (t[at + 1] | 0x20) == 'r')
                || (low == 'e' && (t[at + 1] | 0x20) == 'l'))
                break;
            pointed = 1;
        }
    }
    s->now.at = at;
    s->token.kind = T_NUMBER;
}

static void operator(scanner *s)
{
    const u8 *t = s->text + s->now.at;
    token *k = &s->token;
    u8 c = t[0], d = t[1];
    u32 size = 1;
    k->kind = c;
    switch (c) {
    case '(': case '[': case '{':
        s->now.depth++;
        break;
    case ')': case ']': case '}':
        if (s->now.depth)
            s->now.depth--;
        break;
    case ':':
        if (d == '=')
            k->kind = T_WALRUS, size = 2;
        break;
    case '.':
        if (d == '.' && t[2] == '.')
            k->kind = T_ELLIPSIS, size = 3;
        break;
    case '=':
        if (d == '=')
            k->kind = T_BINARY, size = 2;
        break;
    case '!':
        if (d == '=')
            k->kind = T_BINARY, size = 2;
        break;
    case '-':
        if (d == '>')
            k->kind = T_ARROW, size = 2;
        else if (d == '=')
            k->kind = T_AUGMENT, size = 2;
        break;
    case '+': case '%': case '&': case '|': case '^': case '@':
        if (d == '=')
            k->kind = T_AUGMENT, size = 2;
        break;
    case '*': case '/':
        if (d == c)
            size = t[2] == '=' ? 3 : 2, k->kind = size == 3 ? T_AUGMENT : c == '*' ? T_POWER : T_BINARY;
        else if (d == '=')
            k->kind = T_AUGMENT, size = 2;
        break;
    case '<': case '>':
        k->kind = T_BINARY;
        if (d == c)
            size = t[2] == '=' ? 3 : 2, k->kind = size == 3 ? T_AUGMENT : T_BINARY;
        else if (d == '=' || (c == '<' && d == '>'))
            size = 2;
        break;
    case ',': case ';': case '~':
        break;
    default:
        k->kind = T_ERROR;
    }
    s->now.at += size;
}

/* At the beginning of a logical line: skips empty ones; returns whether an indentation token is due. */
static int indentation(scanner *s)
{
    const u8 *t = s->text;
    for (;;) {
        u32 column = 0, at = s->now.at, size;
        for (;; at++) {
            if (t[at] == ' ')
                column++;
            else if (t[at] == '\t')
                column = (column / 8 + 1) * 8;
            else if (t[at] == '\f')
                column = 0;
            else if (t[at] == '\\' && (size = newline_at(s, at + 1))) {
                line_passed(s, at + 1 + size);
                at = s->now.at - 1;
            } else
                break;
        }
        s->now.at = at;
        if (at < s->size && t[at] == '#')
            s->now.at = at = line_end(s, at);
        if ((size = newline_at(s, at))) {
            line_passed(s, at + size);
            continue;
        }
        if (at >= s->size) {
            s->dedents = s->indents.count - 1;
            s->indents.count = 1;
            return 0;
        }
        s->now.fresh = 0;
        u32 top = s->indents.at[s->indents.count - 1];
        if (column > top) {
            *PUSH(s, s->indents) = column;
            return 1;
        }
        while (column < s->indents.at[s->indents.count - 1])
            s->indents.count--, s->dedents++;
        if (column != s->indents.at[s->indents.count - 1])
            note(s, "unindent does not match any outer indentation level");
        return 0;
    }
}

static void empty_token(scanner *s, u32 kind)
{
    s->token = (token){kind, s->now.at, s->now.at, s->now.line, s->now.at - s->now.line_start, s->now.line, 0};
}

static void name_token(scanner *s)
{
    const u8 *t = s->text;
    token *k = &s->token;
    u32 at = s->now.at + 1;
    while (is_name_byte(t[at]))
        at++;
    if (class_of(t[at]) == C_QUOTE && at < s->size && string_prefix(t + k->start, at - k->start)) {
        string_token(s, at);
        return;
    }
    k->kind = T_NAME;
    k->name = intern(s, t + k->start, at - k->start);
    s->now.at = at;
}

static void next(scanner *s)
{
    const u8 *t = s->text;
    if (s->now.fresh && !s->now.depth && !s->dedents && indentation(s)) {
        empty_token(s, T_INDENT);
        return;
    }
    if (s->dedents) {
        s->dedents--;
        empty_token(s, T_DEDENT);
        return;
    }
    for (;;) {
        u32 at = s->now.at, size;
        while (class_of(t[at]) == C_SPACE)
            at++;
        s->now.at = at;
        if (t[at] == '#') {
            s->now.at = line_end(s, at);
            continue;
        }
        if (t[at] == '\\' && (size = newline_at(s, at + 1))) {
            line_passed(s, at + 1 + size);
            continue;
        }
        if (!(size = newline_at(s, at)))
            break;
        if (!s->now.depth) {
            empty_token(s, T_NEWLINE);
            line_passed(s, at + size);
            s->now.fresh = 1;
            return;
        }
        line_passed(s, at + size);
    }
    empty_token(s, T_ERROR);
    token *k = &s->token;
    if (s->now.at >= s->size) {
        if (!s->now.fresh) {    /* as if a line ended here */
            if (s->now.depth)
                note(s, "a bracket is not closed");
            s->now.fresh = 1;
            s->now.depth = 0;
            k->kind = T_NEWLINE;
            return;
        }
        k->kind = T_END;
        return;
    }
    u8 class = class_of(t[s->now.at]), first = s->now.first;
    s->now.first = 0;
    if (class == C_NAME) {
        name_token(s);
        if (first && s->now.depth && k->kind == T_NAME && begins_statement(k->name)) {
            s->now.depth = 0;
            s->now.at = s->now.line_start;
            note(s, "a bracket is not closed");
            s->now.first = s->now.fresh = 1;
            empty_token(s, T_NEWLINE);
        }
    } else if (class == C_DIGIT || (t[s->now.at] == '.' && class_of(t[s->now.at + 1]) == C_DIGIT))
        number(s);
    else if (class == C_QUOTE)
        string_token(s, s->now.at);
    else
        operator(s);
}

void advance(scanner *s)
{
    if (s->token.kind != T_NEWLINE && s->token.kind != T_INDENT && s->token.kind != T_DEDENT) {
        s->last_end = s->token.end;
        s->last_line = s->token.end_line;
    }
    next(s);
    s->token.end = s->now.at;
    s->token.end_line = s->now.line;
    if (s->token.kind == T_NEWLINE || s->token.kind == T_END)
        s->token.end = s->token.start, s->token.end_line = s->token.line;
}

/* Reads the next token from a place inside or just after the present one, on the same line. */
void advance_from(scanner *s, u32 at)
{
    s->now.at = at;
    advance(s);
}
