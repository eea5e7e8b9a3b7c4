/* The few macros that the fixtures of calls through pointers use, written like the kernel's. */
#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, val) do { *(volatile typeof(x) *)&(x) = (val); } while (0)
#define container_of(ptr, type, member) ((type *)((void *)(ptr) - offsetof(type, member)))
#define list_for_each_entry_rcu(pos, head, member) \
	for (pos = container_of((head)->next, typeof(*pos), member); &pos->member != (head); \
	     pos = container_of(pos->member.next, typeof(*pos), member))
#define timer_setup(timer, callback, flags) init_timer_key((timer), (callback), (flags))

void init_timer_key(void *timer, void *func, unsigned int flags);
void call_rcu(void *head, void *func);
int register_netdevice_notifier(void *nb);
void list_add_rcu(void *node, void *head);
