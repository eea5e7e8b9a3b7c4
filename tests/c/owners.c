/* Callbacks that a protocol puts into its own sockets are not called for another protocol's. */

#include <linux/fixture.h>

struct sock;
struct proto {
	int (*init)(struct sock *sk);
	int (*send)(struct sock *sk);
	unsigned int obj_size;
};
struct sock {
	struct proto *sk_prot;
	void (*ready)(struct sock *sk);
};

struct sock *sk_alloc(void *net, int family, int priority, struct proto *prot);

static void def_ready(struct sock *sk) { }
static void one_ready(struct sock *sk) { }
static void two_ready(struct sock *sk) { }
static void made_ready(struct sock *sk) { }
static void big_ready(struct sock *sk) { }
static void small_ready(struct sock *sk) { }

/* Nobody says for whose sockets. */
void prepare(struct sock *sk)
{
	sk->ready = def_ready;
}

static int one_init(struct sock *sk)
{
	sk->ready = one_ready;
	return 0;
}

static void one_wakes(struct sock *sk)
{
	sk->ready(sk); /* -> def_ready one_ready */
}

/* A table kept apart is one that the socket has, or had before. */
static struct proto *kept;

static int one_again(struct sock *sk)
{
	return kept->send(sk); /* -> one_send wrapped_send */
}

static int one_send(struct sock *sk)
{
	one_wakes(sk);
	return one_again(sk);
}

static struct proto one_prot = { .init = one_init, .send = one_send };

static int two_init(struct sock *sk)
{
	sk->ready = two_ready;
	return 0;
}

static int two_send(struct sock *sk)
{
	sk->ready(sk); /* -> def_ready two_ready */
	return 0;
}

static struct proto two_prot = { .init = two_init, .send = two_send };

static int made_send(struct sock *sk)
{
	sk->ready(sk); /* -> def_ready made_ready */
	return 0;
}

static struct proto made_prot = { .send = made_send };
static struct proto made_raw_prot = { .send = made_send };

/* A socket is made with one of two tables. */
void make(int raw)
{
	struct sock *sk;

	if (raw)
		sk = sk_alloc(0, 1, 0, &made_raw_prot);
	else
		sk = sk_alloc(0, 1, 0, &made_prot);
	sk->ready = made_ready;
}

/* Another table in the place of the first: the socket stays what it was. */
static struct proto wrapped;

static int wrapped_send(struct sock *sk)
{
	sk->ready(sk); /* -> def_ready one_ready */
	return 0;
}

void wrap(struct sock *sk)
{
	wrapped = one_prot;
	wrapped.send = wrapped_send;
	sk->sk_prot = &wrapped;
}

void anybody(struct sock *sk)
{
	sk->ready(sk); /* -> def_ready made_ready one_ready two_ready big_ready small_ready far_ready */
}

/* Sockets that are found somewhere: what they are is known by what they are taken for, where that is always so. */
struct big_sock {
	struct sock sk;
	int big;
};

struct small_sock {
	struct sock sk;
	int small;
};

struct proto big_prot = { .obj_size = sizeof(struct big_sock) };
struct proto small_prot = { .obj_size = sizeof(struct small_sock) };

static inline struct big_sock *big_sk(struct sock *sk)
{
	return (struct big_sock *)sk;
}
#define small_sk(ptr) container_of(ptr, struct small_sock, sk)

void touch(void *sk);

void big_open(struct sock *sk)
{
	struct big_sock *big = big_sk(sk);

	touch(big);
	sk->ready = big_ready;
}

void big_wakes(struct sock *sk)
{
	touch(big_sk(sk));
	sk->ready(sk); /* -> def_ready big_ready */
}

void small_open(struct small_sock *small)
{
	small->sk.ready = small_ready;
}

static void small_tells(struct sock *sk)
{
	sk->ready(sk); /* -> def_ready small_ready */
}

void small_wakes(struct sock *sk)
{
	struct small_sock *small = small_sk(sk);

	small->small++;
	small_tells(sk);
}

void perhaps_big(struct sock *sk, int big)
{
	if (big)
		touch(big_sk(sk));
	sk->ready(sk); /* -> def_ready made_ready one_ready two_ready big_ready small_ready far_ready */
}

/* What somebody else makes for a family is that family's, and nobody's who has another table. */
struct proto_ops {
	int family;
	int (*receive)(struct socket *socket);
};

struct socket {
	struct sock *sk;
	const struct proto_ops *ops;
};

#define AF_FAR 9
#define PF_FAR AF_FAR

int sock_create_kern(void *net, int family, int type, int protocol, struct socket **made);

static void far_ready(struct sock *sk) { }

void far_open(struct socket **socket)
{
	struct sock *sk;

	if (sock_create_kern(0, PF_FAR, 1, 0, socket))
		return;
	sk = (*socket)->sk;
	sk->ready = far_ready;
}

void far_wakes(struct sock *sk)
{
	sk->ready(sk); /* -> def_ready made_ready one_ready two_ready big_ready small_ready far_ready */
}

/* Operations that name a family have its sockets behind them. */
#define AF_NEAR 8
#define PF_NEAR AF_NEAR

static int near_send(struct sock *sk) { return 0; }
static struct proto near_prot = { .send = near_send };

static int near_receive(struct socket *socket)
{
	struct sock *sk = socket->sk;

	return sk->sk_prot->send(sk); /* -> near_send */
}

static const struct proto_ops near_ops = { .family = PF_NEAR, .receive = near_receive };

void near_create(struct socket *socket)
{
	socket->ops = &near_ops;
	socket->sk = sk_alloc(0, PF_NEAR, 0, &near_prot);
	socket->sk->sk_prot = &near_prot;
}

int receive(struct socket *socket)
{
	return socket->ops->receive(socket); /* -> near_receive */
}

int send(struct sock *sk, int which)
{
	kept = sk->sk_prot;
	sk->sk_prot = which ? &one_prot : &two_prot;
	return sk->sk_prot->send(sk); /* -> one_send two_send wrapped_send near_send */
}
