/* Why an exit drops: counters and drop reasons, in the arm or at the label. */

int counters(struct sock *sk, int a, int b, int c)
{
	if (a) {
		NET_INC_STATS(sock_net(sk), LINUX_MIB_LISTENOVERFLOWS);
		goto drop;
	}
	if (b)
		goto drop;
	if (c)
		goto quiet;
	site(); // exit not a -> goto drop [LINUX_MIB_LISTENOVERFLOWS]; exit not b -> goto drop [LINUX_MIB_LISTENDROPS]; exit not c -> goto quiet
	return 0;
drop:
	tcp_listendrop(sk);
quiet:
	return 1;
}

int carried(struct sk_buff *skb, int a, int b, int c, int d)
{
	enum skb_drop_reason reason = SKB_DROP_REASON_NOT_SPECIFIED;

	if (a)
		goto drop;
	if (b) {
		reason = SKB_DROP_REASON_NO_SOCKET;
		goto drop;
	}
	reason = check(skb);
	if (c)
		goto drop;
	SKB_DR_SET(reason, TCP_CSUM);
	if (d)
		goto drop;
	site(); // exit not a -> goto drop; exit not b -> goto drop [SKB_DROP_REASON_NO_SOCKET]; exit not c -> goto drop; exit not d -> goto drop [SKB_DROP_REASON_TCP_CSUM]
	return 0;
drop:
	kfree_skb_reason(skb, reason);
	return 1;
}

int returned(int a, int b)
{
	SKB_DR(reason);

	if (a)
		return SKB_DROP_REASON_TCP_FLAGS;
	if (b) {
		SKB_DR_SET(reason, TCP_RESET);
		goto discard;
	}
	site(); // exit not a -> return SKB_DROP_REASON_TCP_FLAGS [SKB_DROP_REASON_TCP_FLAGS]; exit not b -> goto discard [SKB_DROP_REASON_TCP_RESET]
	return 0;
discard:
	SKB_DR_OR(reason, NOT_SPECIFIED);
	return reason;
}

int not_for_certain(struct sock *sk, int a, int b)
{
	if (a) {
		if (b)
			NET_INC_STATS(sock_net(sk), LINUX_MIB_TCPABORTONDATA);
		return 1;
	}
	site(); // exit not a -> return 1
	return 0;
}
