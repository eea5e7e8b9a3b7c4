/* Sockets that the kernel opens for itself: of the family, type and protocol that the opener was asked for, wherever they are kept. */

#include <linux/fixture.h>

#define AF_NEAR 8
#define PF_NEAR AF_NEAR
#define AF_FAR 9
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define IPPROTO_IP 0
#define IPPROTO_ONE 6
#define IPPROTO_TWO 17

struct sock;
struct socket;
struct proto {
	int (*init)(struct sock *sk);
	int (*send)(struct sock *sk);
	int (*accept)(struct sock *sk);
};
struct sock {
	struct proto *sk_prot;
	void (*ready)(struct sock *sk);
};
struct proto_ops {
	int family;
	int (*bind)(struct socket *sock);
};
struct socket {
	struct sock *sk;
	const struct proto_ops *ops;
};
struct inet_protosw {
	unsigned short type;
	unsigned short protocol;
	struct proto *prot;
	const struct proto_ops *ops;
};

struct sock *sk_alloc(void *net, int family, int priority, struct proto *prot);
int __sock_create(void *net, int family, int type, int protocol, struct socket **made);
int kernel_accept(struct socket *listener, struct socket **accepted, int flags);
struct sock *clone(struct sock *sk);
void inet_register_protosw(struct inet_protosw *row);

int sock_create_kern(void *net, int family, int type, int protocol, struct socket **made)
{
	return __sock_create(net, family, type, protocol, made);
}

static void def_ready(struct sock *sk) { }
static void one_ready(struct sock *sk) { }
static void two_ready(struct sock *sk) { }
static void far_ready(struct sock *sk) { }
static void user_ready(struct sock *sk) { }
static void bound_ready(struct sock *sk) { }

static void prepare_for(struct sock *sk, int user)
{
	sk->ready = def_ready;
}

static void prepare(struct sock *sk)
{
	prepare_for(sk, 0);
}

static int one_send(struct sock *sk)
{
	prepare(sk);
	sk->ready(sk); /* -> def_ready one_ready user_ready */
	sk->ready = one_ready;
	return 0;
}

/* What is made of a receiver is like it. */
static int one_accept(struct sock *sk)
{
	struct sock *child;

	child = clone(sk);
	child->ready(child); /* -> def_ready one_ready user_ready */
	return 0;
}

/* What was there when the socket was made is replaced before it is called. */
static int two_init(struct sock *sk)
{
	sk->ready = two_ready;
	return 0;
}

static int two_send(struct sock *sk)
{
	sk->ready(sk); /* -> two_ready bound_ready */
	return 0;
}

static struct proto one_prot = { .send = one_send, .accept = one_accept };
static struct proto two_prot = { .init = two_init, .send = two_send };
static const struct proto_ops one_ops = { .family = PF_NEAR };
static const struct proto_ops two_ops = { .family = PF_NEAR };
static struct inet_protosw one_row = { .type = SOCK_STREAM, .protocol = IPPROTO_ONE, .prot = &one_prot, .ops = &one_ops };
static struct inet_protosw two_row = { .type = SOCK_DGRAM, .protocol = IPPROTO_TWO, .prot = &two_prot, .ops = &two_ops };

/* The second way to `prepare`: a socket that is made here. */
void two_make(void)
{
	struct sock *sk;

	inet_register_protosw(&one_row);
	inet_register_protosw(&two_row);
	sk = sk_alloc(0, PF_NEAR, 0, &two_prot);
	prepare(sk);
}

struct far {
	struct socket *listener;
};

void far_listen(struct far *far)
{
	struct socket *made;

	if (!sock_create_kern(0, AF_FAR, SOCK_STREAM, 0, &made))
		far->listener = made;
}

/* What is accepted is like its listener. */
void far_accept(struct far *far)
{
	struct socket *accepted;
	struct sock *sk;

	if (kernel_accept(far->listener, &accepted, 0))
		return;
	sk = accepted->sk;
	sk->ready = far_ready;
}

/* The callers say what is to be opened. */
static int open_one(struct socket **made, int family, int type, int protocol)
{
	return sock_create_kern(0, family, type, protocol, made);
}

static void use(struct socket *socket)
{
	struct sock *sk = socket->sk;

	sk->ready = user_ready;
}

void user(void)
{
	struct socket *socket;

	if (!open_one(&socket, PF_NEAR, SOCK_STREAM, IPPROTO_IP))
		use(socket);
}

/* The protocol alone says enough. */
void bound(int family)
{
	struct socket *socket;

	if (!sock_create_kern(0, family, SOCK_DGRAM, IPPROTO_TWO, &socket))
		socket->sk->ready = bound_ready;
}

int control(struct sock **sk)
{
	struct socket *socket;

	if (sock_create_kern(0, AF_NEAR, SOCK_DGRAM, IPPROTO_TWO, &socket))
		return 1;
	*sk = socket->sk;
	return (*sk)->sk_prot->send(*sk); /* -> two_send */
}

int send(struct sock *sk, int which)
{
	sk->sk_prot = which ? &one_prot : &two_prot;
	sk->sk_prot->accept(sk); /* -> one_accept */
	return sk->sk_prot->send(sk); /* -> one_send two_send */
}
