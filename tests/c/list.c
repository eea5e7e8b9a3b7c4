/* Tables that reach a call through a list, an array by constant index, and a cast. */

#include <linux/fixture.h>

struct list_head {
	struct list_head *next, *prev;
};
struct protosw {
	struct list_head list;
	int (*bind)(int);
};
struct handler {
	int (*rcv)(int);
};
struct outer {
	int x;
	struct handler inner;
	int (*top)(int);
};

static int v4_bind(int x) { return x; }
static int v6_bind(int x) { return x; }
static int a_rcv(int x) { return x; }
static int b_rcv(int x) { return x; }
static int in_rcv(int x) { return x; }
static int out_top(int x) { return x; }

static struct list_head sw4;
static struct list_head sw6;
static struct protosw v4_sw = { .bind = v4_bind };
static struct protosw v6_sw = { .bind = v6_bind };
static struct handler a = { .rcv = a_rcv };
static struct handler b = { .rcv = b_rcv };
static const struct handler *handlers[2];
static struct outer outer = { .inner = { .rcv = in_rcv }, .top = out_top };

static void register4(struct protosw *p)
{
	list_add_rcu(&p->list, &sw4);
}

static void register6(struct protosw *p)
{
	list_add_rcu(&p->list, &sw6);
}

static void init(void)
{
	register4(&v4_sw);
	register6(&v6_sw);
	handlers[FIRST] = &a;
	WRITE_ONCE(handlers[SECOND], &b);
}

static int find(int x)
{
	struct protosw *answer;

	list_for_each_entry_rcu(answer, &sw4, list) {
		answer->bind(x); /* -> v4_bind */
	}
	handlers[FIRST]->rcv(x); /* -> a_rcv */
	return handlers[x]->rcv(x); /* -> a_rcv b_rcv */
}

static int around(struct handler *h)
{
	struct outer *o = container_of(h, struct outer, inner);

	h->rcv(1); /* -> in_rcv */
	return o->top(1); /* -> out_top */
}

static int start(void)
{
	return around(&outer.inner);
}
