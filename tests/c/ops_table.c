/* Calls through tables. A line that ends in an arrow comment is a call through a pointer; the names after the arrow are all that it can reach. */

#include <linux/fixture.h>

struct sock;

struct proto {
	int (*init)(struct sock *sk);
	void (*close)(struct sock *sk);
	void (*hash)(struct sock *sk);
};

struct af_ops {
	int (*xmit)(struct sock *sk);
	int (*check)(struct sock *sk);
};

struct common {
	struct proto *skc_prot;
};

struct sock {
	struct common __common;
#define sk_prot __common.skc_prot
	const struct af_ops *af_ops;
	const struct proto *spare;
};

struct entry {
	int type;
	struct proto *prot;
};

static int one_init(struct sock *sk) { return 0; }
static void one_close(struct sock *sk) { }
static void one_hash(struct sock *sk) { }
static int two_init(struct sock *sk) { return 0; }
static void two_close(struct sock *sk) { }
static int stub_init(struct sock *sk) { return 0; }
static int plain_xmit(struct sock *sk) { return 0; }
static int plain_check(struct sock *sk) { return 0; }
static int own_xmit(struct sock *sk) { return 0; }

/* Designated, positional, and one that nobody installs. */
static struct proto one = { .init = one_init, .close = one_close, .hash = one_hash };
static struct proto two = { two_init, two_close };
static struct proto stub = { .init = stub_init };

static const struct af_ops plain = { .xmit = plain_xmit, .check = plain_check };
static struct af_ops copied;

static struct entry entries[] = {
	{ .type = 1, .prot = &one },
	{ .type = 2, .prot = &two },
};

static int install(struct sock *sk, int type)
{
	struct proto *prot = entries[type].prot;

	sk->sk_prot = prot;
	sk->spare = &two;
	sk->af_ops = &plain;
	return sk->sk_prot->init(sk); /* -> one_init two_init */
}

/* A copy whose slot is overridden is not the original. */
static void install_copy(struct sock *sk)
{
	copied = plain;
	copied.xmit = own_xmit;
	sk->af_ops = &copied;
}

static int through(struct sock *sk)
{
	const struct af_ops *ops = sk->af_ops;

	ops->check(sk); /* -> plain_check */
	return sk->af_ops->xmit(sk); /* -> own_xmit plain_xmit */
}

static void only_two(struct sock *sk)
{
	sk->spare->close(sk); /* -> two_close */
}

static void only_one(void)
{
	one.hash(0); /* -> one_hash */
}

/* Another file defines this variable; each of its tables is put in as a whole, and none is the other. */
struct offload {
	struct af_ops callbacks;
};

extern struct hot {
	struct offload first;
	struct offload second;
} hot;

static const struct offload *offloads[2];

static int first_xmit(struct sock *sk) { return 0; }
static int second_xmit(struct sock *sk) { return 0; }

static void fill(void)
{
	hot.first = (struct offload) { .callbacks = { .xmit = first_xmit } };
	hot.second = (struct offload) { .callbacks = { .xmit = second_xmit } };
	offloads[0] = &hot.first;
}

static int offloaded(struct sock *sk, int which)
{
	return offloads[which]->callbacks.xmit(sk); /* -> first_xmit */
}

/* Records that are reached from each other without an end: the ways come to one. */
struct node {
	void (*run)(struct node *node);
};

struct fork {
	struct node left;
	struct node right;
};

static void left_run(struct node *node) { }
static struct fork root = { .left = { .run = left_run } };

static void deeper(void *at)
{
	struct fork *fork = at;

	deeper(&fork->left);
	deeper(&fork->right);
	fork->left.run(&fork->left); /* -> left_run */
}

static void descend(int which)
{
	struct node *nodes = kcalloc(2, sizeof(*nodes), 0);

	deeper(&nodes[which]);
	deeper(&root);
}

/* A table without a name, until another one takes its place. */
static int no_xmit(struct sock *sk) { return -1; }
static int real_xmit(struct sock *sk) { return 0; }

static const struct af_ops *stand_in = &(struct af_ops) { .xmit = no_xmit };
static const struct af_ops real = { .xmit = real_xmit };

static void loaded(void)
{
	stand_in = &real;
}

static int by_stand_in(struct sock *sk)
{
	return stand_in->xmit(sk); /* -> no_xmit real_xmit */
}

/* A row of an array, copied to where a caller wants it, or into a record of its own; and field by field. */
struct command {
	int number;
	int (*act)(void);
};

struct command_set {
	const struct command *rows;
};

struct walker {
	struct command now;
	int place;
};

static int list_act(void) { return 0; }
static int stop_act(void) { return 0; }

static const struct command commands[] = {
	{ .number = 1, .act = list_act },
	{ .number = 2, .act = stop_act },
};

static const struct command_set command_set = { .rows = commands };

static void pick(const struct command_set *set, int which, struct command *command)
{
	*command = set->rows[which];
}

static void split(struct command *to, const struct command *from)
{
	to->act = from->act;
}

static int act_on(int which)
{
	struct command command;
	struct command other;

	pick(&command_set, which, &command);
	split(&other, &command);
	other.act(); /* -> list_act stop_act */
	return command.act(); /* -> list_act stop_act */
}

static int walk_on(struct walker *walker, const struct command_set *set)
{
	walker->now = set->rows[walker->place++];
	return walker->now.act(); /* -> list_act stop_act */
}

static int walk_all(struct walker *walker)
{
	return walk_on(walker, &command_set);
}

/* Rows that macros write: the macro of one row stands for another's, and a row may have a record within. */
union way {
	int (*show)(void);
	int (*link)(void);
};

struct entry_ops {
	int (*open)(void);
};

struct entry_row {
	const char *name;
	int length;
	const struct entry_ops *ops;
	union way way;
};

#define ROW(NAME, OPS, WAY) { .name = (NAME), .length = sizeof(NAME) - 1, .ops = OPS, .way = WAY }
#define FILE_ROW(NAME, ops) ROW(NAME, &ops, {})
#define SHOW_ROW(NAME, f) ROW(NAME, 0, { .show = f })
#define LINK_ROW(NAME, f) ROW(NAME, 0, { .link = f })

static int mem_open(void) { return 0; }
static int map_open(void) { return 0; }
static int io_show(void) { return 0; }
static int exe_link(void) { return 0; }

static const struct entry_ops mem_entry_ops = { .open = mem_open };
static const struct entry_ops map_entry_ops = { .open = map_open };

static const struct entry_row entry_rows[] = {
	FILE_ROW("mem", mem_entry_ops),
	FILE_ROW("maps", map_entry_ops),
	SHOW_ROW("io", io_show),
	LINK_ROW("exe", exe_link),
};

static int entry_open(int which)
{
	const struct entry_row *row = &entry_rows[which];

	row->way.show(); /* -> io_show */
	row->way.link(); /* -> exe_link */
	return row->ops->open(); /* -> mem_open map_open */
}
