; Code that is entered by goto alone when a return stands before it:
;   discard: kfree_skb(skb);
(labeled_statement) @label
