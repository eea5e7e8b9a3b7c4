/* How conditions are written: wrappers looked through, white space and comments folded, parentheses kept where needed. */

int wrappers(struct s *p, int a, int b)
{
	if (unlikely(p->x < READ_ONCE(p->y)))
		site(); // if p->x < p->y
	if (likely(a || b) && p->z)
		site(); // if (a || b) && p->z
	if (unlikely(!a && b))
		site(); // if !a && b
	if (!likely(a && b))
		site(); // if !(a && b)
	if (!READ_ONCE(p->x))
		site(); // if !p->x
	if (READ_ONCE(p->x) == 3)
		site(); // if p->x == 3
	return 0;
}

int folded(struct s *p, int a, int b)
{
	if (a &&	/* first: (the one */
	    call(p,
		 b) &&
	    // second
	    !b)
		site(); // if a && call(p, b) && !b
	return 0;
}

int assigned_in_condition(struct s *p)
{
	struct s *q;

	if (!(q = get(p)))
		return 0;
	if ((q = get(q)) == NULL)
		return 0;
	site(); // exit not !(q = get(p)) -> return 0 (stale); exit not (q = get(q)) == NULL -> return 0
	return 1;
}
