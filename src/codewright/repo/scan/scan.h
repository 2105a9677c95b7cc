/* The scanner of Python files: one pass over the text, then one over its names.
 *
 * What it finds is defined by python_ast.py, word for word; this is the same, fast, and goes on
 * after errors. Text is UTF-8 that a NUL follows. Nothing here is shared between calls. */
#ifndef CODEWRIGHT_SCAN_H
#define CODEWRIGHT_SCAN_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef int32_t i32;

/* ---- memory: blocks that live as long as a call, and arrays that grow */

typedef struct block { struct block *next; } block;

#define ARRAY(type) struct { type *at; u32 count, room; }
#define PUSH(s, array) (grow((s), (void **)&(array).at, &(array).room, (array).count + 1, sizeof *(array).at), &(array).at[(array).count++])

/* ---- names */

typedef struct { const u8 *text; u32 size, hash, out; u8 defined, mentioned, exported; } name_t;

enum keyword {
    K_FALSE = 1, K_NONE, K_TRUE, K_AND, K_AS, K_ASSERT, K_ASYNC, K_AWAIT, K_BREAK, K_CLASS, K_CONTINUE,
    K_DEF, K_DEL, K_ELIF, K_ELSE, K_EXCEPT, K_FINALLY, K_FOR, K_FROM, K_GLOBAL, K_IF, K_IMPORT, K_IN,
    K_IS, K_LAMBDA, K_NONLOCAL, K_NOT, K_OR, K_PASS, K_RAISE, K_RETURN, K_TRY, K_WHILE, K_WITH,
    K_YIELD, K_LAST = K_YIELD,
    S_MATCH, S_CASE, S_TYPE, S_ALL, S_UNDERSCORE, S_OPTIONAL, S_TYPE_ALIAS, S_STAR, S_EMPTY, S_PYTHON,
};

/* ---- tokens: one character is its own kind, longer operators follow */

enum token_kind {
    T_END = 0, T_NEWLINE = 256, T_INDENT, T_DEDENT, T_NAME, T_NUMBER, T_STRING, T_FSTRING, T_ERROR,
    T_WALRUS, T_ARROW, T_ELLIPSIS, T_AUGMENT, T_BINARY, T_POWER,
};
enum { STRING_BYTES = 1, STRING_PLAIN = 2, STRING_RAW = 4, STRING_TRIPLE = 8 };

typedef struct {
    u32 kind, start, end, line, column, end_line;
    u32 name;   /* T_NAME; T_STRING and T_FSTRING: their flags */
} token;

typedef struct {
    u32 at, line, line_start, depth;
    u8 fresh;               /* at the beginning of a logical line */
    u8 first;               /* nothing stood on this line yet */
} place_t;

/* ---- scopes, and what is bound in them */

enum { AREA_MODULE, AREA_CLASS, AREA_FUNCTION };
enum { FIRST_NONE, FIRST_IMPORT, FIRST_FUNCTION, FIRST_CLASS };
enum { DECLARED_GLOBAL = 1, DECLARED_NONLOCAL };

typedef struct {
    i32 parent, home;       /* a scope, a draft */
    u32 path, self_name;
    i32 self_class;
    u8 area, comprehension;
} scope_t;

typedef struct { i32 chain, scope, next; u8 called, plain, unknown; } value_t;

typedef struct {
    u32 scope, name;        /* an attribute of an instance: scope | ATTRIBUTE */
    u32 path;               /* of an import */
    i32 annotated;          /* a value, -1 without */
    uint64_t annotated_at;  /* its place in the text */
    i32 values;             /* the last one, -1 without */
    u32 type_path;
    u32 drafted;            /* its draft */
    u8 first, variable, other, declared, typed, type_binding;
} symbol_t;
#define ATTRIBUTE 0x80000000u

enum kind { KIND_MODULE, KIND_CLASS, KIND_FUNCTION, KIND_METHOD, KIND_VARIABLE, KIND_CONSTANT, KIND_ATTRIBUTE, KIND_TYPE = 11 };
enum {
    FLAG_ASYNC = 1, FLAG_STATIC = 2, FLAG_CLASS_METHOD = 4, FLAG_PROPERTY = 8, FLAG_ABSTRACT = 16,
    FLAG_OVERLOAD = 32, FLAG_PRIVATE = 64, FLAG_TEST = 128, FLAG_EXPORTED = 256,
};
enum { BOUND_UNKNOWN, BOUND_LOCAL, BOUND_FILE, BOUND_IMPORT, BOUND_SELF, BOUND_BUILTIN };

/* ---- names in the text */

enum { USE_READ, USE_CALL, USE_WRITE, USE_IMPORT, USE_INHERIT, USE_DECORATE, USE_ANNOTATE };
enum { E_ROOT = 1, E_IMPORT = 2, E_OUTSIDE = 4 /* of a comprehension: `:=` */ };
enum { M_NORMAL, M_LOCAL, M_SELF, M_ATTRIBUTE };

typedef struct {
    u32 name, line, column, path;
    i32 before, scope, owner, aux;
    u8 use, flags, binding, guess, state;
} event_t;

typedef struct {
    u32 name, at_line, at_column;
    i32 parent, scope;      /* scope: of a variable or attribute, by which it is decided; else -1 */
    u32 first, line, column, end, body, doc, doc_end;
    u32 signature, signature_end, type, type_end;   /* spans of the text */
    u32 decorators, decorator_count;                /* into `spans` */
    u32 flags, ordinal;
    u32 said;               /* the signature on one line, as it was written */
    u8 kind, gone, typed;   /* typed: 1 by its span, 2 TypeAlias */
} draft_t;

