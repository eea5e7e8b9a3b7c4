; A structure or union with its members:
;   struct sock { ... };
(struct_specifier body: (field_declaration_list)) @record
(union_specifier body: (field_declaration_list)) @record
