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
