/* Calls through parameters and local variables. */

#include <linux/fixture.h>

struct sk_buff;
typedef int (*okfn_t)(struct sk_buff *skb);

struct cfg {
	int (*rcv)(struct sk_buff *skb);
};

static int first(struct sk_buff *skb) { return 0; }
static int second(struct sk_buff *skb) { return 0; }
static int third(struct sk_buff *skb) { return 0; }
static int dropped(struct sk_buff *skb) { return 0; }

static int hook(struct sk_buff *skb, okfn_t okfn)
{
	return okfn(skb); /* -> first second */
}

static int inner(struct sk_buff *skb, int (*out)(struct sk_buff *))
{
	return out(skb); /* -> third */
}

static int outer(struct sk_buff *skb, int (*out)(struct sk_buff *))
{
	return inner(skb, out);
}

static int configured(struct sk_buff *skb, struct cfg *cfg)
{
	return cfg->rcv(skb); /* -> dropped */
}

static int choose(struct sk_buff *skb, int way)
{
	int (*f)(struct sk_buff *) = way ? first : second;
	struct cfg cfg = { .rcv = dropped };

	hook(skb, first);
	hook(skb, second);
	outer(skb, third);
	configured(skb, &cfg);
	return f(skb); /* -> first second */
}

/* Nobody of the scope calls it: whoever does, elsewhere, hands over a table of his own, or one that he can name or was given. */
struct watcher {
	int (*notify)(int event);
};

static int own_notify(int event) { return 0; }
static int open_notify(int event) { return 0; }

static struct watcher own_watcher = { .notify = own_notify };
struct watcher open_watcher = { .notify = open_notify };

static struct watcher *first_watcher;

void use_own(void)
{
	first_watcher = &own_watcher;
	first_watcher->notify(1); /* -> own_notify */
}

int watch(struct watcher *watcher)
{
	return watcher->notify(0); /* -> open_notify given_notify */
}

static int given_notify(int event) { return 0; }
static struct watcher given_watcher = { .notify = given_notify };

/* What somebody elsewhere was given, he can hand back. */
void give(void)
{
	take_it(&given_watcher);
}

/* But for what takes back what a registrar kept. */
static int kept_notify(int event) { return 0; }
static struct watcher kept_watcher = { .notify = kept_notify };

void take_back(void)
{
	dev_remove_pack(&kept_watcher);
	unregister_pernet_subsys(&kept_watcher);
}

/* Exporting puts its address into a variable that nobody reads: it is not handed over by that. */
int exported_watch(struct watcher *watcher)
{
	return watcher->notify(0); /* -> open_notify given_notify */
}
static void *addressable_exported_watch = (void *)&exported_watch;

/* This one is handed over to somebody: his callers are not known. */
static int watch_for(struct watcher *watcher)
{
	return watcher->notify(0); /* -> own_notify open_notify given_notify kept_notify */
}

void hand_on(void)
{
	register_it(watch_for, &open_watcher);
}
