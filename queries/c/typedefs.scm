; Another name for a type:
;   typedef int (*sk_read_actor_t)(read_descriptor_t *, ...);
(type_definition) @typedef
