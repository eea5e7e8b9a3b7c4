; A value stored in a variable or a field:
;   icsk->icsk_af_ops = &table;
(assignment_expression) @assignment
