/* Addresses of objects in which no pointer lies: they go wherever any address goes, and nothing is called through them. */
#include <linux/fixture.h>

struct header { unsigned char type; unsigned short length[4]; };
struct stamp { struct header header; long seconds; };
struct moment { long seconds; enum zone { HERE, THERE } zone; };
struct ops { int (*run)(struct ops *ops); };
struct owner { struct header header; int (*end)(struct owner *owner); };
struct count { int number; };
struct later { struct count count; struct moment moment; struct ops *ops; };

static int ran(struct ops *ops) { return 0; }
static int ended(struct owner *owner) { return 0; }

static struct ops ops = { .run = ran };
static struct owner owner = { .end = ended };
static struct header header;
static struct stamp stamp;
static struct moment moment;
static struct count count;
static struct later later = { .ops = &ops };
static unsigned int numbers[4];
static char text[64];
static void *pointer;

static void *through(void *any)
{
	return any;
}

static int within(void *buffer)
{
	struct ops *mine = buffer;

	return mine->run(mine); /* -> */
}

static int around(struct header *inner)
{
	struct owner *outer = container_of(inner, struct owner, header);

	return outer->end(outer); /* -> ended */
}

int start(void)
{
	struct ops *found = through(&ops);

	through(&header);
	through(&moment);
	through(numbers);
	within(text);
	around(&owner.header);
	around(&stamp.header);
	return found->run(found); /* -> ran */
}
