; What a function returns:
;   return &table;
(return_statement) @return
