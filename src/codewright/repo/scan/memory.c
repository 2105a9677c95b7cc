/* Memory of one call, and its tables of names, paths and symbols. */
#include <stdlib.h>

#include "scan.h"

void grow(scanner *s, void **array, u32 *room, u32 wanted, size_t each)
{
    if (wanted <= *room)
        return;
    if (*room > UINT32_MAX / 4)
        longjmp(s->no_memory, 1);
    u32 fresh = *room ? *room * 2 : 64;
    void *made = realloc(*array, fresh * each);
    if (!made)
        longjmp(s->no_memory, 1);
    *array = made;
    *room = fresh;
}

void release(scanner *s)
{
    free(s->indents.at), free(s->names.at), free(s->scopes.at), free(s->symbols.at);
    free(s->values.at), free(s->events.at), free(s->drafts.at), free(s->spans.at);
    free(s->assigned.at), free(s->imports.at), free(s->groups.at), free(s->paths.at);
    free(s->targets.at), free(s->bodies), free(s->out.at), free(s->strings.at);
    free(s->told.at), free(s->said);
    free(s->name_table), free(s->symbol_table), free(s->path_table);
    for (block *next; s->blocks; s->blocks = next) {
        next = s->blocks->next;
        free(s->blocks);
    }
}

void *take(scanner *s, size_t size)
{
    block *made = malloc(sizeof *made + size);
    if (!made)
        longjmp(s->no_memory, 1);
    made->next = s->blocks;
    s->blocks = made;
    return made + 1;
}

static u32 *table(scanner *s, u32 *old, u32 size)
{
    u32 *made = calloc(size, sizeof *made);
    if (!made)
        longjmp(s->no_memory, 1);
    free(old);
    return made;
}

