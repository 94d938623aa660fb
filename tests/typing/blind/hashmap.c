#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 256

struct entry {
    char *key;
    int value;
    struct entry *next;
};

struct map {
    struct entry *buckets[BUCKETS];
    size_t count;
};

static uint32_t hash(const char *key)
{
    uint32_t h = 2166136261u;
    while (*key) {
        h ^= (unsigned char)*key++;
        h *= 16777619u;
    }
    return h;
}

struct map *map_new(void)
{
    return calloc(1, sizeof(struct map));
}

/* Points to the value, or is NULL where there is no such key. */
int *map_get(struct map *map, const char *key)
{
    struct entry *entry = map->buckets[hash(key) % BUCKETS];
    for (; entry != NULL; entry = entry->next) {
        if (strcmp(entry->key, key) == 0)
            return &entry->value;
    }
    return NULL;
}

int map_set(struct map *map, const char *key, int value)
{
    int *known = map_get(map, key);
    if (known != NULL) {
        *known = value;
        return 0;
    }
    struct entry *entry = malloc(sizeof(*entry));
    if (entry == NULL)
        return -1;
    entry->key = strdup(key);
    entry->value = value;
    size_t index = hash(key) % BUCKETS;
    entry->next = map->buckets[index];
    map->buckets[index] = entry;
    map->count++;
    return 0;
}
