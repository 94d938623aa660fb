package cache

import (
	"container/list"
	"sync"
	"time"
)

type item struct {
	key     string
	value   any
	expires time.Time
}

// Cache keeps the most recently used values up to a limit.
type Cache struct {
	mu    sync.Mutex
	limit int
	ttl   time.Duration
	order *list.List
	items map[string]*list.Element
}

func New(limit int, ttl time.Duration) *Cache {
	return &Cache{
		limit: limit,
		ttl:   ttl,
		order: list.New(),
		items: make(map[string]*list.Element),
	}
}

func (c *Cache) Get(key string) (any, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.items[key]
	if !ok {
		return nil, false
	}
	found := element.Value.(*item)
	if time.Now().After(found.expires) {
		c.remove(element)
		return nil, false
	}
	c.order.MoveToFront(element)
	return found.value, true
}

func (c *Cache) Set(key string, value any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.items[key]; ok {
		c.remove(element)
	}
	element := c.order.PushFront(&item{key, value, time.Now().Add(c.ttl)})
	c.items[key] = element
	for c.order.Len() > c.limit {
		c.remove(c.order.Back())
	}
}

func (c *Cache) remove(element *list.Element) {
	c.order.Remove(element)
	delete(c.items, element.Value.(*item).key)
}