typedef struct { u32 start, end; } span_t;
typedef struct { i32 before; i32 draft, value, annotated; } assigned_t;
typedef struct { u32 line, module, name, alias; i32 owner; } import_t;
typedef struct { u32 from, to; u8 kind; } group_t;
typedef struct { u32 before, name, out; } path_t;

typedef struct scanner {
    const u8 *text;
    u32 size;
    block *blocks;
    jmp_buf no_memory;
    /* tokens */
    place_t now;
    token token;
    u32 last_end, last_line;            /* of the token before */
    ARRAY(u32) indents;
    u32 dedents;
    u8 broken_strings, no_triple[2];
    /* names */
    ARRAY(name_t) names;
    u32 *name_table, name_mask;
    u32 builtin_first, builtin_last;
    /* what was found */
    ARRAY(scope_t) scopes;
    ARRAY(symbol_t) symbols;
    u32 *symbol_table, symbol_mask;
    ARRAY(value_t) values;
    ARRAY(event_t) events;
    ARRAY(draft_t) drafts;
    ARRAY(span_t) spans;
    ARRAY(assigned_t) assigned;
    ARRAY(import_t) imports;
    ARRAY(group_t) groups;
    ARRAY(path_t) paths;
    u32 *path_table, path_mask;
    ARRAY(u32) targets;
    /* where the parser is */
    i32 scope, owner;
    u32 nest, level;
    u8 annotation, no_in, collecting, panic;
    /* the first error */
    u32 error_line;
    const char *error;
    /* what is written */
    draft_t **order;
    u32 order_count;
    u8 *bodies;
    ARRAY(u8) out;
    ARRAY(u32) strings;                 /* names in the order of their numbers */
    /* pieces */
    span_t *lines;                      /* without their ends; and the end of the text */
    u32 line_count;
    i32 *places;
    ARRAY(u8) told;
    u8 *said;
} scanner;

/* memory.c */
void grow(scanner *s, void **array, u32 *room, u32 wanted, size_t each);
void *take(scanner *s, size_t size);
void release(scanner *s);
u32 hash_bytes(const u8 *text, u32 size);
u32 intern(scanner *s, const u8 *text, u32 size);
u32 path_of(scanner *s, u32 before, u32 name);
symbol_t *symbol(scanner *s, u32 scope, u32 name, int make);
void prepare(scanner *s);

/* lex.c */
void advance(scanner *s);
void advance_from(scanner *s, u32 at);
void fail(scanner *s, const char *why);
u32 skip_string(scanner *s, u32 at, u8 quote, int triple);
u32 newline_at(const scanner *s, u32 at);
int is_name_byte(u8 byte);

/* expressions.c */
enum { X_OTHER, X_CHAIN, X_CALLED, X_CALLED_AGAIN, X_SUBSCRIPT, X_NONE, X_STRING, X_OR_NONE };
typedef struct {
    u8 kind, group, several;
    i32 event, inner;
    u32 start, end, line, end_line;
} shape;
shape expression(scanner *s);           /* no tuple, no := */
shape named_expression(scanner *s);     /* := too, and * */
shape expressions(scanner *s);          /* a tuple without its parentheses */
shape annotation(scanner *s);
void parameters(scanner *s, i32 inner, u32 close, u32 *first_name);
i32 new_scope(scanner *s, u8 area, i32 parent, u32 path, i32 home);
i32 add_event(scanner *s, u32 use, u8 flags, i32 before);
int expect(scanner *s, u32 kind, const char *why);
int is_keyword(const scanner *s, u32 word);

/* bind.c */
typedef struct { i32 value, annotated; u32 start, end, line, column, end_line; span_t type; u8 whole, typed; } binding;
i32 root_of(const scanner *s, i32 event);
i32 home_of(scanner *s, i32 scope, u32 name);
i32 new_value(scanner *s, i32 chain, u8 called, u8 plain);
i32 value_of(scanner *s, shape x);      /* -1: None */
i32 declared(scanner *s, shape x);
void add_value(scanner *s, symbol_t *to, i32 value);
uint64_t place_of(u32 line, u32 column);
void bind_name(scanner *s, i32 event, const binding *b);
void bind_targets(scanner *s, u32 from, u32 to, u8 kind, const binding *b);
void delete_targets(scanner *s, u32 from);
void bind_first(scanner *s, u32 name, u8 first, u32 path);

/* statements.c, patterns.c */
void module(scanner *s);
typedef struct { u32 body, doc, doc_end; } opening;     /* what a body begins with */
void block_of(scanner *s, opening *o);
void skip_line(scanner *s);
void definition(scanner *s, opening *o);
i32 type_parameters(scanner *s);
void patterns(scanner *s);

/* resolve.c, write.c, words.c, pieces.c. What is written: see cw_scan */
enum { NUMBERS = 7, BEFORE = 4 * NUMBERS };
void resolve(scanner *s);
int flat(const scanner *s, u32 start, u32 end, u8 *out);
void put_bytes(scanner *s, const u8 *bytes, u32 size);
void write_blob(scanner *s, u32 lines, const u8 *wrong, u32 wrong_size, u32 sizes[2]);
u8 *cw_words(const u8 *t, size_t size, int borders);
void write_pieces(scanner *s, u32 lines, u32 sizes[4]);

#endif
