/* What is held at a call: taken on every way to it and not given back. */

int sections(void)
{
	rcu_read_lock();
	local_bh_disable();
	site(); // held rcu_read_lock; held local_bh_disable
	local_bh_enable();
	site(); // held rcu_read_lock
	rcu_read_unlock();
	site(); //
	return 0;
}

int two_locks(struct s *a, struct s *b)
{
	spin_lock(&a->lock);
	spin_lock_bh(&b->lock);
	spin_unlock(&a->lock);
	site(); // held spin_lock_bh(&b->lock)
	spin_unlock_bh(&b->lock);
	return 0;
}

int by_another_name(struct s *a, spinlock_t *l)
{
	spin_lock(&a->lock);
	spin_unlock(l);
	site(); //
	return 0;
}

int on_one_way(struct sock *sk, int a)
{
	if (a)
		lock_sock(sk);
	site(); //
	if (a)
		release_sock(sk);
	lock_sock(sk);
	if (a) {
		release_sock(sk);
		return 0;
	}
	site(); // exit not a -> return 0; held lock_sock(sk)
	release_sock(sk);
	return 1;
}

int on_both_ways(struct sock *sk, int a)
{
	if (a)
		bh_lock_sock(sk);
	else
		bh_lock_sock_nested(sk);
	site(); // held bh_lock_sock_nested(sk)
	bh_unlock_sock(sk);
	return 0;
}

int tried(struct s *s)
{
	if (!spin_trylock(&s->lock))
		return 0;
	site(); // exit not !spin_trylock(&s->lock) -> return 0; held spin_trylock(&s->lock)
	spin_unlock(&s->lock);
	if (mutex_lock_interruptible(&s->mutex))
		return 1;
	site(); // exit not !spin_trylock(&s->lock) -> return 0; exit not mutex_lock_interruptible(&s->mutex) -> return 1; held mutex_lock_interruptible(&s->mutex)
	mutex_unlock(&s->mutex);
	return 2;
}

int scoped(struct s *s, int a)
{
	if (a) {
		guard(rcu)();
		guard(mutex)(&s->mutex);
		site(); // if a; held guard(rcu); held guard(mutex)(&s->mutex)
	}
	site(); //
	scoped_guard(spinlock, &s->lock) {
		site(); // held scoped_guard(spinlock, &s->lock)
	}
	site(); //
	return 0;
}

int dropped_in_a_loop(struct s *s, int n)
{
	spin_lock(&s->lock);
	while (n) {
		site(); // loop n
		spin_unlock(&s->lock);
		n = wait(s);
	}
	return 0;
}

int not_code(struct s *s)
{
	/* spin_lock(&s->lock); */
	log("spin_lock(%p)", &s->lock);
	site(); //
	return 0;
}

int own_locks(struct till *s, int a)
{
	slow = lock_sock_fast(sk);
	till_data_lock(s);
	site(); // held lock_sock_fast(sk); held till_data_lock(s)
	till_data_unlock(s);
	site(); // held lock_sock_fast(sk)
	unlock_sock_fast(sk, slow);
	coin_lock(s);
	site(); //
	return 0;
}
