; A call, direct or through a pointer:
;   f(x)    ops->f(x)    (*f)(x)    READ_ONCE(ops->f)(x)
(call_expression) @call
