; A function definition:
;   static int f(struct sock *sk) { ... }
(function_definition) @function
