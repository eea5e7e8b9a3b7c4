/* Objects that are cast to a record which begins alike, and back; and one that comes where it can't be meant. */
#include <linux/fixture.h>

struct common { int state; };
struct link { struct link *next; };
struct full { struct common common; int (*send)(struct full *full); };
struct request { struct common common; int (*reply)(struct request *request); };
struct queue { struct link *first; int (*drain)(struct queue *queue); };
struct holder { struct full full; };

static int sent(struct full *full) { return 0; }
static int answered(struct request *request) { return 0; }
static int refused(struct request *request) { return 0; }
static int drained(struct queue *queue) { return 0; }

static struct full full = { .send = sent };
static struct request request = { .reply = answered };
static struct request other = { .reply = refused };
static struct queue queue = { .drain = drained };
static struct holder holder = { .full = { .send = sent } };

static int back(struct full *anyone)
{
	struct request *request = (struct request *)anyone;

	anyone->send(anyone); /* -> sent */
	return request->reply(request); /* -> answered */
}

static int ask(struct request *asked)
{
	return asked->reply(asked); /* -> refused */
}

int start(void)
{
	back(&full);
	back((struct full *)&request);
	back((struct full *)&queue);
	back(&holder.full);
	queue.drain(&queue); /* -> drained */
	return ask(&other);
}
