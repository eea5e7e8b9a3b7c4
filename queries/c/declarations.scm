; A variable, a table or a prototype, at file scope or in a function:
;   static const struct proto_ops ops = { ... };
(declaration) @declaration
