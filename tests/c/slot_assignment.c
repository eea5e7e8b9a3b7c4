/* Calls through fields that assignments fill. */

#include <linux/fixture.h>

struct sock;
struct sock {
	void (*ready)(struct sock *sk);
	void (*saved)(struct sock *sk);
	int (*recv)(struct sock *sk);
	int (*never)(struct sock *sk);
};
struct proto {
	int (*recv)(struct sock *sk);
};

static void def_ready(struct sock *sk) { }
static void new_ready(struct sock *sk) { }
static int tcp_recv(struct sock *sk) { return 0; }
static struct proto tcp = { .recv = tcp_recv };

static void set(struct sock *sk)
{
	sk->ready = def_ready;
	sk->recv = tcp.recv;
}

static void replace(struct sock *sk)
{
	sk->saved = sk->ready;
	WRITE_ONCE(sk->ready, new_ready);
}

static void wake(struct sock *sk)
{
	sk->ready(sk); /* -> def_ready new_ready */
	sk->saved(sk); /* -> def_ready new_ready */
	READ_ONCE(sk->ready)(sk); /* -> def_ready new_ready */
	sk->recv(sk); /* -> tcp_recv */
	sk->never(sk); /* -> */
}

/* A helper that swaps slots says at each of its calls which slot gets what. */
struct swapped {
	void (*ready)(struct swapped *s);
	void (*space)(struct swapped *s);
	void (*saved)(struct swapped *s);
};

static void first_ready(struct swapped *s) { }
static void own_ready(struct swapped *s) { }
static void own_space(struct swapped *s) { }

static void replace(void (**slot)(struct swapped *), void (*with)(struct swapped *), void (**saved)(struct swapped *))
{
	*saved = *slot;
	*slot = with;
}

static void swap(struct swapped *s)
{
	s->ready = first_ready;
	replace(&s->ready, own_ready, &s->saved);
	s->space = own_space;
}

static void use(struct swapped *s)
{
	s->ready(s); /* -> first_ready own_ready */
	s->space(s); /* -> own_space */
	s->saved(s); /* -> first_ready own_ready */
}

/* One that the source defines, and others that are made at run time. */
struct queue {
	int (*take)(struct queue *q);
};
struct queue_ops {
	int (*take)(struct queue *q);
};

void *kzalloc(int size, int flags);
static struct queue *current_queue;

static int take_none(struct queue *q) { return 0; }
static int take_first(struct queue *q) { return 1; }
static struct queue no_queue = { .take = take_none };
static struct queue_ops first_ops = { .take = take_first };

static struct queue *make(struct queue_ops *ops)
{
	struct queue *q = kzalloc(8, 0);

	q->take = ops->take;
	return q;
}

void choose(int any)
{
	current_queue = any ? make(&first_ops) : &no_queue;
}

int take(void)
{
	return current_queue->take(current_queue); /* -> take_first take_none */
}
