"""Ways in and out: a payload in, plain values out. Nothing here reads or writes the database."""
