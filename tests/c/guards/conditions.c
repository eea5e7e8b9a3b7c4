/* Conditions round a call and exits before it. Behind each site() stands what must be found, in this order. */

int nested_ifs(int a, int b)
{
	if (a) {
		if (!b)
			site(); // if a; if !b
		else
			site(); // if a; not !b
	}
	site(); //
	return 0;
}

int else_if(int a, int b)
{
	if (a)
		site(); // if a
	else if (b)
		site(); // not a; if b
	else
		site(); // not a; not b
	return 0;
}

int short_circuit(int a, int b, int c)
{
	if (a && (b || site())) // if a; not b
		x();
	if ((x = a) && site()) // if x = a
		y();
	a || site(); // not a
	return a ? site() : b; // if a
}

int other_side(int a, int b)
{
	return a ? b : f(a && b, site()); // not a
}

int early(int a, int b, int c)
{
	if (a)
		return -EINVAL;
	if (b || c) {
		x();
		goto out;
	}
	site(); // exit not a -> return -EINVAL; exit not b || c -> goto out
out:
	return 0;
}

int both_arms_leave(int a, int b)
{
	if (a) {
		if (b)
			return 1;
		else
			return 2;
	}
	site(); // exit not a -> return 1 or return 2
	return 0;
}

int one_arm_leaves(int a)
{
	if (a)
		x();
	else
		return 0;
	site(); // exit if a -> return 0
	return 1;
}

int inner_exit_only(int a, int b)
{
	if (a) {
		x();
		if (b)
			return 1;
	}
	site(); // nested a && b -> return 1
	return 0;
}

int inner_exit_may_be_skipped(int a, int b, int c)
{
	if (a) {
		if (c)
			goto over;
		if (b)
			return 1;
	}
over:
	site(); // nested a && !c && b -> return 1
	return 0;
}

int fast_path(struct sock *sk, int n)
{
	if (sk->state == LISTEN) {
		struct sock *nsk = check(sk);

		if (!nsk)
			return 0;
		if (nsk != sk)
			return 1;
	} else
		x();
	site(); // nested sk->state == LISTEN && !nsk -> return 0; nested sk->state == LISTEN && nsk != sk -> return 1
	return 2;
}

int never_returns(int a, int b)
{
	if (a)
		BUG();
	if (b)
		WARN();
	site(); // exit not a -> BUG()
	return 0;
}

int statement_expression(int a)
{
	int v = ({ int t = a; if (t) site(); t; }); // if t
	return v;
}

int assigned_later(struct sock *sk, int a, int b)
{
	if (sk->state == NEW) {
		sk = sk->listener;
		site(); // if sk->state == NEW (stale)
	}
	if (a) {
		b = 1;
		site(); // if a
		a = 2;
	}
	if (sk->family == INET && a) {
		sk->state = 3;
		site(); // if sk->family == INET && a
		tcp_set_state(sk, 4);
	}
	if (sk->sk_state == 5) {
		tcp_set_state(sk, 4);
		site(); // if sk->sk_state == 5 (stale)
	}
	return 0;
}
