/* Tables whose values macros make: elements, designators, several elements at once, whole initialisers. */

#include <linux/fixture.h>

struct file;

union op {
	int (*show)(struct file *file);
	int number;
};

struct entry {
	const char *name;
	union op op;
};

struct inode {
	union op op;
};

struct file {
	struct inode *inode;
	const struct sleep_ops *sleep;
};

static int show_status(struct file *file) { return 0; }
static int show_limits(struct file *file) { return 0; }
static int show_first(struct file *file) { return 0; }
static int show_second(struct file *file) { return 0; }

/* One element is made by a macro that uses another; the value of a record is copied from member to member. */
#define NODE(NAME, OP) { .name = (NAME), .op = OP, }
#define ONE(NAME, show_it) NODE(NAME, { .show = show_it })

static const struct entry entries[] = {
	NODE("number", { .number = 1 }),
	ONE("status", show_status),
	ONE("limits", show_limits),
};

static int open(struct file *file, int which)
{
	const struct entry *entry = &entries[which];

	file->inode->op = entry->op;
	return file->inode->op.show(file); /* -> show_status show_limits */
}

/* Several elements are one macro's, and what follows them has its own place. */
#define BOTH ONE("first", show_first), ONE("second", show_second)

static const struct entry pairs[] = {
	BOTH,
	ONE("third", show_status),
};

static int of_pair(struct file *file, int which)
{
	return pairs[which].op.show(file); /* -> show_first show_second show_status */
}

/* Designators are made, under conditions; what stands beside them stays. */
struct sleep_ops {
	int (*prepare)(struct file *file);
	int (*suspend)(struct file *file);
	int (*resume)(struct file *file);
};

#ifdef CONFIG_SLEEP
#define SLEEP_OPS(down, up) .suspend = down, .resume = up,
#else
#define SLEEP_OPS(down, up) .suspend = always_awake,
#endif

static int always_awake(struct file *file) { return 0; }
static int go_down(struct file *file) { return 0; }
static int go_up(struct file *file) { return 0; }
static int get_ready(struct file *file) { return 0; }

#ifdef CONFIG_SLEEP
static int wake_up(struct file *file) { return 0; }
#else
#define wake_up 0
#endif

static const struct sleep_ops waking_ops = {
	SLEEP_OPS(go_down, wake_up)
};

static int wake(struct file *file)
{
	return waking_ops.resume(file); /* -> wake_up */
}

static const struct sleep_ops sleep_ops = {
	.prepare = get_ready,
	SLEEP_OPS(go_down, go_up)
};

static int sleep(struct file *file)
{
	file->sleep = &sleep_ops;
	file->sleep->prepare(file); /* -> get_ready */
	file->sleep->suspend(file); /* -> always_awake go_down */
	return file->sleep->resume(file); /* -> go_up */
}

/* Macros that bring their own commas stand side by side, with arguments and without. */
struct power_ops {
	int (*prepare)(struct file *file);
	int (*suspend)(struct file *file);
	int (*resume)(struct file *file);
	int (*slow)(struct file *file);
	int (*quick)(struct file *file);
};

#define SPEED_OPS(less, more) .slow = less, .quick = more,
#define COMMON_OPS .prepare = get_ready,

static int slow_down(struct file *file) { return 0; }
static int speed_up(struct file *file) { return 0; }

static const struct power_ops power_ops = {
	COMMON_OPS
	SPEED_OPS(slow_down, speed_up)
	SLEEP_OPS(go_down, go_up)
};

static const struct power_ops other_ops = {
	SPEED_OPS(slow_down, speed_up)
	COMMON_OPS
	.suspend = go_up,
};

static void power(struct file *file, int which)
{
	const struct power_ops *ops = which ? &power_ops : &other_ops;

	ops->prepare(file); /* -> get_ready */
	ops->suspend(file); /* -> always_awake go_down go_up */
	ops->resume(file); /* -> go_up */
	ops->slow(file); /* -> slow_down */
	ops->quick(file); /* -> speed_up */
}

/* A whole initialiser is a macro's. */
struct notifier {
	int (*notify)(struct notifier *nb);
	int priority;
};

#define NOTIFIER(f) { .notify = (f), .priority = 1 }

static int told(struct notifier *nb) { return 0; }
static struct notifier nb = NOTIFIER(told);

static int tell(void)
{
	return nb.notify(&nb); /* -> told */
}
