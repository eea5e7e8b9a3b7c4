/* Who runs what is kept: one slot for several runners, a tag that is a macro, and more callbacks than a reader would guess. */

#include <linux/fixture.h>

#define rcu_head callback_head

struct callback_head {
	struct callback_head *next;
	void (*func)(struct callback_head *head);
};
struct timer_list {
	void (*function)(struct timer_list *t);
};
struct work_struct {
	void (*func)(struct work_struct *work);
};
struct worker {
	void (*current_func)(struct work_struct *work);
};
struct sock {
	struct work_struct update;
	struct timer_list timer;
	struct rcu_head rcu;
	struct callback_head work;
};

static void reclaim(struct rcu_head *head) { }
static void resume(struct callback_head *work) { }
static void update(struct work_struct *work) { }

#define LATER(name) static void name(struct timer_list *t) { }
LATER(ta) LATER(tb) LATER(tc) LATER(td) LATER(te) LATER(tf) LATER(tg) LATER(th) LATER(ti)
LATER(tj) LATER(tk) LATER(tl) LATER(tm) LATER(tn) LATER(to) LATER(tp) LATER(tq) LATER(tr)
LATER(ts) LATER(tt) LATER(tu) LATER(tv) LATER(tw) LATER(tx) LATER(ty)

static void start(struct sock *sk)
{
	call_rcu(&sk->rcu, reclaim);
	init_task_work(&sk->work, resume);
	INIT_WORK(&sk->update, update);
	timer_setup(&sk->timer, ta, 0);
	timer_setup(&sk->timer, tb, 0);
	timer_setup(&sk->timer, tc, 0);
	timer_setup(&sk->timer, td, 0);
	timer_setup(&sk->timer, te, 0);
	timer_setup(&sk->timer, tf, 0);
	timer_setup(&sk->timer, tg, 0);
	timer_setup(&sk->timer, th, 0);
	timer_setup(&sk->timer, ti, 0);
	timer_setup(&sk->timer, tj, 0);
	timer_setup(&sk->timer, tk, 0);
	timer_setup(&sk->timer, tl, 0);
	timer_setup(&sk->timer, tm, 0);
	timer_setup(&sk->timer, tn, 0);
	timer_setup(&sk->timer, to, 0);
	timer_setup(&sk->timer, tp, 0);
	timer_setup(&sk->timer, tq, 0);
	timer_setup(&sk->timer, tr, 0);
	timer_setup(&sk->timer, ts, 0);
	timer_setup(&sk->timer, tt, 0);
	timer_setup(&sk->timer, tu, 0);
	timer_setup(&sk->timer, tv, 0);
	timer_setup(&sk->timer, tw, 0);
	timer_setup(&sk->timer, tx, 0);
	timer_setup(&sk->timer, ty, 0);
}

static void rcu_do_batch(struct rcu_head *head)
{
	void (*f)(struct rcu_head *head);

	f = head->func;
	f(head); /* -> reclaim */
}

static void task_work_run(struct callback_head *work)
{
	work->func(work); /* -> resume */
}

static void whoever(struct callback_head *work)
{
	work->func(work); /* -> reclaim resume */
}

static void process_one_work(struct worker *worker, struct work_struct *work)
{
	worker->current_func = work->func;
	worker->current_func(work); /* -> update */
}

static void call_timer_fn(struct timer_list *t)
{
	t->function(t); /* -> ta tb tc td te tf tg th ti tj tk tl tm tn to tp tq tr ts tt tu tv tw tx ty */
}

static void too_many(struct timer_list *t)
{
	t->function(t); /* -> */
}
