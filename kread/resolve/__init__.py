"""From facts to edges. One file per kind of evidence; `program` joins the units that they all read."""
