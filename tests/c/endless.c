/* Records within records, reached by casts that go round: what a pointer can mean has an end all the same. */
#include <linux/fixture.h>

struct link { struct link *next; };
struct wide { struct link one; struct link two; int (*run)(struct wide *wide); };

static int ran(struct wide *wide) { return 0; }
static struct wide table = { .run = ran };

static int walk(struct link *link)
{
	struct wide *wide = (struct wide *)link;

	walk(&wide->one);
	walk(&wide->two);
	return wide->run(wide); /* -> ran */
}

struct lot { struct link *links; int (*each)(struct lot *lot); };

static int each(struct lot *lot) { return 0; }
static struct lot lot = { .each = each };

static int rows(struct lot *lot, int i)
{
	walk(&lot->links[i]);
	walk(&made_elsewhere);
	walk((struct link *)&table);
	return lot->each(lot); /* -> each */
}

int start(void)
{
	return rows(&lot, 1);
}
