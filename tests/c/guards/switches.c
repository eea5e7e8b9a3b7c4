/* Switch: labels, fallthrough, default, and what is left after one. */

int cases(int x)
{
	switch (x) {
	case 1:
	case 2:
		site(); // case x == 1 || x == 2
		break;
	case 3:
		y();
		fallthrough;
	case 4:
		site(); // case x == 3 || x == 4
		return 1;
	case 5 ... 7:
		site(); // case (x >= 5 && x <= 7)
		break;
	default:
		site(); // case not x == 1 || x == 2 || x == 3 || x == 4 || (x >= 5 && x <= 7)
	}
	site(); // exit not x == 3 || x == 4 -> return 1
	return 0;
}

int no_default(struct sock *sk, int a)
{
	switch (sk->state) {
	case CLOSE:
		goto discard;
	case LISTEN:
		if (a)
			return 1;
		site(); // case sk->state == LISTEN; exit not a -> return 1
		return 0;
	}
	site(); // exit not sk->state == CLOSE || sk->state == LISTEN -> goto discard
	return 2;
discard:
	return 3;
}

int only_default_leaves(int x)
{
	switch (x & MASK) {
	case A:
		break;
	case B:
		y();
		break;
	default:
		return 1;
	}
	site(); // exit if (x & MASK) == A || (x & MASK) == B -> return 1
	return 0;
}

int inside_loop(int x, int n)
{
	while (n--) {
		switch (x) {
		case 1:
			continue;
		case 2:
			break;
		}
		site(); // loop n--; exit not x == 1 -> continue
	}
	return 0;
}

int blocks(int x)
{
	switch (x) {
	case 1: {
		int y = x;

		if (y)
			break;
		site(); // case x == 1; exit not y -> break
		break;
	}
	}
	return 0;
}
