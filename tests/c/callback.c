/* Registrations: `=> name context` on a line is an edge from the function that registers to the callback. */

#include <linux/fixture.h>

struct timer_list {
	void (*function)(struct timer_list *t);
};
struct rcu_head;
struct notifier_block {
	int (*notifier_call)(struct notifier_block *nb, unsigned long action, void *data);
};
struct sock {
	struct timer_list timer;
	void (*error)(struct timer_list *t);
};

static void expire(struct timer_list *t) { }
static void other(struct timer_list *t) { }
static void late(struct timer_list *t) { }
static void report(struct timer_list *t) { }
static void reclaim(struct rcu_head *head) { }
static int event(struct notifier_block *nb, unsigned long action, void *data) { return 0; }
static struct notifier_block notifier = { .notifier_call = event };

static void init_timer(struct sock *sk, void (*handler)(struct timer_list *t))
{
	timer_setup(&sk->timer, handler, 0); /* => other softirq */
}

static void start(struct sock *sk, struct rcu_head *head)
{
	timer_setup(&sk->timer, expire, 0); /* => expire softirq */
	call_rcu(head, reclaim); /* => reclaim rcu */
	register_netdevice_notifier(&notifier); /* => event process */
	init_timer(sk, other);
	sk->timer.function = late; /* => late softirq */
	sk->error = report;
}

static void run(struct timer_list *t)
{
	t->function(t); /* -> expire late other */
}
