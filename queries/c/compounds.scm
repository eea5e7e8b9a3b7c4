; An unnamed table:
;   x = (struct net_protocol) { .handler = f };
(compound_literal_expression) @compound
