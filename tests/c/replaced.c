/* A table in the place of a socket's own, built over one of which nothing is known. */

#include <linux/fixture.h>

struct sock;
struct proto {
	int (*init)(struct sock *sk);
	int (*send)(struct sock *sk);
	int (*close)(struct sock *sk);
};
struct sock {
	struct proto *sk_prot;
};
struct holder {
	struct proto *saved;
};

struct holder *outside(void);

static int base_send(struct sock *sk) { return 0; }
static int base_close(struct sock *sk) { return 0; }
static int other_send(struct sock *sk) { return 0; }
static int other_close(struct sock *sk) { return 0; }

static struct proto *old;
static struct proto over;

/* What the socket has, and what it had before: no other protocol's. */
static int over_send(struct sock *sk)
{
	return old->send(sk); /* -> base_send over_send */
}

static void put(struct sock *sk, struct proto *prot)
{
	sk->sk_prot = prot;
}

static int base_init(struct sock *sk)
{
	old = outside()->saved;
	over = *old;
	over.send = over_send;
	put(sk, &over);
	return 0;
}

static struct proto base_prot = { .init = base_init, .send = base_send, .close = base_close };

/* The copy may be one of this table, for all that is known, but a socket with this one is not known to have the copy. */
static int other_init(struct sock *sk)
{
	return sk->sk_prot->close(sk); /* -> other_close */
}

static struct proto other_prot = { .init = other_init, .send = other_send, .close = other_close };

void make(struct sock *sk, int which)
{
	sk->sk_prot = which ? &base_prot : &other_prot;
}
