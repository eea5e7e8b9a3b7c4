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
