; What makes a call happen only sometimes, or more than once:
;   if (x) f();    switch (x) { case 1: f(); }    x ? f() : 0
[
  (if_statement)
  (case_statement)
  (conditional_expression)
] @branch

; while (x) f();    for (;;) f();    do f(); while (x);
[
  (while_statement)
  (for_statement)
  (do_statement)
] @branch
