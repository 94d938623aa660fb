#include <stdio.h>
#include <stdlib.h>

struct node {
	int value;
	struct node *next;
};

/* Returns the new head, or NULL when there is no memory. */
struct node *push(struct node *head, int value)
{
	struct node *node = malloc(sizeof(*node));
	if (node == NULL)
		return NULL;
	node->value = value;
	node->next = head;
	return node;
}

struct node *reverse(struct node *head)
{
	struct node *previous = NULL;
	while (head != NULL) {
		struct node *next = head->next;
		head->next = previous;
		previous = head;
		head = next;
	}
	return previous;
}

int sum(const struct node *head)
{
	int total = 0;
	for (; head != NULL; head = head->next)
		total += head->value;
	return total;
}

void free_list(struct node *head)
{
	while (head != NULL) {
		struct node *next = head->next;
		free(head);
		head = next;
	}
}

int main(void)
{
	struct node *list = NULL;
	for (int i = 0; i < 10; i++)
		list = push(list, i * i);
	printf("sum: %d\n", sum(list));
	list = reverse(list);
	free_list(list);
	return 0;
}
