/* Conditional compilation: what stands on one side of a directive is not necessary. */

int one_side(int a, int b)
{
#ifdef CONFIG_X
	if (a)
		return 1;
#endif
	if (b)
		return 2;
	site(); // exit not b -> return 2
	return 0;
}

int two_sides(int a, int b, int c)
{
#ifdef CONFIG_X
	if (a)
		return 1;
	site(); // exit not a -> return 1
#else
	if (b)
		return 2;
	site(); // exit not b -> return 2
#endif
	site(); //
	return 0;
}

int dangling_else(int a)
{
#ifdef CONFIG_X
	if (a)
		return 1;
	else
#endif
		site(); //
	return 0;
}
