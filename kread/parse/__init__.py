"""From bytes to facts and faults. The only importer of tree_sitter."""
