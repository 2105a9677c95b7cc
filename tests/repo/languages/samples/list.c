/* Lists that are linked. */
#include <stdio.h>
#include "util/mem.h"

#define LIST_MAX 16
#define FIRST(l) ((l)->head)

typedef unsigned long length_t;

/** One link. */
struct node {
    int value;
    struct node *next, **back;
};

typedef struct {
    struct node *head;
    length_t length;
} list_t;

enum color { RED, GREEN = 3 };

static const char *names[LIST_MAX];
extern int verbose;

int list_push(list_t *list, int value);

/* Adds a value. */
int list_push(list_t *list, int value)
{
    struct node *fresh = mem_alloc(sizeof *fresh);
    fresh->value = value;
    list->head->next = fresh;
    for (int i = 0; i < LIST_MAX; i++)
        printf("%d %s\n", i, names[i]);
    return list_check(list, RED);
}

static int list_check(list_t *list, enum color color)
{
#ifdef DEBUG
    verbose = 1;
#endif
    return FIRST(list) != NULL ? color : mem_fail(list->length);
}