u32 hash_bytes(const u8 *text, u32 size)
{
    uint64_t hash = size * 0x9E3779B97F4A7C15u, part;
    for (; size >= 8; size -= 8, text += 8) {
        memcpy(&part, text, 8);
        hash = (hash ^ part) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    part = 0;
    for (u32 i = 0; i < size; i++)
        part |= (uint64_t)text[i] << 8 * i;
    hash = (hash ^ part) * 0xff51afd7ed558ccdu;
    return (u32)(hash >> 32);
}

static u32 mix(u32 a, u32 b)
{
    uint64_t hash = ((uint64_t)a << 32 | b) * 0x9E3779B97F4A7C15u;
    return (u32)(hash >> 32) ^ (u32)(hash >> 40);
}

static u32 name_hash(const scanner *s, u32 i) { return s->names.at[i].hash; }
static u32 path_hash(const scanner *s, u32 i) { return mix(s->paths.at[i].before, s->paths.at[i].name); }
static u32 symbol_hash(const scanner *s, u32 i) { return mix(s->symbols.at[i].scope, s->symbols.at[i].name); }

/* Puts the last number into its table, and all into one of twice the size where it is half full.
 * Inline, so that each caller has its hash inline too. */
static inline void enter(scanner *s, u32 **at, u32 *mask, u32 slot, u32 number,
                         u32 (*hash)(const scanner *, u32))
{
    (*at)[slot] = number;
    if (number * 2 <= *mask)
        return;
    u32 wide = *mask * 2 + 1, *made = table(s, *at, wide + 1);
    for (u32 i = 1; i <= number; i++) {
        for (slot = hash(s, i) & wide; made[slot];)
            slot = (slot + 1) & wide;
        made[slot] = i;
    }
    *at = made, *mask = wide;
}

u32 intern(scanner *s, const u8 *text, u32 size)
{
    u32 hash = hash_bytes(text, size), slot = hash & s->name_mask, found;
    while ((found = s->name_table[slot])) {
        const name_t *known = &s->names.at[found];
        if (known->hash == hash && known->size == size && !memcmp(known->text, text, size))
            return found;
        slot = (slot + 1) & s->name_mask;
    }
    u32 number = s->names.count;
    *PUSH(s, s->names) = (name_t){text, size, hash, 0, 0, 0, 0};
    enter(s, &s->name_table, &s->name_mask, slot, number, name_hash);
    return number;
}

u32 path_of(scanner *s, u32 before, u32 name)
{
    u32 slot = mix(before, name) & s->path_mask, found;
    while ((found = s->path_table[slot])) {
        if (s->paths.at[found].before == before && s->paths.at[found].name == name)
            return found;
        slot = (slot + 1) & s->path_mask;
    }
    u32 number = s->paths.count;
    *PUSH(s, s->paths) = (path_t){before, name, 0};
    enter(s, &s->path_table, &s->path_mask, slot, number, path_hash);
    return number;
}

/* Returns a symbol, NULL where there is none and none is to be made; good until the next is made. */
symbol_t *symbol(scanner *s, u32 scope, u32 name, int make)
{
    u32 slot = mix(scope, name) & s->symbol_mask, found;
    while ((found = s->symbol_table[slot])) {
        symbol_t *known = &s->symbols.at[found];
        if (known->scope == scope && known->name == name)
            return known;
        slot = (slot + 1) & s->symbol_mask;
    }
    if (!make)
        return NULL;
    u32 number = s->symbols.count;
    *PUSH(s, s->symbols) = (symbol_t){.scope = scope, .name = name, .annotated = -1, .values = -1};
    enter(s, &s->symbol_table, &s->symbol_mask, slot, number, symbol_hash);
    return &s->symbols.at[number];
}

static const char FIRST_NAMES[] =
    "False None True and as assert async await break class continue def del elif else except finally "
    "for from global if import in is lambda nonlocal not or pass raise return try while with yield "
    "match case type __all__ _ Optional TypeAlias * ";

static const char BUILTINS[] =
    "ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup "
    "BlockingIOError BrokenPipeError BufferError BytesWarning ChildProcessError "
    "ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError "
    "DeprecationWarning EOFError Ellipsis EncodingWarning EnvironmentError Exception "
    "ExceptionGroup FileExistsError FileNotFoundError FloatingPointError FutureWarning "
    "GeneratorExit IOError ImportError ImportWarning IndentationError IndexError "
    "InterruptedError IsADirectoryError KeyError KeyboardInterrupt LookupError MemoryError "
    "ModuleNotFoundError NameError NotADirectoryError NotImplemented NotImplementedError "
    "OSError OverflowError PendingDeprecationWarning PermissionError ProcessLookupError "
    "PythonFinalizationError RecursionError ReferenceError ResourceWarning RuntimeError "
    "RuntimeWarning StopAsyncIteration StopIteration SyntaxError SyntaxWarning SystemError "
    "SystemExit TabError TimeoutError TypeError UnboundLocalError UnicodeDecodeError "
    "UnicodeEncodeError UnicodeError UnicodeTranslateError UnicodeWarning UserWarning "
    "ValueError Warning ZeroDivisionError __annotations__ __build_class__ __builtins__ "
    "__cached__ __class__ __debug__ __dict__ __doc__ __file__ __import__ __loader__ __module__ "
    "__name__ __package__ __path__ __qualname__ __spec__ abs aiter all anext any ascii bin bool "
    "breakpoint bytearray bytes callable chr classmethod compile complex copyright credits "
    "delattr dict dir divmod enumerate eval exec exit filter float format frozenset getattr "
    "globals hasattr hash help hex id input int isinstance issubclass iter len license list "
    "locals map max memoryview min next object oct open ord pow print property quit range repr "
    "reversed round set setattr slice sorted staticmethod str sum super tuple vars zip ";

static void intern_all(scanner *s, const char *words)
{
    for (const char *end; *words; words = end + 1) {
        end = strchr(words, ' ');
        intern(s, (const u8 *)words, (u32)(end - words));
    }
}

void prepare(scanner *s)
{
    s->name_mask = 1023, s->symbol_mask = 255, s->path_mask = 255;
    s->name_table = table(s, NULL, 1024);
    s->symbol_table = table(s, NULL, 256);
    s->path_table = table(s, NULL, 256);
    *PUSH(s, s->names) = (name_t){0};
    *PUSH(s, s->symbols) = (symbol_t){0};
    *PUSH(s, s->paths) = (path_t){0};
    *PUSH(s, s->drafts) = (draft_t){0};
    intern_all(s, FIRST_NAMES);
    intern(s, (const u8 *)"", 0);
    intern(s, (const u8 *)"python", 6);
    s->builtin_first = s->names.count;
    intern_all(s, BUILTINS);
    s->builtin_last = s->names.count;
}
