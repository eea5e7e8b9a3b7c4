/* goto, forwards and backwards: an exit that another way jumps over is not necessary. */

int jumped_over(int a, int b)
{
	if (a)
		goto in;
	if (b)
		return 1;
in:
	site(); // nested !a && b -> return 1
	return 0;
}

int only_by_goto(int a, int b)
{
	if (a)
		goto found;
	return 0;
found:
	site(); // exit if a -> return 0
	return 1;
}

int backwards(int a, int b, int c)
{
	if (c)
		goto wait;
again:
	if (a)
		return 1;
	site(); // exit not a -> return 1
	return 0;
wait:
	if (b)
		goto again;
	return 2;
}

int error_code(int a)
{
	if (a)
		goto fail;
	return 0;
fail:
	site(); // exit if a -> return 0
	return -1;
}

int two_ways_to_a_label(int a, int b)
{
	if (a)
		goto fail;
	if (b)
		goto fail;
	return 0;
fail:
	site(); // nested !a && !b -> return 0
	return -1;
}

int into_a_block(int a, int b)
{
	if (a)
		goto inside;
	if (b) {
		x();
inside:
		site(); //
	}
	return 0;
}

int retry(int n)
{
retry:
	if (n == 0)
		return 0;
	if (!take(n))
		goto retry;
	site(); // exit not n == 0 -> return 0; exit not !take(n) -> goto retry
	return 1;
}
