/* A table that is built over what the socket at hand has is a copy of the tables whose place it takes, and of no other. */

#include <linux/fixture.h>

struct sock;
struct proto {
	int (*send)(struct sock *sk);
	int (*close)(struct sock *sk);
};
struct sock {
	struct proto *sk_prot;
};

static struct proto over[2];

static int over_send(struct sock *sk) { return 0; }
static int over_close(struct sock *sk) { return 0; }
static int base_send(struct sock *sk) { return 0; }
static int other_send(struct sock *sk) { return 0; }

static void build(struct sock *sk, int which)
{
	struct proto *base = READ_ONCE(sk->sk_prot);

	over[0] = *base;
	over[0].send = over_send;
	over[1] = over[0];
	over[1].close = over_close;
	sk->sk_prot = &over[which];
}

static int base_close(struct sock *sk)
{
	build(sk, 1);
	return sk->sk_prot->send(sk); /* -> base_send over_send */
}

static struct proto base_prot = { .send = base_send, .close = base_close };

static int other_close(struct sock *sk)
{
	return sk->sk_prot->send(sk); /* -> other_send */
}

static struct proto other_prot = { .send = other_send, .close = other_close };

void make(struct sock *sk, int which)
{
	sk->sk_prot = which ? &base_prot : &other_prot;
}

int stop(struct sock *sk)
{
	return sk->sk_prot->close(sk); /* -> base_close other_close over_close */
}
