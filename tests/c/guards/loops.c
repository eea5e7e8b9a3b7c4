/* Loops: the condition of a loop holds inside it and says nothing behind it. */

int plain(int n, int a)
{
	while (n) {
		if (a)
			continue;
		if (n == 3)
			break;
		site(); // loop n; exit not a -> continue; exit not n == 3 -> break
	}
	site(); //
	return 0;
}

int counted(int n)
{
	int i;

	for (i = 0; i < n; i++)
		site(); // loop i < n
	for (;;)
		site(); //
}

int at_least_once(int n)
{
	do {
		site(); //
	} while (n);
	do {
		if (n)
			break;
		site(); // exit not n -> break
	} while (0);
	return 0;
}

int search(struct list *l, int key)
{
	struct item *i;

	for (i = l->first; i; i = i->next) {
		if (i->key == key)
			goto found;
	}
	return 0;
found:
	site(); // loop i; if i->key == key
	return 1;
}

int while_called(struct list *l)
{
	while ((i = site())) // 
		x(i);
	return 0;
}

int iterator(struct list *l, int a)
{
	list_for_each(i, l) {
		if (a)
			continue;
		site(); // exit not a -> continue
	}
	site(); //
	return 0;
}

int after_a_loop(int a, int b, int c)
{
	if (a) {
		while (b)
			step();
		if (c)
			return 1;
	}
	site(); // nested a && c -> return 1
	return 0;
}
